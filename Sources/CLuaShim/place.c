// Filtering and scoring of many candidates.
//
// The loop is Lua of the host's own: from Lua to Lua a call costs a third of one through C. What it hands to `emit` is in most cases a score
// and a reason that was given before, for which there is a short form.
#include <string.h>

#include "internal.h"

/// A score from 0 to 100 (8 bytes) with a reason that the result holds already (its number, a byte), of a candidate that was let through
/// without a reason. What has been read once as a reason needs no second look.
enum { SHORT_ANSWER = 0xF0 };

static const char driver[] =
  "local filter, score, candidates, job, emit = ...\n"
  "if filter then\n"
  "  for i = 1, #candidates do\n"
  "    local candidate = candidates[i]\n"
  "    local allowed, why = filter(job, candidate)\n"
  // Only `true` is asked for a score; what is neither true nor false is shown to the host, which refuses it.
  "    if allowed == true then emit(allowed, why, score(job, candidate)) else emit(allowed, why) end\n"
  "  end\n"
  "else\n"
  "  for i = 1, #candidates do emit(true, nil, score(job, candidates[i])) end\n"
  "end\n";

static int emit(lua_State *L) {
  rh_lua *state = rh_of(L);
  int count = lua_gettop(L);
  if (state->watches_candidates) rh_check_time(L);
  if (count == 4 && lua_type(L, 3) == LUA_TNUMBER && lua_isnil(L, 2) && lua_type(L, 4) == LUA_TSTRING) {
    double score = lua_tonumber(L, 3);
    int text = rh_known_text(state, lua_tostring(L, 4));
    if (text >= 0 && score >= 0 && score <= 100) {
      uint8_t answer[10] = {SHORT_ANSWER};
      memcpy(answer + 1, &score, sizeof score);
      answer[9] = (uint8_t)text;
      if (!rh_append(&state->result, answer, sizeof answer, state->limits.output))
        return luaL_error(L, "the result is larger than %I bytes", (lua_Integer)state->limits.output);
      return 0;
    }
  }
  // `score` may return any number of values: two are taken, and missing ones are nil.
  lua_settop(L, count > 2 ? 4 : 2);
  rh_encode_answer(L, 1);
  return 0;
}

// MARK: Functions that cannot run long

enum { LESS = 58, LESS_OR_EQUAL = 59, JUMP = 56, CALL = 68, TAIL_CALL = 69, FOR_LOOP = 73, FOR_LAST = 77 };  // lopcodes.h of Lua 5.4

/// Instructions of a function that compares by order, at most: each may look at two whole texts.
enum { MOST_COMPARISONS = 400 };

typedef struct {
  int cost, compares;
} running;

static void find_loops_and_calls(void *context, const rh_prototype *prototype) {
  running *found = context;
  if (prototype->parent) return;  // what is only made is not run
  found->cost = prototype->instructions;
  for (int i = 0; i < prototype->instructions; i++) {
    int opcode = rh_opcode(prototype, i);
    int is_backward = opcode == JUMP && (rh_instruction(prototype, i) >> 7) < (1u << 24) - 1;
    if (is_backward || opcode == CALL || opcode == TAIL_CALL || (opcode >= FOR_LOOP && opcode <= FOR_LAST)) found->cost = 0;
    if (opcode == LESS || opcode == LESS_OR_EQUAL) found->compares = 1;
    if (found->cost == 0) return;
  }
  if (found->compares && found->cost > MOST_COMPARISONS) found->cost = 0;
}

/// Instructions that a function executes at most, where it neither loops nor calls; else 0.
static int most_instructions(lua_State *L, int function) {
  running found = {0, 0};
  if (lua_iscfunction(L, function)) return 0;
  lua_pushvalue(L, function);
  rh_visit_prototypes(L, find_loops_and_calls, &found);
  lua_pop(L, 1);
  if (found.compares) rh_of(L)->watches_candidates = 1;
  return found.cost;
}

void rh_measure_placement(lua_State *L, int filter, int score) {
  rh_lua *state = rh_of(L);
  state->candidate_steps = 0;
  state->watches_candidates = 0;
  // A metatable of the author's can call where no instruction says so.
  if (state->has_metatables) return;
  int of_filter = filter ? most_instructions(L, filter) : 1, of_score = most_instructions(L, score);
  if (of_filter > 0 && of_score > 0) state->candidate_steps = of_filter + of_score;
}

// MARK: The loop

/// Puts the kept objects in the order of the slots, unless they are.
static void order(lua_State *L, const uint32_t *slots, size_t count) {
  rh_lua *state = rh_of(L);
  size_t length = count * sizeof *slots;
  if (state->ordered.length == length && (length == 0 || memcmp(state->ordered.data, slots, length) == 0)) {
    lua_rawgetp(L, LUA_REGISTRYINDEX, &RH_CANDIDATES);
    return;
  }
  state->ordered.length = 0;
  lua_createtable(L, (int)count, 0);
  lua_rawgetp(L, LUA_REGISTRYINDEX, &RH_KEPT);
  for (size_t i = 0; i < count; i++) {
    if (lua_rawgeti(L, -1, (lua_Integer)slots[i] + 1) != LUA_TTABLE) luaL_error(L, "a candidate was never sent");
    lua_rawseti(L, -3, (lua_Integer)i + 1);
  }
  lua_pop(L, 1);
  lua_pushvalue(L, -1);
  lua_rawsetp(L, LUA_REGISTRYINDEX, &RH_CANDIDATES);
  rh_append(&state->ordered, slots, length, SIZE_MAX);  // where memory is short, it is done again at the next call
}

void rh_ask_candidates(lua_State *L, int job, int filter, int score, const uint32_t *slots, size_t count) {
  lua_rawgetp(L, LUA_REGISTRYINDEX, &RH_DRIVER);
  if (filter)
    lua_pushvalue(L, filter);
  else
    lua_pushnil(L);
  lua_pushvalue(L, score);
  order(L, slots, count);
  lua_pushvalue(L, job);
  lua_pushcfunction(L, emit);
  rh_count_from_here(rh_of(L));
  // With the hook, the interpreter stops at each instruction to count it, which doubles its work. Where the most that can come is known
  // beforehand, and within the budget, that is charged instead.
  rh_lua *state = rh_of(L);
  int64_t most = state->candidate_steps * (int64_t)count;
  int is_known = state->candidate_steps > 0 && state->tracing == RH_TRACE_OFF && most < state->limits.steps - state->steps;
  if (is_known) {
    rh_charge(L, most);
    rh_pause_counting(state);
  }
  lua_call(L, 5, 0);
  if (is_known) rh_resume_counting(state);
}

void rh_prepare_placement(lua_State *L) {
  if (luaL_loadbufferx(L, driver, sizeof driver - 1, "=host", "t") != LUA_OK) lua_error(L);
  lua_rawsetp(L, LUA_REGISTRYINDEX, &RH_DRIVER);
}
