// Input objects that stay in the state between calls, so that a call sends only what changed since the last one.
//
// An object is kept under a slot that the host chose. It is the same table in each call, with other contents where the host says so. No policy
// can tell: it keeps nothing between calls (frozen.c), and what it sees is read-only.
//
// A span, such as `age_seconds`, is kept as the moment it counts from, under a mark that Lua code cannot name, and is reckoned where it is
// read: an unchanged container is then unchanged, however late it is.
#include <string.h>

#include "internal.h"

enum { LARGEST_SLOT = 1 << 20 };

/// Marks of the moments: one for each place of a field in its kind.
static const char moments[256];

int rh_push_kept(lua_State *L, uint32_t slot) {
  lua_rawgetp(L, LUA_REGISTRYINDEX, &RH_KEPT);
  int is_there = lua_rawgeti(L, -1, (lua_Integer)slot + 1) == LUA_TTABLE;
  lua_remove(L, -2);
  if (!is_there) lua_pop(L, 1);
  return is_there;
}

void rh_push_kept_for(lua_State *L, uint32_t slot, const char *kind) {
  luaL_checkstack(L, 8, "input");
  if (slot > LARGEST_SLOT) luaL_error(L, "slot %d is none", (int)slot);
  if (rh_push_kept(L, slot)) {
    lua_getmetatable(L, -1);
    lua_pushliteral(L, "__name");
    lua_rawget(L, -2);
    if (strcmp(lua_tostring(L, -1), kind) != 0) luaL_error(L, "slot %d holds a %s", (int)slot, lua_tostring(L, -1));
    lua_pop(L, 2);
    return;
  }
  lua_createtable(L, 0, 16);
  rh_seal_to_stay(L, kind);
  lua_rawgetp(L, LUA_REGISTRYINDEX, &RH_KEPT);
  lua_pushvalue(L, -2);
  lua_rawseti(L, -2, (lua_Integer)slot + 1);
  lua_pop(L, 1);
}

void rh_forget_kept(lua_State *L) {
  lua_newtable(L);
  lua_rawsetp(L, LUA_REGISTRYINDEX, &RH_KEPT);
  lua_newtable(L);
  lua_rawsetp(L, LUA_REGISTRYINDEX, &RH_LABEL_SETS);
  lua_newtable(L);
  lua_rawsetp(L, LUA_REGISTRYINDEX, &RH_CANDIDATES);
  rh_of(L)->label_sets = 0;
  rh_of(L)->ordered.length = 0;
}

void rh_keep_moment(lua_State *L, int backing, int place, double moment) {
  lua_pushnumber(L, moment);
  lua_rawsetp(L, backing, &moments[place & 0xFF]);
}

static double span_since(lua_State *L, double moment) {
  double span = rh_of(L)->turn - moment;
  return span > 0 ? span : 0;
}

void rh_push_fields(lua_State *L, const char *kind) {
  rh_push_kind(L, kind);
  if (lua_rawgetp(L, -1, &RH_FIELDS) != LUA_TTABLE) luaL_error(L, "a %s has no fields", kind);
  lua_remove(L, -2);
}

int rh_push_span(lua_State *L, int backing, int place) {
  if (lua_rawgetp(L, backing, &moments[place & 0xFF]) != LUA_TNUMBER) return 0;
  lua_pushnumber(L, span_since(L, lua_tonumber(L, -1)));
  return 1;
}

int rh_push_contents(lua_State *L, int index) {
  index = lua_absindex(L, index);
  if (!rh_push_backing(L, index)) return 0;
  int backing = lua_gettop(L);
  luaL_checkstack(L, 8, "input");
  if (!lua_getmetatable(L, index)) return 1;
  lua_pushliteral(L, "__name");
  const char *kind = lua_rawget(L, -2) == LUA_TSTRING ? lua_tostring(L, -1) : NULL;
  lua_rawgetp(L, LUA_REGISTRYINDEX, &RH_KINDS);
  if (!kind || lua_getfield(L, -1, kind) != LUA_TTABLE || lua_rawgetp(L, -1, &RH_FIELDS) != LUA_TTABLE) {
    lua_settop(L, backing);
    return 1;
  }
  int fields = lua_gettop(L), copy = 0;
  lua_Integer count = (lua_Integer)lua_rawlen(L, fields);
  for (lua_Integer place = 1; place <= count && place <= 255; place++) {
    if (lua_rawgetp(L, backing, &moments[place]) == LUA_TNUMBER) {
      if (!copy) {
        lua_createtable(L, 0, (int)count);
        lua_insert(L, -2);
        copy = lua_gettop(L) - 1;
        lua_pushnil(L);
        while (lua_next(L, backing)) {
          lua_pushvalue(L, -2);
          lua_insert(L, -2);
          lua_rawset(L, copy);
        }
      }
      lua_rawgeti(L, fields, place);
      lua_pushnumber(L, span_since(L, lua_tonumber(L, -2)));
      lua_rawset(L, copy);
    }
    lua_settop(L, copy ? copy : fields);
  }
  if (copy) lua_replace(L, backing);
  lua_settop(L, backing);
  return 1;
}
