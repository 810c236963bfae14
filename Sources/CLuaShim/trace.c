// Lines as they are executed: which, and with what values. Off but for `policy explain` and the coverage of tests.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "internal.h"

enum { TRACE_LIMIT = 1 << 20, LONGEST_VALUE = 96, MOST_VALUES = 32, MOST_ITEMS = 6 };

static rh_source *traced_source(lua_State *L, lua_Debug *event) {
  if (!lua_getinfo(L, "Sl", event) || event->source[0] != '@') return NULL;
  size_t length = strlen(event->source);
  // What is not a file of the bundle is the host's own.
  if (length < 4 || strcmp(event->source + length - 4, ".lua") != 0) return NULL;
  for (rh_source *source = rh_of(L)->sources; source; source = source->next)
    if (strcmp(source->file, event->source + 1) == 0) return source;
  return NULL;
}

// MARK: Coverage

static int make_line_sets(rh_source *source) {
  if (source->covered && source->active) return 1;
  size_t lines = 2;
  for (size_t i = 0; i < source->length; i++) lines += source->text[i] == '\n';
  source->line_bytes = lines / 8 + 1;
  if (!source->covered) source->covered = calloc(1, source->line_bytes);
  if (!source->active) source->active = calloc(1, source->line_bytes);
  return source->covered && source->active;
}

static void mark(uint8_t *set, size_t bytes, int line) {
  if (line >= 0 && (size_t)line / 8 < bytes) set[line / 8] |= (uint8_t)(1 << line % 8);
}

/// The compiler ends each function with a return of its own, which is reached only where the author's text runs off the end.
static void note_lines(void *context, const rh_prototype *function) {
  rh_source *source = context;
  for (int i = function->is_vararg ? 1 : 0; i < function->instructions - 1; i++) mark(source->active, source->line_bytes, function->lines[i]);
}

void rh_note_active_lines(lua_State *L, rh_source *source) {
  if (!make_line_sets(source)) luaL_error(L, "no memory for the lines of %s", source->file);
  rh_visit_prototypes(L, note_lines, source);
}

// MARK: Steps

/// Text in a buffer of fixed size, cut at its end.
typedef struct {
  char text[LONGEST_VALUE + 4];
  size_t length;
} shown;

static void add(shown *out, const char *text, size_t length) {
  if (out->length >= LONGEST_VALUE) return;
  size_t room = LONGEST_VALUE - out->length;
  memcpy(out->text + out->length, text, length < room ? length : room);
  out->length += length < room ? length : room;
  if (length > room) {
    memcpy(out->text + out->length, "…", 3);
    out->length += 3;
  }
}

static void add_word(shown *out, const char *word) { add(out, word, strlen(word)); }

static void show(shown *out, lua_State *L, int index, int depth);

static void show_items(shown *out, lua_State *L, int table, int depth) {
  const char *keys[MOST_ITEMS];
  int count = 0, found = 0;
  lua_Integer length = (lua_Integer)lua_rawlen(L, table);
  add_word(out, "{");
  for (lua_Integer i = 1; i <= length && i <= MOST_ITEMS; i++) {
    if (i > 1) add_word(out, ", ");
    lua_rawgeti(L, table, i);
    show(out, L, lua_gettop(L), depth + 1);
    lua_pop(L, 1);
  }
  if (length == 0) {
    // The first names in order, so that the same table looks the same in each run.
    lua_pushnil(L);
    while (lua_next(L, table)) {
      lua_pop(L, 1);
      // The host's marks are no part of what is shown.
      if (lua_type(L, -1) != LUA_TLIGHTUSERDATA) found++;
      if (lua_type(L, -1) != LUA_TSTRING) continue;
      const char *name = lua_tostring(L, -1);  // the table holds it
      int place = count;
      while (place > 0 && strcmp(keys[place - 1], name) > 0) place--;
      if (place >= MOST_ITEMS) continue;
      int last = count < MOST_ITEMS ? count++ : MOST_ITEMS - 1;
      memmove(keys + place + 1, keys + place, (size_t)(last - place) * sizeof *keys);
      keys[place] = name;
    }
    for (int i = 0; i < count; i++) {
      if (i > 0) add_word(out, ", ");
      add_word(out, keys[i]);
      add_word(out, " = ");
      lua_pushstring(L, keys[i]);
      lua_rawget(L, table);
      show(out, L, lua_gettop(L), depth + 1);
      lua_pop(L, 1);
    }
  }
  add_word(out, length > MOST_ITEMS || found > count ? ", …}" : "}");
}

static void show_table(shown *out, lua_State *L, int index, int depth) {
  int top = lua_gettop(L);
  int is_sealed = rh_push_backing(L, index);
  if (!is_sealed) lua_pushvalue(L, index);
  int table = lua_gettop(L);
  const char *kind = NULL;
  if (is_sealed && lua_getmetatable(L, index)) {
    lua_pushliteral(L, "__name");
    if (lua_rawget(L, -2) == LUA_TSTRING) kind = lua_tostring(L, -1);
  }
  if (depth > 1) {
    add_word(out, "{…}");
  } else if (kind && strcmp(kind, "list") != 0 && strcmp(kind, "labels") != 0 && strcmp(kind, "data") != 0) {
    // An input object has more fields than fit: its name says which it is.
    add_word(out, kind);
    lua_pushliteral(L, "name");
    if (lua_rawget(L, table) == LUA_TSTRING) {
      add_word(out, " ");
      show(out, L, lua_gettop(L), depth + 1);
    }
  } else {
    show_items(out, L, table, depth);
  }
  lua_settop(L, top);
}

static void show(shown *out, lua_State *L, int index, int depth) {
  char number[48];
  switch (lua_type(L, index)) {
    case LUA_TNIL: add_word(out, "nil"); break;
    case LUA_TBOOLEAN: add_word(out, lua_toboolean(L, index) ? "true" : "false"); break;
    case LUA_TNUMBER:
      if (lua_isinteger(L, index))
        snprintf(number, sizeof number, LUA_INTEGER_FMT, lua_tointeger(L, index));
      else
        snprintf(number, sizeof number, "%.14g", lua_tonumber(L, index));
      add_word(out, number);
      if (!lua_isinteger(L, index) && strspn(number, "-0123456789") == strlen(number)) add_word(out, ".0");
      break;
    case LUA_TSTRING: {
      size_t length;
      const char *text = lua_tolstring(L, index, &length);
      add_word(out, "\"");
      add(out, text, length);
      add_word(out, "\"");
      break;
    }
    case LUA_TTABLE:
      if (lua_checkstack(L, 8)) show_table(out, L, index, depth);
      break;
    default: add_word(out, luaL_typename(L, index));
  }
}

static int put(rh_bytes *trace, const char *text, size_t length) {
  uint8_t count[4] = {(uint8_t)length, (uint8_t)(length >> 8), (uint8_t)(length >> 16), (uint8_t)(length >> 24)};
  return rh_append(trace, count, sizeof count, TRACE_LIMIT) && rh_append(trace, text, length, TRACE_LIMIT);
}

static int put_count(rh_bytes *trace, uint32_t count) {
  uint8_t bytes[4] = {(uint8_t)count, (uint8_t)(count >> 8), (uint8_t)(count >> 16), (uint8_t)(count >> 24)};
  return rh_append(trace, bytes, sizeof bytes, TRACE_LIMIT);
}

/// Writes one line with the variables that it sees, or nothing where it does not fit.
static void note_step(lua_State *L, lua_Debug *event, const rh_source *source) {
  rh_lua *state = rh_of(L);
  if (state->steps_traced >= state->most_steps_traced || !lua_checkstack(L, 8)) return;
  size_t start = state->trace.length;
  int fits = put(&state->trace, source->file, strlen(source->file)) && put_count(&state->trace, (uint32_t)event->currentline);
  size_t counted_at = state->trace.length;
  fits = fits && put_count(&state->trace, 0);
  uint32_t count = 0;
  const char *name;
  for (int i = 1; fits && count < MOST_VALUES && (name = lua_getlocal(L, event, i)); i++) {
    if (name[0] != '(') {
      shown out = {.length = 0};
      show(&out, L, lua_gettop(L), 0);
      fits = put(&state->trace, name, strlen(name)) && put(&state->trace, out.text, out.length);
      count++;
    }
    lua_pop(L, 1);
  }
  if (!fits) {
    state->trace.length = start;
    state->steps_traced = state->most_steps_traced;
    return;
  }
  state->trace.data[counted_at] = (uint8_t)count;
  state->steps_traced++;
}

void rh_trace_line(lua_State *L, lua_Debug *event) {
  rh_source *source = traced_source(L, event);
  if (!source) return;
  if (rh_of(L)->tracing == RH_TRACE_STEPS)
    note_step(L, event, source);
  else if (make_line_sets(source))
    mark(source->covered, source->line_bytes, event->currentline);
}
