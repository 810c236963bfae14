// Nothing of a policy file outlives a call: once it has run, the tables that its functions reach are read-only, and no function may assign to
// a variable outside it. Then the same input gives the same output, whatever was asked before.
//
// Tables are emptied in place and become views of their contents, as the host's inputs are; so their identity stays. What a function assigns
// to is read from its instructions, at load, so that `policy check` says it with file and line.
#include <string.h>

#include "internal.h"

enum { LONGEST_KEPT_TEXT = 64 << 10 };
enum { SET_UPVALUE = 10, SET_FIELD_OF_UPVALUE = 15 };  // lopcodes.h of Lua 5.4

/// Upvalues: name, and whether the table is a policy file's own.
static int refuse_state(lua_State *L) {
  if (!lua_toboolean(L, lua_upvalueindex(2))) return luaL_error(L, "'%s' is read-only", lua_tostring(L, lua_upvalueindex(1)));
  return luaL_error(L, "'%s' is read-only once its file has run: policies keep no state between calls", lua_tostring(L, lua_upvalueindex(1)));
}

static int length_of_frozen(lua_State *L) {
  if (!rh_push_backing(L, 1)) return luaL_error(L, "not a table of a policy file");
  lua_pushinteger(L, (lua_Integer)lua_rawlen(L, -1));
  return 1;
}

/// Upvalues: contents, and what the author's metatable has as `__index`.
static int read_frozen(lua_State *L) {
  lua_settop(L, 2);
  lua_pushvalue(L, 2);
  if (lua_rawget(L, lua_upvalueindex(1)) != LUA_TNIL) return 1;
  lua_settop(L, 2);
  if (lua_isfunction(L, lua_upvalueindex(2))) {
    lua_pushvalue(L, lua_upvalueindex(2));
    lua_insert(L, 1);
    lua_call(L, 2, 1);
  } else {
    lua_gettable(L, lua_upvalueindex(2));
  }
  return 1;
}

// MARK: Assignments

typedef struct {
  lua_State *L;
  int function;
  const char *file;
} assignments;

/// Which upvalue of the outermost function an upvalue of this one is, or −1 where it is a local of a function between.
static int outermost(const rh_prototype *prototype, int upvalue) {
  for (; prototype->parent; prototype = prototype->parent) {
    if (upvalue >= prototype->upvalues || prototype->captures[upvalue * 3]) return -1;
    upvalue = prototype->captures[upvalue * 3 + 1];
  }
  return upvalue;
}

static void find_assignments(void *context, const rh_prototype *prototype) {
  assignments *search = context;
  for (int i = 0; i < prototype->instructions; i++) {
    int opcode = rh_opcode(prototype, i);
    if (opcode != SET_UPVALUE && opcode != SET_FIELD_OF_UPVALUE) continue;
    // SETUPVAL A B: upvalue B; SETTABUP A B C: a field of upvalue A.
    uint32_t instruction = rh_instruction(prototype, i);
    int upvalue = opcode == SET_UPVALUE ? (int)(instruction >> 16 & 0xFF) : (int)(instruction >> 7 & 0xFF);
    if (upvalue >= prototype->upvalues || outermost(prototype, upvalue) < 0) continue;
    const char *name = prototype->names[upvalue];
    if (opcode == SET_UPVALUE)
      luaL_error(search->L, "%s:%d: '%s' would outlive the call: policies keep no state between calls, so assign to a local of the function",
        search->file, prototype->lines[i], name);
    if (strcmp(name, "_ENV") != 0)
      luaL_error(search->L, "%s:%d: '%s' is read-only once its file has run: policies keep no state between calls", search->file,
        prototype->lines[i], name);
  }
}

// MARK: Freezing

/// Puts the value on top, and takes it, among those that are still to be frozen. `name` is what messages call it.
static void enqueue(lua_State *L, int pending, const char *name) {
  int type = lua_type(L, -1);
  // Two long texts are compared in one instruction, however long that takes.
  if (type == LUA_TSTRING && lua_rawlen(L, -1) > LONGEST_KEPT_TEXT)
    luaL_error(L, "'%s' has a text of %d bytes: at most %d are kept", name, (int)lua_rawlen(L, -1), LONGEST_KEPT_TEXT);
  if (type != LUA_TTABLE && type != LUA_TFUNCTION) {
    lua_pop(L, 1);
    return;
  }
  lua_Integer count = (lua_Integer)lua_rawlen(L, pending);
  lua_rawseti(L, pending, count + 1);
  lua_pushstring(L, name);
  lua_rawseti(L, pending, count + 2);
}

static void freeze_function(lua_State *L, int function, int pending, const char *file) {
  lua_CFunction host = lua_tocfunction(L, function);
  if (host) {
    if (host == rh_next_pair || host == rh_next_match)
      luaL_error(L, "%s: an iterator of pairs or gmatch is kept: policies keep no state between calls", file);
    return;
  }
  const char *name;
  for (int i = 1; (name = lua_getupvalue(L, function, i)); i++) enqueue(L, pending, name);
  assignments search = {L, function, file};
  lua_pushvalue(L, function);
  rh_visit_prototypes(L, find_assignments, &search);
  lua_pop(L, 1);
}

/// Copies the author's metatable into the one at `locked`, but for what makes a table read-only. `setmetatable` has refused the fields that no
/// metatable may have; those that came in later are refused here.
static void keep_metatable(lua_State *L, int metatable, int locked, int backing, const char *file) {
  if (rh_push_backing(L, metatable)) lua_replace(L, metatable);
  for (const char *const *refused = rh_refused_metafields; *refused; refused++) {
    lua_pushstring(L, *refused);
    if (lua_rawget(L, metatable) != LUA_TNIL) luaL_error(L, "%s: a metatable with %s is not allowed in policies", file ? file : "data", *refused);
    lua_pop(L, 1);
  }
  lua_pushnil(L);
  while (lua_next(L, metatable)) {
    lua_pushvalue(L, -2);
    lua_insert(L, -2);
    if (lua_type(L, -2) == LUA_TSTRING)
      lua_rawset(L, locked);
    else
      lua_pop(L, 2);
  }
  lua_pushliteral(L, "__index");
  if (lua_rawget(L, metatable) == LUA_TNIL) {
    lua_pop(L, 1);
    return;
  }
  lua_pushvalue(L, backing);
  lua_insert(L, -2);
  lua_pushcclosure(L, read_frozen, 2);
  lua_setfield(L, locked, "__index");
}

static void freeze_table(lua_State *L, int table, int pending, const char *name, const char *file) {
  int top = lua_gettop(L);
  int has_metatable = lua_getmetatable(L, table);
  if (!has_metatable) lua_pushnil(L);
  int metatable = top + 1;
  lua_newtable(L);
  int backing = top + 2;
  int64_t items = 0;
  lua_pushnil(L);
  while (lua_next(L, table)) {
    items++;
    lua_pushvalue(L, -2);
    lua_pushvalue(L, -2);
    lua_rawset(L, backing);
    const char *key = lua_type(L, -2) == LUA_TSTRING ? lua_tostring(L, -2) : name;
    enqueue(L, pending, key);
    lua_pushvalue(L, -1);
    enqueue(L, pending, name);
    lua_pushvalue(L, -1);
    lua_pushnil(L);
    lua_rawset(L, table);
  }
  rh_charge(L, 1 + items);
  lua_pushvalue(L, table);
  lua_rawsetp(L, backing, &RH_VIEW);
  lua_pushvalue(L, backing);
  lua_rawsetp(L, table, &RH_BACKING);
  lua_createtable(L, 0, 8);
  int locked = top + 3;
  lua_pushvalue(L, backing);
  lua_setfield(L, locked, "__index");
  lua_pushcfunction(L, length_of_frozen);
  lua_setfield(L, locked, "__len");
  lua_pushliteral(L, "sealed");
  lua_setfield(L, locked, "__metatable");
  if (has_metatable) {
    lua_pushvalue(L, metatable);
    enqueue(L, pending, name);
    lua_pushvalue(L, metatable);
    lua_setfield(L, locked, "__metatable");
    keep_metatable(L, metatable, locked, backing, file);
  }
  lua_pushstring(L, name);
  lua_pushboolean(L, file != NULL);
  lua_pushcclosure(L, refuse_state, 2);
  lua_setfield(L, locked, "__newindex");
  lua_pushliteral(L, "list");
  lua_setfield(L, locked, "__name");
  // Added after it was set: a weak view would lose its contents.
  lua_pushnil(L);
  lua_setfield(L, locked, "__mode");
  lua_setmetatable(L, table);
  lua_settop(L, top);
}

void rh_freeze(lua_State *L, int index, const char *name, const char *file) {
  int top = lua_gettop(L);
  luaL_checkstack(L, 20, "a policy file");
  index = lua_absindex(L, index);
  lua_newtable(L);
  lua_newtable(L);
  int pending = top + 1, seen = top + 2;
  lua_pushvalue(L, index);
  enqueue(L, pending, name);
  for (lua_Integer done = 1; done < (lua_Integer)lua_rawlen(L, pending) + 1; done += 2) {
    lua_settop(L, seen);
    lua_rawgeti(L, pending, done);
    lua_rawgeti(L, pending, done + 1);
    int value = seen + 1;
    const char *shown = lua_tostring(L, seen + 2);
    lua_pushvalue(L, value);
    if (lua_rawget(L, seen) != LUA_TNIL) continue;
    lua_pushvalue(L, value);
    lua_pushboolean(L, 1);
    lua_rawset(L, seen);
    rh_charge(L, 1);
    if (lua_isfunction(L, value)) {
      freeze_function(L, value, pending, file);
    } else if (rh_push_backing(L, value)) {
      // The host's, or frozen with another file.
    } else {
      freeze_table(L, value, pending, shown, file);
    }
  }
  lua_settop(L, top);
}
