// What one call may use: memory by a capped allocator, work by the count hook and by charges, and wall time as a backstop.
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "internal.h"

enum { HOOK_INTERVAL = 100, RESERVE = 64 << 10, MOST_GARBAGE = 512 << 10, HOST_MEMORY = 64 << 20, LONGEST_TEXT = (1 << 20) + 128 };

const char RH_MEMORY_BREACH[] = "memory limit reached", RH_UNSENT_FIELD[] = "a field was read that was not sent";

static int64_t now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (int64_t)time.tv_sec * 1000000000 + time.tv_nsec;
}

void *rh_allocate(void *context, void *block, size_t old, size_t wanted) {
  rh_lua *state = context;
  // Without a block, `old` says what kind of object is made. Texts are bounded, since one instruction may look at all of one.
  int is_text_too_long = !block && old == LUA_TSTRING && wanted > LONGEST_TEXT;
  if (!block) old = 0;
  if (wanted == 0) {
    free(block);
    state->used -= old;
    return NULL;
  }
  if (wanted > old) {
    size_t growth = wanted - old;
    // Once the budget is gone, what is still needed to say so.
    size_t ceiling = state->ceiling + (state->exhausted ? RESERVE : 0);
    const char *breach = NULL;
    if (is_text_too_long || state->used > ceiling || growth > ceiling - state->used)
      breach = RH_MEMORY_BREACH;
    else if (!state->exhausted && (growth > state->limits.churn || state->churned > state->limits.churn - growth))
      breach = "allocation budget used up";
    if (breach) {
      if (!state->exhausted) state->exhausted = breach;
      return NULL;
    }
    state->churned += growth;
  }
  void *moved = realloc(block, wanted);
  if (moved) state->used += wanted - old;  // modular: also right when it shrinks
  return moved;
}

rh_lua *rh_of(lua_State *L) {
  void *context;
  lua_getallocf(L, &context);
  return context;
}

int rh_raise_exhausted(lua_State *L) { return luaL_error(L, "%s", rh_of(L)->exhausted); }

static void set_hook(lua_State *L, int interval);

static void check_budget(lua_State *L, rh_lua *state) {
  if (!state->exhausted) {
    if (state->steps > state->limits.steps)
      state->exhausted = "instruction budget used up";
    else if (now() > state->deadline)
      state->exhausted = "time limit reached";
  }
  if (!state->exhausted) return;
  // From now on each instruction raises: what unwinds, closing variables above all, does nothing of its own any more.
  set_hook(L, 1);
  rh_raise_exhausted(L);
}

/// Counts instructions; and lines, where they are traced.
static void hook(lua_State *L, lua_Debug *event) {
  rh_lua *state = rh_of(L);
  if (event->event == LUA_HOOKLINE) {
    rh_trace_line(L, event);
    return;
  }
  state->steps += HOOK_INTERVAL;
  check_budget(L, state);
}

static void set_hook(lua_State *L, int interval) {
  int lines = rh_of(L)->tracing == RH_TRACE_OFF ? 0 : LUA_MASKLINE;
  lua_sethook(L, hook, LUA_MASKCOUNT | lines, interval);
}

void rh_begin(rh_lua *state) {
  state->steps = 0;
  state->steps_traced = 0;
  state->exhausted = NULL;
  state->deadline = now() + state->limits.nanoseconds;
  rh_count_from_here(state);
  if (state->L) set_hook(state->L, HOOK_INTERVAL);
}

void rh_count_from_here(rh_lua *state) {
  state->churned = 0;
  state->ceiling = state->used + state->limits.memory;
}

void rh_count_for_host(rh_lua *state) {
  state->churned = 0;
  state->ceiling = state->used + HOST_MEMORY;
}

void rh_collect(lua_State *L) {
  rh_lua *state = rh_of(L);
  if (state->used < state->floor + MOST_GARBAGE) return;
  lua_gc(L, LUA_GCCOLLECT);
  state->floor = state->used;
}

int rh_stop(lua_State *L, const char *cause) {
  rh_of(L)->exhausted = cause;
  set_hook(L, 1);
  return rh_raise_exhausted(L);
}

void rh_check_time(lua_State *L) {
  if (now() > rh_of(L)->deadline) rh_stop(L, "time limit reached");
}

void rh_pause_counting(rh_lua *state) { lua_sethook(state->L, NULL, 0, 0); }

void rh_resume_counting(rh_lua *state) { set_hook(state->L, HOOK_INTERVAL); }

void rh_end(rh_lua *state) { lua_sethook(state->L, NULL, 0, 0); }

void rh_charge(lua_State *L, int64_t work) {
  rh_lua *state = rh_of(L);
  const int64_t most = INT64_C(1) << 40;
  int64_t before = state->steps;
  state->steps += work < 0 ? 0 : work > most ? most : work;
  // Reading the clock at each charge would cost more than most charges.
  if (state->exhausted || state->steps > state->limits.steps || (before >> 12) != (state->steps >> 12)) check_budget(L, state);
}

int rh_append(rh_bytes *bytes, const void *data, size_t length, size_t limit) {
  if (length > limit || bytes->length > limit - length) return 0;
  size_t needed = bytes->length + length;
  if (needed > bytes->capacity) {
    size_t capacity = needed < 256 ? 256 : needed * 2;
    uint8_t *grown = realloc(bytes->data, capacity);
    if (!grown) return 0;
    bytes->data = grown;
    bytes->capacity = capacity;
  }
  if (length > 0) memcpy(bytes->data + bytes->length, data, length);
  bytes->length = needed;
  return 1;
}

