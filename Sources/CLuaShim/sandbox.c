// The names that a policy file can use: an allow-list.
//
// Left out on purpose: io, os, package, debug, load, loadfile, loadstring, dofile, collectgarbage, string.dump, string.pack (formats that
// ask for sizes), next, rawget, rawset, rawlen (they see behind read-only tables), coroutine (each would need its own count hook), _G, warn.
#include <string.h>

#include "internal.h"

enum { LONGEST_REPEAT = 1 << 20 };

void rh_push_text(lua_State *L, int index) {
  index = lua_absindex(L, index);
  if (luaL_callmeta(L, index, "__tostring")) {
    if (lua_type(L, -1) != LUA_TSTRING) luaL_error(L, "'__tostring' must return a string");
    return;
  }
  switch (lua_type(L, index)) {
    case LUA_TNUMBER:
    case LUA_TSTRING:
      lua_pushvalue(L, index);
      lua_tostring(L, -1);
      break;
    case LUA_TBOOLEAN: lua_pushstring(L, lua_toboolean(L, index) ? "true" : "false"); break;
    default: lua_pushstring(L, luaL_typename(L, index));  // no address: it would differ from run to run
  }
}

static int to_text(lua_State *L) {
  luaL_checkany(L, 1);
  rh_push_text(L, 1);
  return 1;
}

/// Text for the host to show in tests and rehearsals; a policy has no other output.
static int print(lua_State *L) {
  rh_lua *state = rh_of(L);
  int count = lua_gettop(L);
  for (int i = 1; i <= count; i++) {
    size_t length;
    rh_push_text(L, i);
    const char *text = lua_tolstring(L, -1, &length);
    rh_charge(L, 1 + (int64_t)(length / 16));
    int fits = (i == 1 || rh_append(&state->printed, "\t", 1, state->limits.output)) && rh_append(&state->printed, text, length, state->limits.output);
    if (!fits) return luaL_error(L, "more than %I bytes were printed", (lua_Integer)state->limits.output);
    lua_pop(L, 1);
  }
  if (!rh_append(&state->printed, "\n", 1, state->limits.output))
    return luaL_error(L, "more than %I bytes were printed", (lua_Integer)state->limits.output);
  return 0;
}

// MARK: Protected calls of the policy's own

/// What ends a call goes on through every `pcall`: a budget is no error to be handled.
static void pass_on(lua_State *L) {
  if (rh_of(L)->exhausted) rh_raise_exhausted(L);
  rh_of(L)->is_syntax_error = 0;
}

static int protected_call(lua_State *L) {
  luaL_checkany(L, 1);
  lua_pushboolean(L, 1);
  lua_insert(L, 1);  // beforehand: after it there may be no room
  int outcome = lua_pcall(L, lua_gettop(L) - 2, LUA_MULTRET, 0);
  if (outcome == LUA_OK) return lua_gettop(L);
  pass_on(L);
  lua_pushboolean(L, 0);
  lua_replace(L, 1);
  return 2;
}

/// The handler is called once the stack is unwound. Lua would call it where the error was raised; where that is the count hook, no hook
/// fires in the handler, and one that loops would never end.
static int protected_call_with_handler(lua_State *L) {
  luaL_checktype(L, 2, LUA_TFUNCTION);
  lua_pushvalue(L, 1);
  lua_copy(L, 2, 1);
  lua_replace(L, 2);  // handler, function, arguments
  int outcome = lua_pcall(L, lua_gettop(L) - 2, LUA_MULTRET, 0);
  if (outcome == LUA_OK) {
    lua_pushboolean(L, 1);
    lua_replace(L, 1);
    return lua_gettop(L);
  }
  pass_on(L);
  int handled = lua_pcall(L, 1, 1, 0);
  if (handled != LUA_OK) pass_on(L);
  lua_pushboolean(L, 0);
  lua_insert(L, -2);
  return 2;
}

// MARK: Metatables

const char *const rh_refused_metafields[] = {"__gc", "__mode", NULL};

static int set_metatable(lua_State *L) {
  luaL_checktype(L, 1, LUA_TTABLE);
  if (!lua_isnil(L, 2)) luaL_checktype(L, 2, LUA_TTABLE);
  lua_settop(L, 2);
  rh_charge(L, 1);
  if (luaL_getmetafield(L, 1, "__metatable") != LUA_TNIL) return luaL_error(L, "cannot change a protected metatable");
  if (lua_istable(L, 2)) {
    // The interpreter looks into a metatable itself, and finds nothing in a view. What is behind the host's own views must never be a
    // metatable: `getmetatable` would hand it out, to be written to.
    if (rh_push_backing(L, 2)) {
      if (lua_rawgetp(L, -1, &RH_VIEW) == LUA_TNIL) return luaL_error(L, "a table of the host cannot be a metatable");
      lua_pop(L, 1);
      lua_replace(L, 2);
    }
    // __gc runs where no hook fires, and __mode makes an answer depend on the collector.
    for (const char *const *refused = rh_refused_metafields; *refused; refused++) {
      lua_pushstring(L, *refused);
      if (lua_rawget(L, 2) != LUA_TNIL) return luaL_error(L, "a metatable with %s is not allowed in policies", *refused);
      lua_pop(L, 1);
    }
  }
  if (!rh_of(L)->is_serving) rh_of(L)->has_metatables = 1;
  lua_setmetatable(L, 1);
  return 1;
}

static int get_metatable(lua_State *L) {
  luaL_checkany(L, 1);
  if (!lua_getmetatable(L, 1)) {
    lua_pushnil(L);
    return 1;
  }
  lua_pushliteral(L, "__metatable");
  if (lua_rawget(L, -2) != LUA_TNIL) return 1;
  lua_pop(L, 1);
  // What is behind a view is not given out.
  if (lua_rawgetp(L, -1, &RH_VIEW) == LUA_TNIL) lua_pop(L, 1);
  return 1;
}

// MARK: Chance

/// FNV-1a over the texts, each with its length before it, then the mixing of SplitMix64: spread evenly, and for ever the same.
static int percent(lua_State *L) {
  int count = lua_gettop(L);
  uint64_t hash = UINT64_C(0xCBF29CE484222325);
  luaL_checkany(L, 1);
  for (int i = 1; i <= count; i++) {
    size_t length;
    if (lua_type(L, i) != LUA_TSTRING && !lua_isinteger(L, i)) return luaL_typeerror(L, i, "string or integer");
    const char *text = lua_tolstring(L, i, &length);
    rh_charge(L, 1 + (int64_t)(length / 4));
    for (int shift = 0; shift < 32; shift += 8) hash = (hash ^ (uint8_t)(length >> shift)) * UINT64_C(0x100000001B3);
    for (size_t j = 0; j < length; j++) hash = (hash ^ (uint8_t)text[j]) * UINT64_C(0x100000001B3);
  }
  hash = (hash ^ hash >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
  hash = (hash ^ hash >> 27) * UINT64_C(0x94D049BB133111EB);
  hash ^= hash >> 31;
  lua_pushnumber(L, (lua_Number)(hash >> 11) * 100 / (lua_Number)((uint64_t)1 << 53));
  return 1;
}

// MARK: Libraries

/// A library function behind a charge for the text it is given. Upvalue: the function, which must not have upvalues of its own.
static int charged(lua_State *L) {
  int64_t work = 1;
  for (int i = lua_gettop(L); i > 0; i--)
    if (lua_type(L, i) == LUA_TSTRING) work += (int64_t)(lua_rawlen(L, i) / 16);
  rh_charge(L, work);
  return lua_tocfunction(L, lua_upvalueindex(1))(L);
}

/// Copies functions of the library at `library`, behind a charge, into the table on top.
static void take(lua_State *L, int library, const char *const *names) {
  for (; *names; names++) {
    if (lua_getfield(L, library, *names) != LUA_TFUNCTION) {
      lua_setfield(L, -2, *names);  // a number or a text, such as math.pi
      continue;
    }
    lua_pushcclosure(L, charged, 1);
    lua_setfield(L, -2, *names);
  }
}

static int repeat(lua_State *L) {
  size_t length, gap;
  luaL_checklstring(L, 1, &length);
  lua_Integer count = luaL_checkinteger(L, 2);
  luaL_optlstring(L, 3, "", &gap);
  if (count <= 0 || length + gap == 0) {
    lua_pushliteral(L, "");
    return 1;
  }
  if (length + gap > LONGEST_REPEAT || count > (lua_Integer)(LONGEST_REPEAT / (length + gap)))
    return luaL_error(L, "string.rep: the result would be longer than %d bytes", LONGEST_REPEAT);
  rh_charge(L, 1 + (int64_t)(length + gap) * count / 16 + count / 4);
  return lua_tocfunction(L, lua_upvalueindex(1))(L);
}

/// `string.format` without `%p`, and with the texts of `tostring` for `%s`. Widths have two digits at most, as in Lua itself.
static int format(lua_State *L) {
  size_t length;
  const char *text = luaL_checklstring(L, 1, &length);
  int argument = 1;
  rh_charge(L, 1 + (int64_t)length);
  for (const char *at = text, *end = text + length; at < end; at++) {
    if (*at != '%') continue;
    if (++at < end && *at == '%') continue;
    while (at < end && *at && strchr("-+ #0123456789.", *at)) at++;
    argument++;
    if (at < end && *at == 'p') return luaL_error(L, "string.format: %%p would show an address");
    if (at < end && *at == 's' && argument <= lua_gettop(L)) {
      rh_push_text(L, argument);
      rh_charge(L, (int64_t)(lua_rawlen(L, -1) / 16));
      lua_replace(L, argument);
    }
  }
  return lua_tocfunction(L, lua_upvalueindex(1))(L);
}

/// xorshift64*: the same numbers in each call.
static uint64_t next_random(rh_lua *state) {
  uint64_t x = state->random;
  x ^= x >> 12;
  x ^= x << 25;
  x ^= x >> 27;
  state->random = x;
  return x * UINT64_C(0x2545F4914F6CDD1D);
}

static int pseudo_random(lua_State *L) {
  uint64_t word = next_random(rh_of(L));
  if (lua_gettop(L) == 0) {
    lua_pushnumber(L, (lua_Number)(word >> 11) * (0.5 / ((uint64_t)1 << 52)));
    return 1;
  }
  lua_Integer low = lua_gettop(L) == 1 ? 1 : luaL_checkinteger(L, 1), high = luaL_checkinteger(L, lua_gettop(L) == 1 ? 1 : 2);
  luaL_argcheck(L, low <= high, lua_gettop(L) == 1 ? 1 : 2, "interval is empty");
  uint64_t span = (uint64_t)high - (uint64_t)low + 1;
  lua_pushinteger(L, (lua_Integer)((uint64_t)low + (span ? word % span : word)));
  return 1;
}

/// Seals the table on top under a kind whose fields are its own, and sets it as a name of the environment.
static void add_library(lua_State *L, int environment, const char *name) {
  lua_pushvalue(L, -1);
  rh_define_kind(L, name, NULL);
  rh_seal(L, name);
  lua_setfield(L, environment, name);
}

static void add_string(lua_State *L, int environment) {
  static const char *const names[] = {"byte", "char", "len", "lower", "reverse", "sub", "upper", NULL};
  luaL_requiref(L, "string", luaopen_string, 0);
  int library = lua_gettop(L);
  lua_newtable(L);
  take(L, library, names);
  lua_getfield(L, library, "rep");
  lua_pushcclosure(L, repeat, 1);
  lua_setfield(L, -2, "rep");
  lua_getfield(L, library, "format");
  lua_pushcclosure(L, format, 1);
  lua_setfield(L, -2, "format");
  rh_add_pattern_functions(L);
  // Texts find their methods in the table itself; nothing hands it out.
  lua_pushliteral(L, "");
  lua_createtable(L, 0, 2);
  lua_pushvalue(L, -3);
  lua_setfield(L, -2, "__index");
  lua_pushliteral(L, "sealed");
  lua_setfield(L, -2, "__metatable");
  lua_setmetatable(L, -2);
  lua_pop(L, 1);
  add_library(L, environment, "string");
  lua_settop(L, library - 1);
}

static void add_math(lua_State *L, int environment) {
  static const char *const names[] = {"abs", "ceil", "cos", "deg", "exp", "floor", "fmod", "huge", "log", "max", "maxinteger", "min",
    "mininteger", "modf", "pi", "rad", "sin", "sqrt", "tan", "tointeger", "type", "ult", NULL};
  luaL_requiref(L, "math", luaopen_math, 0);
  int library = lua_gettop(L);
  lua_newtable(L);
  take(L, library, names);
  lua_pushcfunction(L, pseudo_random);
  lua_setfield(L, -2, "random");
  add_library(L, environment, "math");
  lua_settop(L, library - 1);
}

static void add_utf8(lua_State *L, int environment) {
  static const char *const names[] = {"char", "charpattern", "codepoint", "codes", "len", "offset", NULL};
  luaL_requiref(L, "utf8", luaopen_utf8, 0);
  int library = lua_gettop(L);
  lua_newtable(L);
  take(L, library, names);
  add_library(L, environment, "utf8");
  lua_settop(L, library - 1);
}

static void add_base(lua_State *L, int environment) {
  // `pcall` and its like are ours: the library's would swallow the end of a budget.
  static const char *const names[] = {"assert", "error", "ipairs", "rawequal", "select", "tonumber", "type", NULL};
  const luaL_Reg functions[] = {
    {"pairs", rh_pairs}, {"pcall", protected_call}, {"xpcall", protected_call_with_handler}, {"print", print},
    {"setmetatable", set_metatable}, {"getmetatable", get_metatable}, {"percent", percent}, {"tostring", to_text}, {NULL, NULL},
  };
  luaL_requiref(L, "_G", luaopen_base, 0);
  int library = lua_gettop(L);
  lua_pushvalue(L, environment);
  for (const char *const *name = names; *name; name++) {
    // As they are: the level of `error` counts frames, and none of them runs long.
    lua_getfield(L, library, *name);
    lua_setfield(L, -2, *name);
  }
  luaL_setfuncs(L, functions, 0);
  lua_pushliteral(L, "Lua 5.4");
  lua_setfield(L, -2, "_VERSION");
  lua_settop(L, library - 1);
}

// MARK: Environment

/// A name that does not exist is an error, not nil: in a policy it is a slip of the pen or a reach outside.
static int unknown_name(lua_State *L) {
  rh_push_backing(L, 1);
  lua_pushvalue(L, 2);
  if (lua_rawget(L, -2) != LUA_TNIL) return 1;
  if (lua_type(L, 2) != LUA_TSTRING) return luaL_error(L, "names are text");
  const char *name = lua_tostring(L, 2), *nearest = rh_nearest(L, 3, name);
  const char *outside[] = {"io", "os", "debug", "load", "loadstring", "loadfile", "dofile", "package", "collectgarbage", "coroutine", "next",
    "rawget", "rawset", "rawlen", "_G"};
  for (size_t i = 0; i < sizeof outside / sizeof *outside; i++)
    if (strcmp(name, outside[i]) == 0) return luaL_error(L, "'%s' is not available in policies", name);
  if (nearest) return luaL_error(L, "unknown name '%s' – did you mean '%s'?", name, nearest);
  return luaL_error(L, "unknown name '%s'", name);
}

static int refuse_global(lua_State *L) {
  if (lua_type(L, 2) != LUA_TSTRING) return luaL_error(L, "names are text");
  return luaL_error(L, "global names are read-only: write 'local %s'", lua_tostring(L, 2));
}

void rh_sandbox(lua_State *L) {
  lua_newtable(L);
  int environment = lua_gettop(L);
  add_base(L, environment);
  add_string(L, environment);
  add_math(L, environment);
  rh_push_table_library(L);
  add_library(L, environment, "table");
  add_utf8(L, environment);
  // luaL_requiref keeps the unguarded libraries in the registry; Lua code cannot reach it, and nothing here needs them again.
  lua_pushnil(L);
  lua_setfield(L, LUA_REGISTRYINDEX, LUA_LOADED_TABLE);
  lua_newtable(L);
  lua_pushvalue(L, environment);
  lua_rawsetp(L, -2, &RH_BACKING);
  lua_createtable(L, 0, 3);
  lua_pushcfunction(L, unknown_name);
  lua_setfield(L, -2, "__index");
  lua_pushcfunction(L, refuse_global);
  lua_setfield(L, -2, "__newindex");
  lua_pushliteral(L, "sealed");
  lua_setfield(L, -2, "__metatable");
  lua_setmetatable(L, -2);
}
