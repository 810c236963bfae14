// Shared by the parts of the shim; never seen by Swift.
#pragma once

#include <lauxlib.h>
#include <lua.h>
#include <lualib.h>

#include "CLuaShim.h"

/// Text or bytes in the host's memory, bounded.
typedef struct {
  uint8_t *data;
  size_t length, capacity;
} rh_bytes;

typedef struct rh_source {
  struct rh_source *next;
  char *module, *file;
  uint8_t *text;
  size_t length;
  /// A bit a line, from line 0, where coverage was asked for.
  uint8_t *covered, *active;
  size_t line_bytes;
} rh_source;

/// A kind of input object, of which only the fields are sent that policies read. Fields are numbered from 0 in the order of their names.
typedef struct {
  /// Held by the registry.
  const char *name;
  uint64_t all;
  /// Fields that are sent: those whose names stand in a file that was loaded, and those that a call asked for in another way.
  uint64_t wanted;
  /// Fields that came as the moment that a span counts from.
  uint64_t spans;
} rh_kind;

struct rh_lua {
  lua_State *L;
  rh_limits limits;
  /// Bytes that live; those that may live in this call; those that lived after the last collection.
  size_t used, ceiling, floor, churned;
  int64_t steps, deadline;
  /// Why the running call may not go on: set once, raised again by every protected call inside Lua until the outermost one ends.
  const char *exhausted;
  uint64_t random;
  /// Seconds, of the call that runs: what spans are reckoned by.
  double turn;
  /// The kinds of input objects in the order of their names, and that of lists.
  rh_kind *kinds, list;
  size_t kind_count;
  uint32_t label_sets;
  /// Texts that this result holds already, by the pointer that the state has for them.
  const char *texts[16];
  uint32_t text_count;
  /// Slots of the candidates that are in order now.
  rh_bytes ordered;
  /// Candidates for whose answers there is room.
  size_t answers;
  /// Instructions that one candidate takes at most; 0: not known.
  int candidate_steps;
  /// `filter` and `score` only read these fields of a candidate.
  int only_reads;
  uint64_t candidate_fields;
  /// They compare by order, which may take long in one instruction: the clock is looked at after each candidate.
  int watches_candidates;
  /// A file gave a table a metatable when it was loaded.
  int has_metatables;
  int is_syntax_error;
  /// The harness is loaded: tests keep state, and require what they test.
  int has_harness;
  /// A call runs, as opposed to the loading of a file.
  int is_serving;
  rh_tracing tracing;
  size_t most_steps_traced, steps_traced;
  rh_bytes result, printed, error, traceback, trace, scratch;
  rh_source *sources;
};

/// Addresses of these are keys of the registry (and BACKING of sealed tables): nothing in Lua can name them.
extern const char RH_BACKING, RH_VIEW, RH_KIND, RH_KINDS, RH_MISSING, RH_KEPT, RH_LABEL_SETS, RH_CANDIDATES, RH_POINTS, RH_REASONS, RH_DRIVER, RH_ENVIRONMENT,
  RH_LOADED, RH_LOADING, RH_MAIN;

// limits.c
rh_lua *rh_of(lua_State *L);
void *rh_allocate(void *context, void *block, size_t old, size_t wanted);
/// Starts and ends the budget of one call.
void rh_begin(rh_lua *state);
void rh_end(rh_lua *state);
/// Around what cannot run long.
void rh_pause_counting(rh_lua *state);
void rh_resume_counting(rh_lua *state);
/// Between calls, where garbage has gathered: no collection runs within one, so that nothing can depend on when it does.
void rh_collect(lua_State *L);
/// What was used so far was the host's: the budget of memory counts from here.
void rh_count_from_here(rh_lua *state);
/// What is made from here on is the host's own, up to a bound of its own.
void rh_count_for_host(rh_lua *state);
/// Why a call ends that wants more memory than it may have, and why one that read what was not sent.
extern const char RH_MEMORY_BREACH[], RH_UNSENT_FIELD[];
/// Counts work of a C function; raises where the call's budget is used up.
void rh_charge(lua_State *L, int64_t work);
/// Raises where the call's time is over.
void rh_check_time(lua_State *L);
/// Raises the budget's error.
int rh_raise_exhausted(lua_State *L);
/// Ends the call for a cause, which goes on through every `pcall` of Lua code.
int rh_stop(lua_State *L, const char *cause);
/// 0 where the bytes do not fit `limit` or memory is short.
int rh_append(rh_bytes *bytes, const void *data, size_t length, size_t limit);

// modules.c
/// The source of a module; raises where there is none.
rh_source *rh_known_source(lua_State *L, const char *module);
/// Pushes a source as a function whose names are those of the environment.
void rh_push_chunk(lua_State *L, rh_source *source);
/// Runs a module, or finds it, and pushes what it returned.
void rh_push_module(lua_State *L, const char *module);
int rh_require(lua_State *L);

// bytecode.c
/// A constant; `text` is NULL where it is no text, and is not terminated.
typedef struct {
  const char *text;
  size_t length;
} rh_constant;

/// One function of a compiled chunk, as the interpreter's own dump describes it.
typedef struct rh_prototype {
  const struct rh_prototype *parent;
  int parameters, is_vararg, line_defined, instructions, upvalues, constant_count;
  /// The instructions, four bytes each.
  const uint8_t *code;
  /// Three bytes each: whether it is a local of the parent, which one, kind.
  const uint8_t *captures;
  /// Valid during the visit, as are the lines of each instruction, and the names of each upvalue.
  const rh_constant *constants;
  const int *lines;
  const char *const *names;
} rh_prototype;
/// Visits the Lua function on top and those inside it, the inner ones first.
void rh_visit_prototypes(lua_State *L, void (*visit)(void *context, const rh_prototype *prototype), void *context);
/// Visits the texts that stand in the Lua function on top and in those inside it: names of fields among them. They are not terminated.
void rh_visit_texts(lua_State *L, void (*visit)(lua_State *L, const char *text, size_t length));
uint32_t rh_instruction(const rh_prototype *prototype, int instruction);
int rh_opcode(const rh_prototype *prototype, int instruction);

// foreseen.c
typedef struct {
  /// Instructions that it executes at most; 0: it loops or calls, so that this is not known.
  int steps;
  /// It compares by order.
  int compares;
  /// It does nothing with its parameters but read fields of the first two by their names, of each these.
  int only_reads;
  uint64_t fields[2];
} rh_foreseen;
/// What a Lua function does at most that is called with objects of these kinds.
rh_foreseen rh_foresee(lua_State *L, int function, rh_kind *const parameters[2]);

// trace.c
void rh_trace_line(lua_State *L, lua_Debug *event);
/// Notes which lines of the chunk on top can be executed.
void rh_note_active_lines(lua_State *L, rh_source *source);

// sealed.c: read-only tables
/// Replaces the table on top by a read-only view of it, with the fields of `kind`: cheap to make.
void rh_seal(lua_State *L, const char *kind);
/// The same, cheap to read.
void rh_seal_to_stay(lua_State *L, const char *kind);
/// Pushes the table behind a sealed one and returns 1, or pushes nothing and returns 0.
int rh_push_backing(lua_State *L, int index);
/// Creates the metatable of a kind. Takes the table of its fields (or nil: any) from the top. `input` is NULL where it is no input's.
void rh_define_kind(lua_State *L, const char *kind, rh_kind *input);
/// Pushes the metatable of a kind; raises where there is none.
void rh_push_kind(lua_State *L, const char *kind);
/// The name nearest to `wanted` among the text keys of the table at `index`, or NULL. Valid while the table holds it.
const char *rh_nearest(lua_State *L, int index, const char *wanted);

// order.c
/// Pushes an array of the keys of a table in a fixed order (numbers, text, booleans) and returns how many.
lua_Integer rh_sorted_keys(lua_State *L, int index);
int rh_pairs(lua_State *L);
int rh_next_pair(lua_State *L);

// kept.c
/// Defines the kinds of input objects, from the table at the index: name → fields.
void rh_define_inputs(lua_State *L, int kinds);
/// Notes which fields the chunk on top names.
void rh_note_fields(lua_State *L);
/// Ends the call, which is then made again with these fields of the kind.
int rh_want(lua_State *L, rh_kind *kind, uint64_t fields);
/// The kind with a name, or NULL.
rh_kind *rh_kind_named(lua_State *L, const char *name);
/// Pushes the object of a slot, or nil.
void rh_push_kept(lua_State *L, uint32_t slot);
/// Keeps the object on top under a slot.
void rh_keep(lua_State *L, uint32_t slot);
/// Pushes the names of a kind's fields in their order, with the number of each under its name.
void rh_push_fields(lua_State *L, rh_kind *kind);
/// Replaces the value on top by an object of the kind, unless it is one.
void rh_become(lua_State *L, rh_kind *kind);
void rh_forget_kept(lua_State *L);
void rh_keep_moment(lua_State *L, int backing, rh_kind *kind, int field, double moment);
/// Returns 1 with the span on top that a field is kept as; else 0.
int rh_push_span(lua_State *L, int backing, int field);
/// Pushes what a sealed table holds, its spans included, and returns 1, or pushes nothing and returns 0.
int rh_push_contents(lua_State *L, int index);

// frozen.c
/// Makes everything read-only that the value reaches, and raises where a function assigns to what is outside it. `file` is NULL for data.
void rh_freeze(lua_State *L, int index, const char *name, const char *file);

// sandbox.c
/// What no metatable may have; ends with NULL.
extern const char *const rh_refused_metafields[];
/// Builds the environment of policy files.
void rh_sandbox(lua_State *L);
/// Pushes the text of a value without any address in it.
void rh_push_text(lua_State *L, int index);

// tables.c, pattern.c: push a table of functions
void rh_push_table_library(lua_State *L);
void rh_add_pattern_functions(lua_State *L);
int rh_next_match(lua_State *L);

// marshal.c
/// Pushes all values of a buffer and returns their number.
int rh_decode_all(lua_State *L, const uint8_t *bytes, size_t length);
void rh_encode(lua_State *L, int index, int depth);
void rh_encode_list_header(lua_State *L, uint32_t count);
/// The number of a text that the result holds already, or −1.
int rh_known_text(rh_lua *state, const char *text);
/// Writes values from `first` on: their count, a byte, then each.
void rh_encode_answer(lua_State *L, int first, int count);

// place.c
/// Asks `filter` (0: there is none) and `score` of the candidates that are kept under the slots, and writes their answers.
void rh_ask_candidates(lua_State *L, int job, int filter, int score, const uint32_t *slots, size_t count);
void rh_prepare_placement(lua_State *L);
/// Finds out what `filter` (0: there is none) and `score` do at most, where that can be known.
void rh_measure_placement(lua_State *L, int filter, int score);
