// Read-only tables, and tables walked in a fixed order.
//
// A sealed table is empty but for one key that Lua code cannot name, under which the real table lies. Its metatable, shared by all of a
// kind and locked, reads from there and refuses to write. A field that the kind does not have is an error with a suggestion.
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

static int read_labels(lua_State *L) {
  if (!rh_push_backing(L, 1)) return luaL_error(L, "not a table of the host");
  if (lua_isinteger(L, 2)) {
    lua_rawgeti(L, -1, lua_tointeger(L, 2));
    return 1;
  }
  if (lua_type(L, 2) == LUA_TSTRING && strcmp(lua_tostring(L, 2), "has") == 0) {
    lua_pushcfunction(L, has_label);
    return 1;
  }
  return luaL_error(L, "labels have numbers and 'has': write labels:has(\"linux\")");
}

void rh_define_kind(lua_State *L, const char *kind) {
  int fields = lua_gettop(L);
  lua_rawgetp(L, LUA_REGISTRYINDEX, &RH_KINDS);
  lua_createtable(L, 0, 5);
  if (strcmp(kind, "labels") == 0) {
    lua_pushcfunction(L, read_labels);
  } else {
    lua_pushvalue(L, fields);
    lua_pushstring(L, kind);
    lua_pushcclosure(L, read_sealed, 2);
  }
  lua_setfield(L, -2, "__index");
  lua_pushstring(L, kind);
  lua_pushcclosure(L, refuse_write, 1);
  lua_setfield(L, -2, "__newindex");
  lua_pushcfunction(L, length_of_sealed);
  lua_setfield(L, -2, "__len");
  lua_pushliteral(L, "sealed");
  lua_setfield(L, -2, "__metatable");
  lua_pushstring(L, kind);
  lua_setfield(L, -2, "__name");
  lua_setfield(L, -2, kind);
  lua_settop(L, fields - 1);
}

void rh_seal(lua_State *L, const char *kind) {
  lua_createtable(L, 0, 1);
  lua_insert(L, -2);
  lua_rawsetp(L, -2, &RH_BACKING);
  lua_rawgetp(L, LUA_REGISTRYINDEX, &RH_KINDS);
  if (lua_getfield(L, -1, kind) != LUA_TTABLE) luaL_error(L, "unknown kind of input '%s'", kind);
  lua_remove(L, -2);
  lua_setmetatable(L, -2);
}

// MARK: Fixed order

typedef struct {
  int rank;  // 0 number, 1 text, 2 boolean
  lua_Number number;
  lua_Integer integer;
  const char *text;
  size_t length;
  lua_Integer slot;
} key;

static int compare_keys(const void *left, const void *right) {
  const key *a = left, *b = right;
  if (a->rank != b->rank) return a->rank - b->rank;
  if (a->rank == 1) {
    int order = memcmp(a->text, b->text, a->length < b->length ? a->length : b->length);
    return order ? order : (a->length > b->length) - (a->length < b->length);
  }
  if (a->number != b->number) return a->number < b->number ? -1 : 1;
  return (a->integer > b->integer) - (a->integer < b->integer);
}

lua_Integer rh_sorted_keys(lua_State *L, int index) {
  index = lua_absindex(L, index);
  luaL_checkstack(L, 6, "keys");
  lua_newtable(L);
  int found = lua_gettop(L);
  lua_Integer count = 0;
  lua_pushnil(L);
  while (lua_next(L, index)) {
    lua_pop(L, 1);
    lua_pushvalue(L, -1);
    lua_rawseti(L, found, ++count);
  }
  rh_charge(L, count * 2);
  key *keys = lua_newuserdatauv(L, (size_t)count * sizeof *keys, 0);
  for (lua_Integer i = 0; i < count; i++) {
    lua_rawgeti(L, found, i + 1);
    key item = {.slot = i + 1};
    switch (lua_type(L, -1)) {
      case LUA_TNUMBER:
        item.number = lua_tonumber(L, -1);
        item.integer = lua_isinteger(L, -1) ? lua_tointeger(L, -1) : 0;
        break;
      case LUA_TSTRING:
        item.rank = 1;
        item.text = lua_tolstring(L, -1, &item.length);  // anchored by `found`
        break;
      case LUA_TBOOLEAN:
        item.rank = 2;
        item.number = lua_toboolean(L, -1);
        break;
      default: luaL_error(L, "a %s as key has no order: use numbers, text or booleans", luaL_typename(L, -1));
    }
    keys[i] = item;
    lua_pop(L, 1);
  }
  qsort(keys, (size_t)count, sizeof *keys, compare_keys);
  lua_createtable(L, (int)count, 0);
  for (lua_Integer i = 0; i < count; i++) {
    lua_rawgeti(L, found, keys[i].slot);
    lua_rawseti(L, -2, i + 1);
  }
  lua_replace(L, found);
  lua_settop(L, found);
  return count;
}

/// Upvalues: table, keys in order, place. Keys whose value went away meanwhile are left out.
static int next_pair(lua_State *L) {
  lua_Integer place = lua_tointeger(L, lua_upvalueindex(3));
  for (;;) {
    place++;
    lua_settop(L, 0);
    if (lua_rawgeti(L, lua_upvalueindex(2), place) == LUA_TNIL) return 1;
    lua_pushvalue(L, 1);
    if (lua_rawget(L, lua_upvalueindex(1)) != LUA_TNIL) break;
  }
  lua_pushinteger(L, place);
  lua_replace(L, lua_upvalueindex(3));
  return 2;
}

int rh_pairs(lua_State *L) {
  luaL_checktype(L, 1, LUA_TTABLE);
  lua_settop(L, 1);
  if (!rh_push_backing(L, 1)) lua_pushvalue(L, 1);
  rh_sorted_keys(L, 2);
  lua_pushinteger(L, 0);
  lua_pushcclosure(L, next_pair, 3);
  return 1;
}
