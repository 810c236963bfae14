// Read-only tables.
//
// A sealed table is empty but for one key that Lua code cannot name, under which the real table lies, its backing. Its metatable is locked,
// reads from there and refuses to write. A field that its kind does not have is an error with a suggestion.
//
// Where a table lives for one call, its metatable is shared by all of its kind, and a field costs a call of C. Where it stays, it has one of
// its own, by which the interpreter finds a field without leaving Lua; only what is missing asks C.
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "internal.h"

int rh_push_backing(lua_State *L, int index) {
  if (!lua_istable(L, index)) return 0;
  if (lua_rawgetp(L, index, &RH_BACKING) == LUA_TTABLE) return 1;
  lua_pop(L, 1);
  return 0;
}

enum { NAME_LIMIT = 48 };

static size_t distance(const char *a, const char *b) {
  size_t lengths[2] = {strlen(a), strlen(b)};
  if (lengths[0] > NAME_LIMIT || lengths[1] > NAME_LIMIT) return NAME_LIMIT;
  size_t row[NAME_LIMIT + 1];
  for (size_t j = 0; j <= lengths[1]; j++) row[j] = j;
  for (size_t i = 1; i <= lengths[0]; i++) {
    size_t diagonal = row[0];
    row[0] = i;
    for (size_t j = 1; j <= lengths[1]; j++) {
      size_t best = diagonal + (tolower((unsigned char)a[i - 1]) != tolower((unsigned char)b[j - 1]));
      if (row[j] + 1 < best) best = row[j] + 1;
      if (row[j - 1] + 1 < best) best = row[j - 1] + 1;
      diagonal = row[j];
      row[j] = best;
    }
  }
  return row[lengths[1]];
}

const char *rh_nearest(lua_State *L, int index, const char *wanted) {
  index = lua_absindex(L, index);
  const char *nearest = NULL;
  size_t best = strlen(wanted) / 3 + 1;  // further away it is another word, not a slip
  lua_pushnil(L);
  while (lua_next(L, index)) {
    lua_pop(L, 1);
    if (lua_type(L, -1) != LUA_TSTRING) continue;
    const char *name = lua_tostring(L, -1);
    size_t found = distance(wanted, name);
    if (found < best || (found == best && nearest && strcmp(name, nearest) < 0) || (found == best && !nearest)) {
      best = found;
      nearest = name;
    }
  }
  return nearest;
}

static int unknown_field(lua_State *L, const char *kind, int fields) {
  if (lua_type(L, 2) != LUA_TSTRING) return luaL_error(L, "%s has named fields only, and was asked for a %s", kind, luaL_typename(L, 2));
  const char *name = lua_tostring(L, 2);
  const char *nearest = rh_nearest(L, fields, name);
  if (nearest) return luaL_error(L, "unknown field '%s.%s' – did you mean '%s.%s'?", kind, name, kind, nearest);
  return luaL_error(L, "unknown field '%s.%s'", kind, name);
}

/// Upvalues: fields of the kind or nil, name of the kind.
static int read_sealed(lua_State *L) {
  if (!rh_push_backing(L, 1)) return luaL_error(L, "not a table of the host");
  lua_pushvalue(L, 2);
  if (lua_rawget(L, -2) != LUA_TNIL) return 1;
  if (lua_isnil(L, lua_upvalueindex(1))) return 1;
  lua_pushvalue(L, 2);
  if (lua_isnil(L, 2) || lua_rawget(L, lua_upvalueindex(1)) == LUA_TNIL)
    return unknown_field(L, lua_tostring(L, lua_upvalueindex(2)), lua_upvalueindex(1));
  lua_pushnil(L);  // a field that this object does not fill
  return 1;
}

static int refuse_write(lua_State *L) {
  return luaL_error(L, "%s is read-only", lua_tostring(L, lua_upvalueindex(1)));
}

static int length_of_sealed(lua_State *L) {
  if (!rh_push_backing(L, 1)) return luaL_error(L, "not a table of the host");
  lua_pushinteger(L, (lua_Integer)lua_rawlen(L, -1));
  return 1;
}

/// `labels:has(name)`: GitHub compares labels without case.
static int has_label(lua_State *L) {
  lua_settop(L, 2);
  if (!rh_push_backing(L, 1)) return luaL_error(L, "write labels:has(name), with a colon");
  size_t wanted_length;
  const char *wanted = luaL_checklstring(L, 2, &wanted_length);
  lua_Integer count = (lua_Integer)lua_rawlen(L, 3);
  rh_charge(L, count);
  for (lua_Integer i = 1; i <= count; i++) {
    lua_rawgeti(L, 3, i);
    size_t length;
    const char *label = lua_tolstring(L, -1, &length);
    int same = label && length == wanted_length;
    for (size_t j = 0; same && j < length; j++) same = tolower((unsigned char)label[j]) == tolower((unsigned char)wanted[j]);
    if (same) {
      lua_pushboolean(L, 1);
      return 1;
    }
    lua_pop(L, 1);
  }
  lua_pushboolean(L, 0);
  return 1;
}

/// Reached for what is neither among the labels nor `has`.
static int read_other_label(lua_State *L) {
  if (!lua_isinteger(L, 2)) return luaL_error(L, "labels have numbers and 'has': write labels:has(\"linux\")");
  lua_pushnil(L);
  return 1;
}

/// Reached for what a backing does not hold: often a field that this object does not fill. Upvalues: the fields of the kind, its name, and
/// the kind itself where it is an input's.
static int read_missing(lua_State *L) {
  lua_pushvalue(L, 2);
  if (lua_type(L, 2) != LUA_TSTRING || lua_rawget(L, lua_upvalueindex(1)) == LUA_TNIL)
    return unknown_field(L, lua_tostring(L, lua_upvalueindex(2)), lua_upvalueindex(1));
  rh_kind *kind = lua_touserdata(L, lua_upvalueindex(3));
  if (!kind) return 0;
  int field = (int)lua_tointeger(L, -1);
  uint64_t bit = UINT64_C(1) << (field & 63);
  if (!(kind->wanted & bit)) return rh_want(L, kind, bit);
  return kind->spans & bit ? rh_push_span(L, 1, field) : 0;
}

static void push_label_methods(lua_State *L) {
  lua_createtable(L, 0, 1);
  lua_pushcfunction(L, has_label);
  lua_setfield(L, -2, "has");
  lua_createtable(L, 0, 1);
  lua_pushcfunction(L, read_other_label);
  lua_setfield(L, -2, "__index");
  lua_setmetatable(L, -2);
}

/// Pushes the metatable of backings of a kind. The fields of an input's kind are noted for `rh_push_fields`.
static void push_missing(lua_State *L, const char *kind, int fields, rh_kind *input) {
  lua_createtable(L, 0, 2);
  int metatable = lua_gettop(L);
  lua_pushstring(L, kind);
  lua_setfield(L, metatable, "__name");
  if (!lua_istable(L, fields)) {
    push_label_methods(L);
  } else {
    lua_Integer count = rh_sorted_keys(L, fields);
    if (input && count > 64) luaL_error(L, "a %s has %d fields: 64 are possible", kind, (int)count);
    for (lua_Integer field = 0; field < count; field++) {
      lua_rawgeti(L, -1, field + 1);
      lua_pushinteger(L, field);
      lua_rawset(L, -3);
    }
    if (input) {
      input->all = count == 64 ? UINT64_MAX : (UINT64_C(1) << count) - 1;
      lua_pushvalue(L, -1);
      lua_rawsetp(L, LUA_REGISTRYINDEX, input);
    }
    lua_pushstring(L, kind);
    lua_pushlightuserdata(L, input);
    lua_pushcclosure(L, read_missing, 3);
  }
  lua_setfield(L, metatable, "__index");
}

void rh_define_kind(lua_State *L, const char *kind, rh_kind *input) {
  int fields = lua_gettop(L);
  lua_rawgetp(L, LUA_REGISTRYINDEX, &RH_KINDS);
  lua_createtable(L, 0, 8);
  lua_pushvalue(L, fields);
  lua_pushstring(L, kind);
  lua_pushcclosure(L, read_sealed, 2);
  lua_setfield(L, -2, "__index");
  lua_pushstring(L, kind);
  lua_pushcclosure(L, refuse_write, 1);
  lua_setfield(L, -2, "__newindex");
  lua_pushcfunction(L, length_of_sealed);
  lua_setfield(L, -2, "__len");
  lua_pushliteral(L, "sealed");
  lua_setfield(L, -2, "__metatable");
  lua_pushstring(L, kind);
  if (input) input->name = lua_tostring(L, -1);
  lua_setfield(L, -2, "__name");
  if (input) {
    lua_pushlightuserdata(L, input);
    lua_rawsetp(L, -2, &RH_KIND);
  }
  if (lua_istable(L, fields) || strcmp(kind, "labels") == 0) {
    push_missing(L, kind, fields, input);
    lua_rawsetp(L, -2, &RH_MISSING);
  }
  lua_setfield(L, -2, kind);
  lua_settop(L, fields - 1);
}

void rh_push_kind(lua_State *L, const char *kind) {
  lua_rawgetp(L, LUA_REGISTRYINDEX, &RH_KINDS);
  if (lua_getfield(L, -1, kind) != LUA_TTABLE) luaL_error(L, "unknown kind of input '%s'", kind);
  lua_remove(L, -2);
}

void rh_seal(lua_State *L, const char *kind) {
  if (strcmp(kind, "labels") == 0) {
    rh_seal_to_stay(L, kind);
    return;
  }
  lua_createtable(L, 0, 1);
  lua_insert(L, -2);
  lua_rawsetp(L, -2, &RH_BACKING);
  rh_push_kind(L, kind);
  lua_setmetatable(L, -2);
}

void rh_seal_to_stay(lua_State *L, const char *kind) {
  luaL_checkstack(L, 6, "input");
  int backing = lua_gettop(L);
  lua_createtable(L, 0, 1);
  lua_pushvalue(L, backing);
  lua_rawsetp(L, -2, &RH_BACKING);
  rh_push_kind(L, kind);
  lua_createtable(L, 0, 5);  // backing, sealed, kind, metatable
  lua_pushvalue(L, backing);
  lua_setfield(L, -2, "__index");
  static const char *const shared[] = {"__newindex", "__len", "__metatable", "__name"};
  for (int i = 0; i < 4; i++) {
    lua_getfield(L, backing + 2, shared[i]);
    lua_setfield(L, -2, shared[i]);
  }
  lua_setmetatable(L, backing + 1);
  lua_rawgetp(L, backing + 2, &RH_KIND);
  lua_rawsetp(L, backing, &RH_KIND);
  if (lua_rawgetp(L, backing + 2, &RH_MISSING) == LUA_TTABLE) lua_setmetatable(L, backing);
  lua_settop(L, backing + 1);
  lua_remove(L, backing);
}
