// Tables walked in a fixed order: the interpreter's own depends on addresses.
#include <stdlib.h>
#include <string.h>

#include "internal.h"

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
  int64_t work = 0;
  while (lua_next(L, index)) {
    lua_pop(L, 1);
    if (lua_type(L, -1) == LUA_TLIGHTUSERDATA) continue;  // the host's own mark
    if (lua_type(L, -1) == LUA_TSTRING) work += (int64_t)(lua_rawlen(L, -1) / 16);
    lua_pushvalue(L, -1);
    lua_rawseti(L, found, ++count);
  }
  rh_charge(L, count * 2 + work);
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
int rh_next_pair(lua_State *L) {
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
  rh_charge(L, 1);
  if (!rh_push_contents(L, 1)) lua_pushvalue(L, 1);
  rh_sorted_keys(L, 2);
  lua_pushinteger(L, 0);
  lua_pushcclosure(L, rh_next_pair, 3);
  return 1;
}
