// `table` for policies: the library's own functions behind a charge for the elements they touch, and a sort that is stable.
//
// They take plain tables and the host's read-only ones. A table with a metatable of the policy could give another length at each
// question, so that no charge made beforehand would hold.
#include "internal.h"

static void check_table(lua_State *L, int index) {
  luaL_checktype(L, index, LUA_TTABLE);
  if (rh_push_backing(L, index)) {
    lua_pop(L, 1);
  } else if (lua_getmetatable(L, index)) {
    luaL_argerror(L, index, "a table with a metatable is not taken");
  }
}

static lua_Integer length(lua_State *L, int index) {
  check_table(L, index);
  if (!rh_push_backing(L, index)) return (lua_Integer)lua_rawlen(L, index);
  lua_Integer count = (lua_Integer)lua_rawlen(L, -1);
  lua_pop(L, 1);
  return count;
}

static int original(lua_State *L) { return lua_tocfunction(L, lua_upvalueindex(1))(L); }

/// first…last as a count, without overflow.
static int64_t span(lua_Integer first, lua_Integer last) {
  if (last < first) return 0;
  uint64_t count = (uint64_t)last - (uint64_t)first;
  return count > INT32_MAX ? INT32_MAX : (int64_t)count + 1;
}

static int concat(lua_State *L) {
  lua_Integer count = length(L, 1);
  lua_Integer first = luaL_optinteger(L, 3, 1), last = luaL_optinteger(L, 4, count);
  rh_charge(L, 1 + span(first, last));
  return original(L);
}

static int insert_or_remove(lua_State *L) {
  lua_Integer count = length(L, 1);
  int has_place = lua_gettop(L) == (lua_toboolean(L, lua_upvalueindex(2)) ? 3 : 2);
  rh_charge(L, 1 + (has_place ? span(luaL_checkinteger(L, 2), count) : 0));
  return original(L);
}

static int move(lua_State *L) {
  check_table(L, 1);
  if (!lua_isnoneornil(L, 5)) check_table(L, 5);
  rh_charge(L, 1 + span(luaL_checkinteger(L, 2), luaL_checkinteger(L, 3)));
  return original(L);
}

static int unpack(lua_State *L) {
  lua_Integer count = length(L, 1);
  rh_charge(L, 1 + span(luaL_optinteger(L, 2, 1), luaL_optinteger(L, 3, count)));
  return original(L);
}

static int pack(lua_State *L) {
  rh_charge(L, lua_gettop(L));
  return original(L);
}

static int64_t text_length(lua_State *L, int index) { return lua_type(L, index) == LUA_TSTRING ? (int64_t)lua_rawlen(L, index) : 0; }

/// Whether the element at `right` of `from` belongs before the one at `left`.
static int is_before(lua_State *L, int from, lua_Integer right, lua_Integer left) {
  rh_charge(L, 2);
  int before;
  if (lua_isnil(L, 2)) {
    lua_rawgeti(L, from, right);
    lua_rawgeti(L, from, left);
    // The collation of texts looks at each part between two zeros.
    rh_charge(L, (text_length(L, -1) + text_length(L, -2)) / 16);
    before = lua_compare(L, -2, -1, LUA_OPLT);
    lua_pop(L, 2);
  } else {
    lua_pushvalue(L, 2);
    lua_rawgeti(L, from, right);
    lua_rawgeti(L, from, left);
    lua_call(L, 2, 1);
    before = lua_toboolean(L, -1);
    lua_pop(L, 1);
  }
  return before;
}

/// Merge sort on copies: stable, the same work for every comparator, and one that contradicts itself can harm nothing.
static int sort(lua_State *L) {
  lua_Integer count = length(L, 1);
  if (!lua_isnoneornil(L, 2)) luaL_checktype(L, 2, LUA_TFUNCTION);
  lua_settop(L, 2);
  rh_charge(L, count);
  if (rh_push_backing(L, 1)) return luaL_argerror(L, 1, "the table is read-only");
  int from = 3, to = 4;
  lua_createtable(L, (int)count, 0);
  lua_createtable(L, (int)count, 0);
  for (lua_Integer i = 1; i <= count; i++) {
    lua_rawgeti(L, 1, i);
    lua_rawseti(L, from, i);
  }
  for (lua_Integer width = 1; width < count; width *= 2) {
    for (lua_Integer start = 1; start <= count; start += 2 * width) {
      lua_Integer middle = start + width < count + 1 ? start + width : count + 1;
      lua_Integer end = start + 2 * width < count + 1 ? start + 2 * width : count + 1;
      lua_Integer left = start, right = middle;
      for (lua_Integer place = start; place < end; place++) {
        int takes_right = left >= middle || (right < end && is_before(L, from, right, left));
        lua_rawgeti(L, from, takes_right ? right++ : left++);
        lua_rawseti(L, to, place);
      }
    }
    int swapped = from;
    from = to;
    to = swapped;
  }
  for (lua_Integer i = 1; i <= count; i++) {
    lua_rawgeti(L, from, i);
    lua_rawseti(L, 1, i);
  }
  return 0;
}

static void guard(lua_State *L, int library, const char *name, lua_CFunction function, int flag) {
  lua_getfield(L, library, name);
  lua_pushboolean(L, flag);
  lua_pushcclosure(L, function, 2);
  lua_setfield(L, -2, name);
}

void rh_push_table_library(lua_State *L) {
  luaL_requiref(L, "table", luaopen_table, 0);
  int library = lua_gettop(L);
  lua_newtable(L);
  guard(L, library, "concat", concat, 0);
  guard(L, library, "insert", insert_or_remove, 1);
  guard(L, library, "remove", insert_or_remove, 0);
  guard(L, library, "move", move, 0);
  guard(L, library, "unpack", unpack, 0);
  guard(L, library, "pack", pack, 0);
  lua_pushcfunction(L, sort);
  lua_setfield(L, -2, "sort");
  lua_remove(L, library);
}
