// States, and what is performed in them: each behind one protected call.
#include <stdlib.h>
#include <string.h>

#include "internal.h"

const char RH_BACKING = 0, RH_VIEW = 0, RH_KIND = 0, RH_KINDS = 0, RH_MISSING = 0, RH_KEPT = 0, RH_LABEL_SETS = 0, RH_CANDIDATES = 0,
           RH_POINTS = 0, RH_REASONS = 0, RH_DRIVER = 0, RH_ENVIRONMENT = 0, RH_LOADED = 0, RH_LOADING = 0, RH_MAIN = 0;

enum { ERROR_LIMIT = 8192 };

// MARK: Protected calls

static void set_text(rh_bytes *bytes, const char *text, size_t length) {
  bytes->length = 0;
  rh_append(bytes, text, length < ERROR_LIMIT ? length : ERROR_LIMIT, ERROR_LIMIT);
}

/// Keeps the traceback in the host's memory while the stack still stands. Calls no metamethod of an error object.
static int handle_message(lua_State *L) {
  rh_lua *state = rh_of(L);
  if (lua_type(L, 1) == LUA_TNUMBER) lua_tostring(L, 1);
  if (lua_type(L, 1) != LUA_TSTRING) lua_pushfstring(L, "(the error is a %s value)", luaL_typename(L, 1));
  luaL_traceback(L, L, NULL, 1);
  size_t length;
  const char *trace = lua_tolstring(L, -1, &length);
  set_text(&state->traceback, trace, length);
  lua_pop(L, 1);
  return 1;
}

typedef struct {
  lua_CFunction body;
  const char *name;
  const uint8_t *bytes;
  size_t length;
  const uint32_t *slots;
  size_t count;
} request;

static request *request_of(lua_State *L) { return lua_touserdata(L, 1); }

static int run_request(lua_State *L) {
  rh_collect(L);
  rh_count_from_here(rh_of(L));
  return request_of(L)->body(L);
}

static rh_status perform(rh_lua *state, lua_CFunction body, request *request) {
  request->body = body;
  lua_State *L = state->L;
  state->is_syntax_error = 0;
  state->random = UINT64_C(0x9E3779B97F4A7C15);  // each call starts alike: same input, same output
  state->result.length = state->printed.length = state->error.length = state->traceback.length = state->trace.length = 0;
  // Nothing from here to lua_pcall allocates: light functions and pointers on a stack that has room.
  lua_settop(L, 0);
  rh_begin(state);
  lua_pushcfunction(L, handle_message);
  lua_pushcfunction(L, run_request);
  lua_pushlightuserdata(L, request);
  int outcome = lua_pcall(L, 1, 0, 1);
  rh_end(state);
  state->is_serving = 0;
  rh_status status = RH_OK;
  if (outcome != LUA_OK || state->exhausted) {
    size_t length = 0;
    // Reading a string does not allocate; converting anything else would.
    const char *text = outcome != LUA_OK && lua_type(L, -1) == LUA_TSTRING ? lua_tolstring(L, -1, &length) : NULL;
    if (state->exhausted && (!text || !strstr(text, state->exhausted))) {
      text = state->exhausted;
      length = strlen(text);
    } else if (!text) {
      text = "error in error handling";
      length = strlen(text);
    }
    set_text(&state->error, text, length);
    status = state->exhausted == RH_MEMORY_BREACH ? RH_MEMORY
      : state->exhausted == RH_UNSENT_FIELD       ? RH_UNSENT
      : state->exhausted                          ? RH_BUDGET
      : state->is_syntax_error                    ? RH_SYNTAX
      : outcome == LUA_ERRMEM                     ? RH_MEMORY
                                                  : RH_RUNTIME;
  }
  lua_settop(L, 0);
  return status;
}

// MARK: What is performed

static int open_body(lua_State *L) {
  const request *wanted = request_of(L);
  lua_newtable(L);
  lua_rawsetp(L, LUA_REGISTRYINDEX, &RH_LOADED);
  lua_gc(L, LUA_GCSTOP);
  rh_prepare_placement(L);
  lua_newtable(L);
  lua_rawsetp(L, LUA_REGISTRYINDEX, &RH_KINDS);
  rh_forget_kept(L);
  lua_pushnil(L);
  rh_define_kind(L, "list", &rh_of(L)->list);
  lua_newtable(L);
  rh_define_kind(L, "data", NULL);
  lua_pushnil(L);
  rh_define_kind(L, "map", NULL);
  lua_pushnil(L);
  rh_define_kind(L, "labels", NULL);
  if (rh_decode_all(L, wanted->bytes, wanted->length) != 1 || !lua_istable(L, -1)) return luaL_error(L, "the kinds are not a map");
  rh_define_inputs(L, lua_gettop(L));
  rh_sandbox(L);
  rh_push_backing(L, -1);
  lua_pushcfunction(L, rh_require);
  lua_setfield(L, -2, "require");
  lua_newtable(L);
  rh_seal_to_stay(L, "data");
  lua_setfield(L, -2, "data");
  lua_pop(L, 1);
  lua_rawsetp(L, LUA_REGISTRYINDEX, &RH_ENVIRONMENT);
  return 0;
}

/// Each name of the map becomes a field of `data`, read-only all the way down; a name that is not there is an error.
static int data_body(lua_State *L) {
  const request *wanted = request_of(L);
  if (rh_decode_all(L, wanted->bytes, wanted->length) != 1 || !lua_istable(L, -1)) return luaL_error(L, "the data are not a map");
  int tables = lua_gettop(L);
  lua_newtable(L);
  lua_pushnil(L);
  while (lua_next(L, tables)) {
    lua_pushfstring(L, "data.%s", lua_tostring(L, -2));
    rh_freeze(L, lua_gettop(L) - 1, lua_tostring(L, -1), NULL);
    lua_pop(L, 2);
    lua_pushvalue(L, -1);
    lua_pushboolean(L, 1);
    lua_rawset(L, tables + 1);
  }
  rh_define_kind(L, "data", NULL);
  rh_seal_to_stay(L, "data");
  lua_rawgetp(L, LUA_REGISTRYINDEX, &RH_ENVIRONMENT);
  rh_push_backing(L, -1);
  lua_pushvalue(L, tables);
  lua_setfield(L, -2, "data");
  return 0;
}

static int compile_body(lua_State *L) {
  rh_push_chunk(L, rh_known_source(L, request_of(L)->name));
  return 0;
}

/// Pushes a function of the kept table. A name that is missing or no function pushes nothing and returns 0.
static int push_function(lua_State *L, const char *name) {
  if (lua_rawgetp(L, LUA_REGISTRYINDEX, &RH_MAIN) != LUA_TTABLE) return luaL_error(L, "nothing is loaded");
  if (rh_push_backing(L, -1)) lua_remove(L, -2);
  lua_pushstring(L, name);
  lua_rawget(L, -2);
  lua_remove(L, -2);
  if (lua_isfunction(L, -1)) return 1;
  lua_pop(L, 1);
  return 0;
}

static int load_body(lua_State *L) {
  const char *name = request_of(L)->name;
  rh_push_module(L, name);
  int module = lua_gettop(L);
  if (!lua_istable(L, module)) return luaL_error(L, "%s returns a %s, not a table", rh_known_source(L, name)->file, luaL_typename(L, module));
  lua_pushvalue(L, module);
  lua_rawsetp(L, LUA_REGISTRYINDEX, &RH_MAIN);
  if (!rh_push_backing(L, module)) lua_pushvalue(L, module);
  module = lua_gettop(L);
  lua_pushliteral(L, "api");
  lua_rawget(L, module);
  rh_encode(L, -1, 0);
  lua_Integer count = rh_sorted_keys(L, module);
  int keys = lua_gettop(L);
  lua_newtable(L);
  lua_Integer functions = 0;
  for (lua_Integer i = 1; i <= count; i++) {
    lua_rawgeti(L, keys, i);
    if (lua_type(L, -1) == LUA_TSTRING) {
      lua_pushvalue(L, -1);
      if (lua_rawget(L, module) == LUA_TFUNCTION) {
        lua_pushvalue(L, -2);
        lua_rawseti(L, keys + 1, ++functions);
      }
      lua_pop(L, 1);
    }
    lua_pop(L, 1);
  }
  rh_encode(L, -1, 0);
  int filter = push_function(L, "filter") ? lua_gettop(L) : 0;
  if (push_function(L, "score")) rh_measure_placement(L, filter, lua_gettop(L));
  return 0;
}

/// `seal(kind, table)` for the harness.
static int seal_for_harness(lua_State *L) {
  const char *kind = luaL_checkstring(L, 1);
  luaL_checktype(L, 2, LUA_TTABLE);
  lua_settop(L, 2);
  rh_seal(L, kind);
  return 1;
}

/// The harness is the host's own text: called with `seal`, it returns its table; the functions in `names` of it become names of all files.
static int harness_body(lua_State *L) {
  rh_of(L)->has_harness = 1;
  rh_push_chunk(L, rh_known_source(L, request_of(L)->name));
  lua_pushcfunction(L, seal_for_harness);
  lua_call(L, 1, 1);
  luaL_checktype(L, -1, LUA_TTABLE);
  lua_pushvalue(L, -1);
  lua_rawsetp(L, LUA_REGISTRYINDEX, &RH_MAIN);
  lua_getfield(L, -1, "names");
  luaL_checktype(L, -1, LUA_TTABLE);
  int names = lua_gettop(L);
  lua_rawgetp(L, LUA_REGISTRYINDEX, &RH_ENVIRONMENT);
  rh_push_backing(L, -1);
  int environment = lua_gettop(L);
  lua_pushnil(L);
  while (lua_next(L, names)) {
    lua_pushvalue(L, -2);
    lua_insert(L, -2);
    lua_rawset(L, environment);
  }
  return 0;
}

static int run_body(lua_State *L) {
  lua_newtable(L);
  lua_rawsetp(L, LUA_REGISTRYINDEX, &RH_LOADING);
  rh_push_chunk(L, rh_known_source(L, request_of(L)->name));
  lua_call(L, 0, 0);
  return 0;
}

/// Encodes the values above `base` as a list and pops them.
static void encode_returned(lua_State *L, int base) {
  int count = lua_gettop(L) - base;
  rh_encode_list_header(L, (uint32_t)count);
  for (int i = 1; i <= count; i++) rh_encode(L, base + i, 0);
  lua_settop(L, base);
}

/// From here on it is the policy's own budget: what the host keeps in the state is not charged to it.
static void serve(lua_State *L) {
  rh_lua *state = rh_of(L);
  rh_count_from_here(state);
  state->is_serving = !state->has_harness;
}

static int call_body(lua_State *L) {
  const request *wanted = request_of(L);
  if (!push_function(L, wanted->name)) return luaL_error(L, "no function '%s'", wanted->name);
  int base = lua_gettop(L) - 1;
  rh_count_for_host(rh_of(L));
  int count = rh_decode_all(L, wanted->bytes, wanted->length);
  serve(L);
  lua_call(L, count, LUA_MULTRET);
  encode_returned(L, base);
  return 0;
}

static int place_body(lua_State *L) {
  const request *wanted = request_of(L);
  rh_of(L)->text_count = 0;
  rh_count_for_host(rh_of(L));
  if (rh_decode_all(L, wanted->bytes, wanted->length) != 1) return luaL_error(L, "a placement takes a job");
  int job = 2;
  int filter = push_function(L, "filter") ? lua_gettop(L) : 0;
  if (!push_function(L, "score")) return luaL_error(L, "no function 'score'");
  int score = lua_gettop(L);
  int strategy = push_function(L, "strategy") ? lua_gettop(L) : 0, base = lua_gettop(L);
  serve(L);
  rh_ask_candidates(L, job, filter, score, wanted->slots, wanted->count);
  if (strategy) {
    lua_pushvalue(L, strategy);
    lua_pushvalue(L, job);
    lua_call(L, 1, 2);
  }
  rh_encode_answer(L, base + 1, lua_gettop(L) - base);
  return 0;
}

static int forget_body(lua_State *L) {
  rh_forget_kept(L);
  return 0;
}

// MARK: The interface

rh_lua *rh_open(rh_limits limits, const uint8_t *kinds, size_t length) {
  rh_lua *state = calloc(1, sizeof *state);
  if (!state) return NULL;
  state->limits = limits;
  rh_count_from_here(state);
  state->L = lua_newstate(rh_allocate, state);
  request wanted = {.bytes = kinds, .length = length};
  if (!state->L || perform(state, open_body, &wanted) != RH_OK) {
    rh_close(state);
    return NULL;
  }
  return state;
}

void rh_close(rh_lua *state) {
  if (!state) return;
  if (state->L) lua_close(state->L);
  while (state->sources) {
    rh_source *source = state->sources;
    state->sources = source->next;
    free(source->module);
    free(source->file);
    free(source->text);
    free(source->covered);
    free(source->active);
    free(source);
  }
  free(state->result.data);
  free(state->printed.data);
  free(state->error.data);
  free(state->traceback.data);
  free(state->trace.data);
  free(state->scratch.data);
  free(state->ordered.data);
  free(state->kinds);
  free(state);
}

void rh_set_limits(rh_lua *state, rh_limits limits) { state->limits = limits; }

void rh_set_tracing(rh_lua *state, rh_tracing tracing, size_t most) {
  state->tracing = tracing;
  state->most_steps_traced = most;
}

rh_lines rh_lines_of(const rh_lua *state, size_t index) {
  const rh_source *source = state->sources;
  while (source && index-- > 0) source = source->next;
  if (!source) return (rh_lines){0};
  return (rh_lines){.file = source->file, .covered = source->covered, .active = source->active, .bytes = source->line_bytes};
}

int rh_add_source(rh_lua *state, const char *module, const char *file, const uint8_t *text, size_t length) {
  rh_source *source = calloc(1, sizeof *source);
  if (!source) return 0;
  source->module = strdup(module);
  source->file = strdup(file);
  source->text = malloc(length + 1);
  source->length = length;
  source->next = state->sources;
  state->sources = source;  // also where it is incomplete: rh_close frees it
  if (!source->module || !source->file || !source->text) return 0;
  if (length > 0) memcpy(source->text, text, length);
  return 1;
}

rh_status rh_set_data(rh_lua *state, const uint8_t *tables, size_t length) {
  return perform(state, data_body, &(request){.bytes = tables, .length = length});
}

rh_status rh_compile(rh_lua *state, const char *module) { return perform(state, compile_body, &(request){.name = module}); }
rh_status rh_load(rh_lua *state, const char *module) { return perform(state, load_body, &(request){.name = module}); }
rh_status rh_load_harness(rh_lua *state, const char *module) { return perform(state, harness_body, &(request){.name = module}); }
rh_status rh_run(rh_lua *state, const char *module) { return perform(state, run_body, &(request){.name = module}); }

rh_status rh_call(rh_lua *state, const char *function, double turn, const uint8_t *arguments, size_t length) {
  state->turn = turn;
  return perform(state, call_body, &(request){.name = function, .bytes = arguments, .length = length});
}

rh_status rh_place(rh_lua *state, double turn, const uint8_t *arguments, size_t length, const uint32_t *slots, size_t count) {
  state->turn = turn;
  return perform(state, place_body, &(request){.bytes = arguments, .length = length, .slots = slots, .count = count});
}

rh_status rh_forget(rh_lua *state) { return perform(state, forget_body, &(request){0}); }

static const uint8_t *view(const rh_bytes *bytes, size_t *length) {
  *length = bytes->length;
  return bytes->data;
}

const uint8_t *rh_result(const rh_lua *state, size_t *length) { return view(&state->result, length); }
const uint8_t *rh_printed(const rh_lua *state, size_t *length) { return view(&state->printed, length); }
const uint8_t *rh_error(const rh_lua *state, size_t *length) { return view(&state->error, length); }
const uint8_t *rh_traceback(const rh_lua *state, size_t *length) { return view(&state->traceback, length); }
const uint8_t *rh_trace(const rh_lua *state, size_t *length) { return view(&state->trace, length); }
int64_t rh_steps(const rh_lua *state) { return state->steps; }
size_t rh_memory(const rh_lua *state) { return state->used; }
uint64_t rh_wanted(const rh_lua *state, size_t kind) { return kind < state->kind_count ? state->kinds[kind].wanted : 0; }
