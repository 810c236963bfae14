// Input objects that stay in the state between calls, so that a call sends only what changed since the last one, and of that only what
// policies read.
//
// An object is kept under a slot that the host chose, its parts where they are in it. It is the same table in each call, with other contents
// where the host says so. No policy can tell: it keeps nothing between calls (frozen.c), and what it sees is read-only.
//
// Of each kind those fields are sent that a file of the state names anywhere. A field that is read all the same, by a name that was put
// together or by `pairs`, ends the call, and the host makes it again with that field: since the same input gives the same output, nothing
// shows of the first attempt.
//
// A span, such as `age_seconds`, is kept as the moment it counts from, under a mark that Lua code cannot name, and is reckoned where it is
// read: an unchanged container is then unchanged, however late it is.
#include <stdlib.h>
#include <string.h>

#include "internal.h"

enum { LARGEST_SLOT = 1 << 20 };

/// Marks of the moments, one for each number of a field.
static const char moments[64];

// MARK: Kinds

void rh_define_inputs(lua_State *L, int kinds) {
  rh_lua *state = rh_of(L);
  size_t count = (size_t)rh_sorted_keys(L, kinds);
  int names = lua_gettop(L);
  state->kinds = calloc(count > 0 ? count : 1, sizeof *state->kinds);
  if (!state->kinds) luaL_error(L, "no memory for the kinds of inputs");
  for (size_t number = 0; number < count; number++) {
    lua_rawgeti(L, names, (lua_Integer)number + 1);
    lua_pushvalue(L, -1);
    lua_rawget(L, kinds);
    luaL_checktype(L, -1, LUA_TTABLE);
    rh_define_kind(L, lua_tostring(L, -2), &state->kinds[number]);
    lua_pop(L, 1);
  }
  state->kind_count = count;
  lua_pop(L, 1);
}

rh_kind *rh_kind_named(lua_State *L, const char *name) {
  rh_lua *state = rh_of(L);
  for (size_t number = 0; number < state->kind_count; number++)
    if (strcmp(state->kinds[number].name, name) == 0) return &state->kinds[number];
  return NULL;
}

static void note_field(lua_State *L, const char *text, size_t length) {
  rh_lua *state = rh_of(L);
  lua_pushlstring(L, text, length);
  for (size_t number = 0; number < state->kind_count; number++) {
    rh_kind *kind = &state->kinds[number];
    rh_push_fields(L, kind);
    lua_pushvalue(L, -2);
    if (lua_rawget(L, -2) != LUA_TNIL) kind->wanted |= UINT64_C(1) << lua_tointeger(L, -1);
    lua_pop(L, 2);
  }
  lua_pop(L, 1);
}

void rh_note_fields(lua_State *L) {
  luaL_checkstack(L, 8, "names of fields");
  rh_visit_texts(L, note_field);
}

int rh_want(lua_State *L, rh_kind *kind, uint64_t fields) {
  kind->wanted |= fields;
  return rh_stop(L, RH_UNSENT_FIELD);
}

void rh_push_fields(lua_State *L, rh_kind *kind) { lua_rawgetp(L, LUA_REGISTRYINDEX, kind); }

// MARK: Objects

void rh_push_kept(lua_State *L, uint32_t slot) {
  lua_rawgetp(L, LUA_REGISTRYINDEX, &RH_KEPT);
  lua_rawgeti(L, -1, (lua_Integer)slot + 1);
  lua_remove(L, -2);
}

void rh_keep(lua_State *L, uint32_t slot) {
  if (slot > LARGEST_SLOT) luaL_error(L, "slot %d is none", (int)slot);
  lua_rawgetp(L, LUA_REGISTRYINDEX, &RH_KEPT);
  lua_pushvalue(L, -2);
  lua_rawseti(L, -2, (lua_Integer)slot + 1);
  lua_pop(L, 1);
}

/// The kind of a table that is kept, by its backing; else NULL.
static rh_kind *kind_of(lua_State *L, int backing) {
  lua_rawgetp(L, backing, &RH_KIND);
  rh_kind *kind = lua_touserdata(L, -1);
  lua_pop(L, 1);
  return kind;
}

void rh_become(lua_State *L, rh_kind *kind) {
  luaL_checkstack(L, 12, "input");
  if (rh_push_backing(L, -1)) {
    rh_kind *present = kind_of(L, -1);
    lua_pop(L, 1);
    if (present == kind) return;
  }
  lua_pop(L, 1);
  lua_newtable(L);
  rh_seal_to_stay(L, kind->name);
  rh_of(L)->ordered.length = 0;  // it may take the place of a candidate
}

void rh_forget_kept(lua_State *L) {
  const void *const emptied[] = {&RH_KEPT, &RH_LABEL_SETS, &RH_CANDIDATES, &RH_POINTS, &RH_REASONS};
  for (size_t i = 0; i < sizeof emptied / sizeof *emptied; i++) {
    lua_newtable(L);
    lua_rawsetp(L, LUA_REGISTRYINDEX, emptied[i]);
  }
  rh_of(L)->label_sets = 0;
  rh_of(L)->ordered.length = 0;
  rh_of(L)->answers = 0;
}

// MARK: Spans

void rh_keep_moment(lua_State *L, int backing, rh_kind *kind, int field, double moment) {
  kind->spans |= UINT64_C(1) << field;
  lua_pushnumber(L, moment);
  lua_rawsetp(L, backing, &moments[field & 63]);
}

int rh_push_span(lua_State *L, int backing, int field) {
  if (lua_rawgetp(L, backing, &moments[field & 63]) != LUA_TNUMBER) {
    lua_pop(L, 1);
    return 0;
  }
  double span = rh_of(L)->turn - lua_tonumber(L, -1);
  lua_pop(L, 1);
  lua_pushnumber(L, span > 0 ? span : 0);
  return 1;
}

/// Replaces the backing on top by a copy that has the spans of its kind as well, where it has any.
static void add_spans(lua_State *L, rh_kind *kind) {
  int backing = lua_gettop(L);
  lua_newtable(L);
  int copy = lua_gettop(L);
  lua_pushnil(L);
  while (lua_next(L, backing)) {
    lua_pushvalue(L, -2);
    lua_insert(L, -2);
    lua_rawset(L, copy);
  }
  rh_push_fields(L, kind);
  for (int field = 0; field < 64; field++) {
    if (!(kind->spans >> field & 1) || !rh_push_span(L, backing, field)) continue;
    lua_rawgeti(L, copy + 1, field + 1);
    lua_insert(L, -2);
    lua_rawset(L, copy);
  }
  lua_settop(L, copy);
  lua_replace(L, backing);
  lua_settop(L, backing);
}

int rh_push_contents(lua_State *L, int index) {
  if (!rh_push_backing(L, index)) return 0;
  rh_kind *kind = kind_of(L, -1);
  if (!kind) return 1;
  luaL_checkstack(L, 8, "input");
  if (kind->wanted != kind->all) rh_want(L, kind, kind->all);
  if (kind->spans) add_spans(L, kind);
  return 1;
}
