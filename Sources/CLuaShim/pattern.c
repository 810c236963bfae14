// `find`, `match`, `gmatch` and `gsub`, over the host's own matcher.
#include <ctype.h>
#include <string.h>

#include "matcher.h"

static void push_capture(matcher *m, int index, const char *s, const char *e) {
  if (index >= m->count) {
    if (index != 0) luaL_error(m->L, "invalid capture index %%%d", index + 1);
    lua_pushlstring(m->L, s, (size_t)(e - s));
    return;
  }
  ptrdiff_t length = m->captures[index].length;
  if (length == UNFINISHED) luaL_error(m->L, "unfinished capture");
  if (length == POSITION)
    lua_pushinteger(m->L, m->captures[index].start - m->start + 1);
  else
    lua_pushlstring(m->L, m->captures[index].start, (size_t)length);
}

/// All captures; where there are none, the whole match unless `s` is NULL.
static int push_captures(matcher *m, const char *s, const char *e) {
  int count = m->count == 0 && s ? 1 : m->count;
  luaL_checkstack(m->L, count, "captures");
  for (int i = 0; i < count; i++) push_capture(m, i, s, e);
  return count;
}

static matcher prepare(lua_State *L, const char *s, size_t length, const char *p, size_t pattern_length) {
  matcher m = {.L = L, .state = rh_of(L), .start = s, .end = s + length, .pattern_end = p + pattern_length};
  return m;
}

static void reset(matcher *m) {
  m->count = 0;
  m->depth = 0;
}

static size_t start_position(lua_Integer position, size_t length) {
  if (position > 0) return (size_t)position;
  if (position == 0 || position < -(lua_Integer)length) return 1;
  return length + (size_t)position + 1;
}

static int has_specials(const char *p, size_t length) {
  for (size_t i = 0; i < length; i++)
    if (p[i] && strchr("^$*+?.([%-", p[i])) return 1;
  return 0;
}

static const char *find_plain(const char *s, size_t length, const char *p, size_t pattern_length) {
  if (pattern_length == 0) return s;
  // memchr and memcmp, not memmem: the work stays what the charge says, subject × pattern.
  for (const char *end = s + length; (size_t)(end - s) >= pattern_length; s++) {
    s = memchr(s, *p, (size_t)(end - s) - pattern_length + 1);
    if (!s) return NULL;
    if (memcmp(s, p, pattern_length) == 0) return s;
  }
  return NULL;
}

static int find_or_match(lua_State *L, int is_find) {
  size_t length, pattern_length;
  const char *s = luaL_checklstring(L, 1, &length), *p = luaL_checklstring(L, 2, &pattern_length);
  size_t start = start_position(luaL_optinteger(L, 3, 1), length) - 1;
  rh_charge(L, 1 + (int64_t)(pattern_length / 16));
  if (start > length) {
    lua_pushnil(L);
    return 1;
  }
  if (is_find && (lua_toboolean(L, 4) || !has_specials(p, pattern_length))) {
    rh_charge(L, (int64_t)((length - start) / 16 * (1 + pattern_length / 16)));
    const char *found = find_plain(s + start, length - start, p, pattern_length);
    if (found) {
      lua_pushinteger(L, found - s + 1);
      lua_pushinteger(L, found - s + (lua_Integer)pattern_length);
      return 2;
    }
  } else {
    int is_anchored = pattern_length > 0 && *p == '^';
    matcher m = prepare(L, s, length, p, pattern_length);
    const char *at = s + start;
    do {
      reset(&m);
      const char *end = rh_match(&m, at, p + is_anchored);
      if (end && is_find) {
        lua_pushinteger(L, at - s + 1);
        lua_pushinteger(L, end - s);
        return push_captures(&m, NULL, NULL) + 2;
      }
      if (end) return push_captures(&m, at, end);
    } while (at++ < m.end && !is_anchored);
  }
  lua_pushnil(L);
  return 1;
}

static int str_find(lua_State *L) { return find_or_match(L, 1); }
static int str_match(lua_State *L) { return find_or_match(L, 0); }

/// Upvalues: subject, pattern, where to go on (from 0), end of the last match (−1: none).
int rh_next_match(lua_State *L) {
  size_t length, pattern_length;
  const char *s = lua_tolstring(L, lua_upvalueindex(1), &length), *p = lua_tolstring(L, lua_upvalueindex(2), &pattern_length);
  lua_Integer last = lua_tointeger(L, lua_upvalueindex(4));
  matcher m = prepare(L, s, length, p, pattern_length);
  for (const char *at = s + lua_tointeger(L, lua_upvalueindex(3)); at <= m.end; at++) {
    reset(&m);
    const char *end = rh_match(&m, at, p);
    if (end && end - s != last) {
      lua_pushinteger(L, end - s);
      lua_copy(L, -1, lua_upvalueindex(3));
      lua_replace(L, lua_upvalueindex(4));
      return push_captures(&m, at, end);
    }
  }
  return 0;
}

static int str_gmatch(lua_State *L) {
  size_t length;
  luaL_checklstring(L, 1, &length);
  luaL_checkstring(L, 2);
  size_t start = start_position(luaL_optinteger(L, 3, 1), length) - 1;
  lua_settop(L, 2);
  lua_pushinteger(L, (lua_Integer)(start > length ? length + 1 : start));
  lua_pushinteger(L, -1);
  lua_pushcclosure(L, rh_next_match, 4);
  return 1;
}

/// Adds what replaces one match.
static void add_replacement(matcher *m, luaL_Buffer *buffer, const char *s, const char *e, int kind) {
  lua_State *L = m->L;
  if (kind == LUA_TFUNCTION) {
    lua_pushvalue(L, 3);
    lua_call(L, push_captures(m, s, e), 1);
  } else if (kind == LUA_TTABLE) {
    push_capture(m, 0, s, e);
    lua_gettable(L, 3);
  } else {
    size_t length;
    const char *text = lua_tolstring(L, 3, &length);
    rh_charge(L, (int64_t)(length / 16));
    for (size_t i = 0; i < length; i++) {
      if (text[i] != '%') {
        luaL_addchar(buffer, text[i]);
        continue;
      }
      i++;
      char c = i < length ? text[i] : '\0';
      if (c == '%') {
        luaL_addchar(buffer, '%');
      } else if (c == '0') {
        luaL_addlstring(buffer, s, (size_t)(e - s));
      } else if (isdigit((unsigned char)c)) {
        push_capture(m, c - '1', s, e);
        luaL_tolstring(L, -1, NULL);
        lua_remove(L, -2);
        luaL_addvalue(buffer);
      } else {
        luaL_error(L, "invalid use of '%%' in replacement string");
      }
    }
    return;
  }
  if (!lua_toboolean(L, -1)) {
    lua_pop(L, 1);
    luaL_addlstring(buffer, s, (size_t)(e - s));
  } else if (lua_isstring(L, -1)) {
    luaL_addvalue(buffer);
  } else {
    luaL_error(L, "invalid replacement value (a %s)", luaL_typename(L, -1));
  }
}

static int str_gsub(lua_State *L) {
  size_t length, pattern_length;
  const char *s = luaL_checklstring(L, 1, &length), *p = luaL_checklstring(L, 2, &pattern_length);
  int kind = lua_type(L, 3);
  luaL_argexpected(
      L, kind == LUA_TNUMBER || kind == LUA_TSTRING || kind == LUA_TFUNCTION || kind == LUA_TTABLE, 3, "string/function/table");
  if (kind == LUA_TNUMBER) lua_tostring(L, 3);
  lua_Integer most = luaL_optinteger(L, 4, (lua_Integer)length + 1), count = 0;
  int is_anchored = pattern_length > 0 && *p == '^';
  rh_charge(L, 1 + (int64_t)(length / 16));
  matcher m = prepare(L, s, length, p, pattern_length);
  const char *at = s, *last = NULL;
  luaL_Buffer buffer;
  luaL_buffinit(L, &buffer);
  while (count < most) {
    reset(&m);
    const char *end = rh_match(&m, at, p + is_anchored);
    if (end && end != last) {
      count++;
      add_replacement(&m, &buffer, at, end, kind);
      at = last = end;
    } else if (at < m.end) {
      luaL_addchar(&buffer, *at++);
    } else {
      break;
    }
    if (is_anchored) break;
  }
  luaL_addlstring(&buffer, at, (size_t)(m.end - at));
  luaL_pushresult(&buffer);
  lua_pushinteger(L, count);
  return 2;
}

void rh_add_pattern_functions(lua_State *L) {
  const luaL_Reg functions[] = {{"find", str_find}, {"match", str_match}, {"gmatch", str_gmatch}, {"gsub", str_gsub}, {NULL, NULL}};
  luaL_setfuncs(L, functions, 0);
}
