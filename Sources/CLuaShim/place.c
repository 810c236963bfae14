// Filtering and scoring of many candidates.
//
// The loop is Lua of the host's own: from Lua to Lua a call costs a third of one through C. Its answers lie in two tables of the host, from
// which they are written when all are asked: in most cases a score and a reason that was given before, for which there is a short form.
#include <string.h>

#include "internal.h"

/// Short forms. What has been read once as a reason needs no second look.
enum {
  /// A score from 0 to 100 (8 bytes) with a reason that the result holds already (its number, a byte), of a candidate that was let through
  /// without a reason.
  SCORED = 0xF0,
  /// Filtered out for a reason that the result holds already (its number, a byte).
  REFUSED = 0xF1,
};

/// Marks in the tables of answers: in place of a score, of what was filtered out; in place of a reason, of what has another shape.
static const char refused, other;

static const char driver[] =
  "local filter, score, candidates, job, points, reasons, refused, other, surplus, watch = ...\n"
  "for i = 1, #candidates do\n"
  "  local candidate = candidates[i]\n"
  "  local allowed, why, more = true\n"
  "  if filter then allowed, why, more = filter(job, candidate) end\n"
  "  if more then surplus('filter', more) end\n"
  // Only `true` is asked for a score; what is neither true nor false is shown to the host, which refuses it.
  "  if allowed == true then\n"
  "    local value, reason, more = score(job, candidate)\n"
  "    if more then surplus('score', more) end\n"
  "    if why == nil then points[i], reasons[i] = value, reason else other(i, true, why, value, reason) end\n"
  "  elseif allowed == false then points[i], reasons[i] = refused, why\n"
  "  else other(i, allowed, why) end\n"
  "  if watch then watch() end\n"
  "end\n";

/// `other(place, …)`: keeps an answer as it is.
static int keep_answer(lua_State *L) {
  int count = lua_gettop(L) - 1;
  lua_Integer place = lua_tointeger(L, 1);
  lua_createtable(L, count, 0);
  lua_replace(L, 1);
  for (int i = count; i > 0; i--) lua_rawseti(L, 1, i);
  lua_pushinteger(L, count);
  lua_rawseti(L, 1, 0);
  lua_rawgetp(L, LUA_REGISTRYINDEX, &RH_POINTS);
  lua_insert(L, 1);
  lua_rawseti(L, 1, place);
  lua_rawgetp(L, LUA_REGISTRYINDEX, &RH_REASONS);
  lua_pushlightuserdata(L, (void *)&other);
  lua_rawseti(L, -2, place);
  return 0;
}

/// `surplus(function, value)`: a value too many is a slip of the pen, and would be lost.
static int refuse_surplus(lua_State *L) {
  rh_push_text(L, 2);
  lua_pushfstring(L, "affinity.%s returned a third value, %s: expected %s and a reason", lua_tostring(L, 1), lua_tostring(L, -1),
    strcmp(lua_tostring(L, 1), "score") == 0 ? "a number from 0 to 100" : "true or false");
  return lua_error(L);
}

static int watch(lua_State *L) {
  rh_check_time(L);
  return 0;
}

// MARK: Answers

static void write_short(lua_State *L, const void *answer, size_t length) {
  rh_lua *state = rh_of(L);
  if (!rh_append(&state->result, answer, length, state->limits.output))
    luaL_error(L, "the result is larger than %I bytes", (lua_Integer)state->limits.output);
}

/// Of other than the most common shape: the two values from `first` on.
static void write_uncommon(lua_State *L, int first) {
  if (lua_touserdata(L, first + 1) == &other) {
    lua_rawgeti(L, first, 0);
    int count = (int)lua_tointeger(L, -1);
    lua_pop(L, 1);
    for (int i = 1; i <= count; i++) lua_rawgeti(L, first, i);
    rh_encode_answer(L, first + 2, count);
  } else if (lua_touserdata(L, first) == &refused) {
    int number = lua_type(L, first + 1) == LUA_TSTRING ? rh_known_text(rh_of(L), lua_tostring(L, first + 1)) : -1;
    if (number >= 0) return write_short(L, (uint8_t[]){REFUSED, (uint8_t)number}, 2);
    lua_pushboolean(L, 0);
    lua_replace(L, first);
    rh_encode_answer(L, first, 2);
  } else {
    lua_pushboolean(L, 1);
    lua_pushnil(L);
    lua_rotate(L, first, 2);
    rh_encode_answer(L, first, 4);
  }
}

/// Writes all answers; the most common shape without leaving the loop.
static void write_answers(lua_State *L, int points, int reasons, size_t count) {
  rh_lua *state = rh_of(L);
  int top = lua_gettop(L), number = -1;
  const char *known = NULL;  // the reason with that number
  for (size_t i = 1; i <= count; i++) {
    // Popped now and then: a call for each answer adds up.
    if (i % 8 == 1) lua_settop(L, top);
    int is_scored = lua_rawgeti(L, points, (lua_Integer)i) == LUA_TNUMBER;
    if (lua_rawgeti(L, reasons, (lua_Integer)i) == LUA_TSTRING && is_scored) {
      const char *reason = lua_tostring(L, -1);
      double score = lua_tonumber(L, -2);
      if (reason != known) {
        number = rh_known_text(state, reason);
        known = number >= 0 ? reason : NULL;
      }
      if (known && score >= 0 && score <= 100) {
        uint8_t answer[10] = {SCORED};
        memcpy(answer + 1, &score, sizeof score);
        answer[9] = (uint8_t)number;
        if (state->result.capacity - state->result.length >= sizeof answer && state->result.length + sizeof answer <= state->limits.output) {
          memcpy(state->result.data + state->result.length, answer, sizeof answer);
          state->result.length += sizeof answer;
        } else {
          write_short(L, answer, sizeof answer);
        }
        continue;
      }
    }
    write_uncommon(L, lua_gettop(L) - 1);
    lua_settop(L, top);
  }
  lua_settop(L, top);
}

/// Pushes the two tables of answers, with room for as many.
static void push_answers(lua_State *L, size_t count) {
  rh_lua *state = rh_of(L);
  const void *const tables[] = {&RH_POINTS, &RH_REASONS};
  for (int i = 0; i < 2; i++) {
    if (count > state->answers) {
      lua_createtable(L, (int)count, 0);
      lua_pushvalue(L, -1);
      lua_rawsetp(L, LUA_REGISTRYINDEX, tables[i]);
    } else {
      lua_rawgetp(L, LUA_REGISTRYINDEX, tables[i]);
    }
  }
  if (count > state->answers) state->answers = count;
}

void rh_measure_placement(lua_State *L, int filter, int score) {
  rh_lua *state = rh_of(L);
  state->candidate_steps = state->watches_candidates = state->only_reads = 0;
  // A metatable of the author's can call where no instruction says so.
  if (state->has_metatables) return;
  rh_kind *const parameters[] = {rh_kind_named(L, "job"), rh_kind_named(L, "container")};
  rh_foreseen of_score = rh_foresee(L, score, parameters), of_filter = {.steps = 1, .only_reads = 1};
  if (filter) of_filter = rh_foresee(L, filter, parameters);
  if (of_filter.steps > 0 && of_score.steps > 0) state->candidate_steps = of_filter.steps + of_score.steps;
  state->watches_candidates = of_filter.compares || of_score.compares;
  state->only_reads = of_filter.only_reads && of_score.only_reads;
  state->candidate_fields = of_filter.fields[1] | of_score.fields[1];
}

// MARK: The loop

/// Whether candidates and job can be given without the views that guard them: they are read in half the time then. What is read of a candidate
/// is known to be a field, and lies in its table unless this one does not fill it.
static int gives_contents(lua_State *L) {
  rh_lua *state = rh_of(L);
  const rh_kind *kind = rh_kind_named(L, "container");
  return state->only_reads && kind && !(state->candidate_fields & (kind->spans | ~kind->wanted));
}

/// Puts the kept objects in the order of the slots, unless they are.
static void order(lua_State *L, const uint32_t *slots, size_t count) {
  rh_lua *state = rh_of(L);
  size_t length = count * sizeof *slots;
  if (state->ordered.length == length && (length == 0 || memcmp(state->ordered.data, slots, length) == 0)) {
    lua_rawgetp(L, LUA_REGISTRYINDEX, &RH_CANDIDATES);
    return;
  }
  state->ordered.length = 0;
  int is_open = gives_contents(L);
  lua_createtable(L, (int)count, 0);
  lua_rawgetp(L, LUA_REGISTRYINDEX, &RH_KEPT);
  for (size_t i = 0; i < count; i++) {
    if (lua_rawgeti(L, -1, (lua_Integer)slots[i] + 1) != LUA_TTABLE) luaL_error(L, "a candidate was never sent");
    if (is_open && rh_push_backing(L, -1)) {
      lua_pushnil(L);
      lua_setmetatable(L, -2);
      lua_remove(L, -2);
    }
    lua_rawseti(L, -3, (lua_Integer)i + 1);
  }
  lua_pop(L, 1);
  lua_pushvalue(L, -1);
  lua_rawsetp(L, LUA_REGISTRYINDEX, &RH_CANDIDATES);
  rh_append(&state->ordered, slots, length, SIZE_MAX);  // where memory is short, it is done again at the next call
}

void rh_ask_candidates(lua_State *L, int job, int filter, int score, const uint32_t *slots, size_t count) {
  rh_lua *state = rh_of(L);
  luaL_checkstack(L, 48, "candidates");
  push_answers(L, count);
  int points = lua_gettop(L) - 1, reasons = points + 1;
  lua_rawgetp(L, LUA_REGISTRYINDEX, &RH_DRIVER);
  if (filter)
    lua_pushvalue(L, filter);
  else
    lua_pushnil(L);
  lua_pushvalue(L, score);
  order(L, slots, count);
  if (!gives_contents(L) || !rh_push_backing(L, job)) lua_pushvalue(L, job);
  lua_pushvalue(L, points);
  lua_pushvalue(L, reasons);
  lua_pushlightuserdata(L, (void *)&refused);
  lua_pushcfunction(L, keep_answer);
  lua_pushcfunction(L, refuse_surplus);
  if (state->watches_candidates)
    lua_pushcfunction(L, watch);
  else
    lua_pushnil(L);
  rh_count_from_here(state);
  // With the hook, the interpreter stops at each instruction to count it, which doubles its work. Where the most that can come is known
  // beforehand, and within the budget, that is charged instead.
  int64_t most = state->candidate_steps * (int64_t)count;
  int is_known = state->candidate_steps > 0 && state->tracing == RH_TRACE_OFF && most < state->limits.steps - state->steps;
  if (is_known) {
    rh_charge(L, most);
    rh_pause_counting(state);
  }
  lua_call(L, 10, 0);
  write_answers(L, points, reasons, count);
  if (is_known) rh_resume_counting(state);
  lua_settop(L, points - 1);
}

void rh_prepare_placement(lua_State *L) {
  if (luaL_loadbufferx(L, driver, sizeof driver - 1, "=host", "t") != LUA_OK) lua_error(L);
  lua_rawsetp(L, LUA_REGISTRYINDEX, &RH_DRIVER);
}
