// The border between Swift and Lua.
//
// Every call into Lua happens behind one of these functions, inside lua_pcall: a Lua error is a longjmp, and none may cross a Swift
// frame. Values cross as bytes (see marshal.c for the format), so no Lua API call is ever made from Swift. No function here calls back.
#pragma once

#include <stddef.h>
#include <stdint.h>

/// One Lua state with its limits. Not thread-safe: one owner at a time.
typedef struct rh_lua rh_lua;

/// What one call may use. A breach is an error of that call; the state stays usable.
typedef struct {
  /// Bytes that one call may leave lying, garbage included: nothing is collected within a call.
  size_t memory;
  /// Bytes allocated in one call, freed or not: bounds copying and hashing, which the count hook does not see.
  size_t churn;
  /// Lua instructions plus the work of library functions (one step for each unit of matching, comparing, moving).
  int64_t steps;
  /// Wall time: a backstop; steps decide.
  int64_t nanoseconds;
  /// Bytes of an encoded result, and of printed text.
  size_t output;
} rh_limits;

typedef enum {
  RH_OK = 0,
  /// A file is not Lua.
  RH_SYNTAX = 1,
  /// An error that Lua code raised or that a library function raised for it.
  RH_RUNTIME = 2,
  RH_MEMORY = 3,
  /// Steps, churn or time were used up.
  RH_BUDGET = 4,
  /// A field of an input was read that was not sent: `rh_wanted` has it now, and the call can be made again.
  RH_UNSENT = 5,
} rh_status;

/// A new sandboxed state, or NULL where memory is short. `kinds` is an encoded map: kind of input object → map of field → type name.
rh_lua *rh_open(rh_limits limits, const uint8_t *kinds, size_t length);
void rh_close(rh_lua *state);

/// Limits of the calls that follow.
void rh_set_limits(rh_lua *state, rh_limits limits);

/// Makes a source known to `require` under a module name (`routing`, `lib.words`). `file` is what error positions show. Both are copied.
/// Returns 0 where memory is short.
int rh_add_source(rh_lua *state, const char *module, const char *file, const uint8_t *text, size_t length);

/// The tables that all files find under the name `data`: an encoded map of names to tables.
rh_status rh_set_data(rh_lua *state, const uint8_t *tables, size_t length);

typedef enum { RH_TRACE_OFF = 0, RH_TRACE_STEPS = 1, RH_TRACE_COVERAGE = 2 } rh_tracing;

/// What is noted of the lines that the calls that follow execute: each with the variables it saw, `most` at most; or only which they were.
void rh_set_tracing(rh_lua *state, rh_tracing tracing, size_t most);

/// Lines of one source, a bit a line from line 0: those that were executed, and those that could be. NULL where nothing is known.
typedef struct {
  const char *file;
  const uint8_t *covered, *active;
  size_t bytes;
} rh_lines;

/// Lines of the source with this index; `file` is NULL past the last.
rh_lines rh_lines_of(const rh_lua *state, size_t index);

/// Only compiles a source. Result: none.
rh_status rh_compile(rh_lua *state, const char *module);

/// Runs a module and keeps its table as the one that `rh_call` calls. Result: its field `api`, then a list of the names of its functions.
rh_status rh_load(rh_lua *state, const char *module);

/// Runs the host's test harness, whose functions become names of all files loaded later, and keeps its table as the one that `rh_call` calls.
rh_status rh_load_harness(rh_lua *state, const char *module);

/// Runs a module for its effect on the harness; the kept table stays.
rh_status rh_run(rh_lua *state, const char *module);

/// Calls a function of the kept table. Arguments: encoded values, one after the other. Result: a list of what it returned.
/// - `turn`: the time in seconds by which spans are reckoned, counted from where the moments are.
rh_status rh_call(rh_lua *state, const char *function, double turn, const uint8_t *arguments, size_t length);

/// Calls `filter`, `score` and `strategy` of the kept table for all candidates inside one protected call.
/// - `turn`: as for `rh_call`. Arguments: what is to be kept, and the job. `slots`: where the candidates are kept.
/// - Result, for each candidate: a byte, how many values (up to four) follow, `allowed, why, score, why`, or a short form of them (place.c).
///   Then what `strategy` returned, alike.
rh_status rh_place(rh_lua *state, double turn, const uint8_t *arguments, size_t length, const uint32_t *slots, size_t count);

/// The fields of a kind, by its number in the order of the kinds' names, that are to be sent of each object: a bit for each of its fields in the
/// order of their names. Grows when files are loaded, and where a call ends with `RH_UNSENT`: what was kept must then be forgotten.
uint64_t rh_wanted(const rh_lua *state, size_t kind);

/// Drops all objects that are kept in the state.
rh_status rh_forget(rh_lua *state);

/// The last call's result, text printed, error text and traceback. Valid until the next call on the state.
const uint8_t *rh_result(const rh_lua *state, size_t *length);
const uint8_t *rh_printed(const rh_lua *state, size_t *length);
const uint8_t *rh_error(const rh_lua *state, size_t *length);
const uint8_t *rh_traceback(const rh_lua *state, size_t *length);
/// Lines that the last call executed, in order: for each a text (file), u32 line, u32 count, and as many pairs of texts (name, value).
const uint8_t *rh_trace(const rh_lua *state, size_t *length);
/// Steps that the last call used, to the granularity of the count hook.
int64_t rh_steps(const rh_lua *state);
/// Bytes that the state holds now.
size_t rh_memory(const rh_lua *state);
