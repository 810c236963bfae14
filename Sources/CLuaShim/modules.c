// The sources of a state, and `require`.
#include <stdlib.h>
#include <string.h>

#include "internal.h"

static rh_source *find_source(lua_State *L, const char *module) {
  for (rh_source *source = rh_of(L)->sources; source; source = source->next)
    if (strcmp(source->module, module) == 0) return source;
  return NULL;
}

/// Pushes a source as a function whose names are those of the environment. Text only: bytecode could break the interpreter.
void rh_push_chunk(lua_State *L, rh_source *source) {
  lua_pushfstring(L, "@%s", source->file);
  rh_charge(L, (int64_t)(source->length / 16));
  if (luaL_loadbufferx(L, (const char *)source->text, source->length, lua_tostring(L, -1), "t") != LUA_OK) {
    rh_of(L)->is_syntax_error = 1;
    lua_error(L);
  }
  lua_remove(L, -2);
  lua_rawgetp(L, LUA_REGISTRYINDEX, &RH_ENVIRONMENT);
  if (!lua_setupvalue(L, -2, 1)) lua_pop(L, 1);
  if (rh_of(L)->tracing == RH_TRACE_COVERAGE) rh_note_active_lines(L, source);
}

rh_source *rh_known_source(lua_State *L, const char *module) {
  rh_source *source = find_source(L, module);
  if (!source) luaL_error(L, "no module '%s': require reaches lib/ of the policies folder only, as in require \"lib.words\"", module);
  return source;
}

int rh_require(lua_State *L) {
  const char *module = luaL_checkstring(L, 1);
  lua_settop(L, 1);
  rh_charge(L, 10);
  lua_rawgetp(L, LUA_REGISTRYINDEX, &RH_LOADED);
  if (lua_getfield(L, 2, module) != LUA_TNIL) return 1;
  lua_pop(L, 1);
  rh_source *source = rh_known_source(L, module);
  lua_rawgetp(L, LUA_REGISTRYINDEX, &RH_LOADING);  // stack: name, loaded, loading
  if (lua_getfield(L, 3, module) != LUA_TNIL) return luaL_error(L, "module '%s' requires itself, directly or through others", module);
  lua_pop(L, 1);
  // Loaded at the first question that needs it, it would be another at each: what it draws at random, what it costs.
  if (rh_of(L)->is_serving) return luaL_error(L, "require \"%s\" at the top of the file: within a call nothing is loaded", module);
  lua_pushboolean(L, 1);
  lua_setfield(L, 3, module);
  rh_push_chunk(L, source);
  rh_note_fields(L);
  lua_call(L, 0, 1);
  lua_pushnil(L);
  lua_setfield(L, 3, module);
  if (lua_isnil(L, -1)) return luaL_error(L, "%s returns nothing: end it with 'return' and a table", source->file);
  rh_freeze(L, -1, module, source->file);
  lua_pushvalue(L, -1);
  lua_setfield(L, 2, module);
  return 1;
}

void rh_push_module(lua_State *L, const char *module) {
  // A load that failed leaves its mark behind.
  lua_newtable(L);
  lua_rawsetp(L, LUA_REGISTRYINDEX, &RH_LOADING);
  lua_pushcfunction(L, rh_require);
  lua_pushstring(L, module);
  lua_call(L, 1, 1);
}

