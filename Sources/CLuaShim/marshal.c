// How values cross: tag, then content; numbers little-endian. Written and read by LuaCoding.swift as well.
//
//   0 nil · 1 false · 2 true · 3 integer (8 bytes) · 4 number (8 bytes, IEEE 754) · 5 text (u32 length, bytes)
//   6 list (u32 count, values) · 7 map (u32 count, pairs of text and value): plain tables
//   8 object (text kind, u32 count, pairs of text and value) · 9 labels (u32 count, texts) · 10 list: read-only tables
//   11 kept object (u32 slot) · 12 object to keep (u32 slot, then as 17)
//   13 a value that is only to be kept, and is no argument · 14 moment that a span counts from (8 bytes), only as a field of 17
//   15 what cannot cross (text: the name of its type) · 16 a text that this result already holds (its number, a byte); only in results
//   17 part (number of the kind, a byte; 8 bytes: a bit for each field that follows; their values in the order of their names)
//   18 list of parts (u32 count, values) · 19 what the state holds in this place already. 17 to 19 stay where they are in what is kept.
#include <string.h>

#include "internal.h"

enum { NIL, FALSE, TRUE, INTEGER, NUMBER, TEXT, LIST, MAP, OBJECT, LABELS, SEALED_LIST, KEPT, KEEP, NOTE, MOMENT, OTHER, AGAIN, PART, PARTS, SAME, MAX_DEPTH = 16, MOST_LABEL_SETS = 256 };

typedef struct {
  lua_State *L;
  const uint8_t *at, *end;
} reader;

static const uint8_t *take(reader *in, size_t length) {
  if ((size_t)(in->end - in->at) < length) luaL_error(in->L, "the arguments end early");
  const uint8_t *start = in->at;
  in->at += length;
  return start;
}

static uint32_t take_count(reader *in) {
  const uint8_t *b = take(in, 4);
  return (uint32_t)b[0] | (uint32_t)b[1] << 8 | (uint32_t)b[2] << 16 | (uint32_t)b[3] << 24;
}

static void push_taken_text(reader *in) {
  uint32_t length = take_count(in);
  lua_pushlstring(in->L, (const char *)take(in, length), length);
}

static uint64_t take_word(reader *in) {
  const uint8_t *bytes = take(in, 8);
  uint64_t word = 0;
  for (int i = 7; i >= 0; i--) word = word << 8 | bytes[i];
  return word;
}

/// A count that cannot be true is not used as a size: each element takes a byte at least.
static int size_hint(const reader *in, uint32_t count) {
  size_t left = (size_t)(in->end - in->at);
  return (int)(count < left ? count : left);
}

static double take_number(reader *in) {
  uint64_t word = take_word(in);
  double number;
  memcpy(&number, &word, sizeof number);
  return number;
}

/// The same labels come again and again: each set of them is made once.
static void push_labels(reader *in) {
  lua_State *L = in->L;
  rh_lua *state = rh_of(L);
  const uint8_t *start = in->at;
  uint32_t count = take_count(in);
  for (uint32_t i = 0; i < count; i++) take(in, take_count(in));
  lua_rawgetp(L, LUA_REGISTRYINDEX, &RH_LABEL_SETS);
  lua_pushlstring(L, (const char *)start, (size_t)(in->at - start));
  lua_pushvalue(L, -1);
  if (lua_rawget(L, -3) == LUA_TNIL) {
    lua_pop(L, 1);
    reader again = {L, start + 4, in->at};
    lua_createtable(L, size_hint(&again, count), 0);
    for (uint32_t i = 1; i <= count; i++) {
      push_taken_text(&again);
      lua_rawseti(L, -2, i);
    }
    rh_seal_to_stay(L, "labels");
    if (++state->label_sets > MOST_LABEL_SETS) {
      state->label_sets = 0;
      lua_newtable(L);
      lua_rawsetp(L, LUA_REGISTRYINDEX, &RH_LABEL_SETS);
    } else {
      lua_pushvalue(L, -2);
      lua_pushvalue(L, -2);
      lua_rawset(L, -5);
    }
  }
  lua_replace(L, -3);
  lua_pop(L, 1);
}

static void decode(reader *in, int depth);

static void decode_over(reader *in, int depth);

/// Replaces the value on top, which was there before, by the object that follows: the same with other contents where it can be.
static void decode_part(reader *in, int depth) {
  lua_State *L = in->L;
  rh_lua *state = rh_of(L);
  unsigned number = *take(in, 1);
  if (number >= state->kind_count) luaL_error(L, "kind %d is none", (int)number);
  rh_kind *kind = &state->kinds[number];
  uint64_t sent = take_word(in);
  if (sent != kind->wanted) luaL_error(L, "a %s was sent with other fields than policies read", kind->name);
  rh_become(L, kind);
  int object = lua_gettop(L), backing = object + 1, fields = object + 2;
  rh_push_backing(L, object);
  rh_push_fields(L, kind);
  for (; sent; sent &= sent - 1) {
    int field = __builtin_ctzll(sent);
    uint8_t tag = *take(in, 1);
    if (tag == SAME) continue;
    if (tag == MOMENT) {
      rh_keep_moment(L, backing, kind, field, take_number(in));
      continue;
    }
    in->at--;
    lua_rawgeti(L, fields, field + 1);
    if (tag == PART || tag == PARTS) {
      lua_pushvalue(L, -1);
      lua_rawget(L, backing);
      decode_over(in, depth + 1);
    } else {
      decode(in, depth + 1);
    }
    lua_rawset(L, backing);
  }
  lua_settop(L, object);
}

static void decode_parts(reader *in, int depth) {
  lua_State *L = in->L;
  rh_become(L, &rh_of(L)->list);
  int list = lua_gettop(L), backing = list + 1;
  rh_push_backing(L, list);
  lua_Integer before = (lua_Integer)lua_rawlen(L, backing), count = take_count(in);
  for (lua_Integer i = 1; i <= count; i++) {
    lua_rawgeti(L, backing, i);
    decode_over(in, depth + 1);
    lua_rawseti(L, backing, i);
  }
  for (lua_Integer i = before; i > count; i--) {
    lua_pushnil(L);
    lua_rawseti(L, backing, i);
  }
  lua_settop(L, list);
}

static void decode_over(reader *in, int depth) {
  if (depth > MAX_DEPTH) luaL_error(in->L, "the arguments are nested too deeply");
  luaL_checkstack(in->L, 12, "arguments");
  uint8_t tag = *take(in, 1);
  switch (tag) {
    case SAME: break;
    case PART: decode_part(in, depth); break;
    case PARTS: decode_parts(in, depth); break;
    default:
      in->at--;
      decode(in, depth);
      lua_remove(in->L, -2);
  }
}

static void decode(reader *in, int depth) {
  lua_State *L = in->L;
  if (depth > MAX_DEPTH) luaL_error(L, "the arguments are nested too deeply");
  luaL_checkstack(L, 12, "arguments");
  uint8_t tag = *take(in, 1);
  switch (tag) {
    case NIL: lua_pushnil(L); break;
    case FALSE: lua_pushboolean(L, 0); break;
    case TRUE: lua_pushboolean(L, 1); break;
    case INTEGER: lua_pushinteger(L, (lua_Integer)take_word(in)); break;
    case NUMBER: lua_pushnumber(L, take_number(in)); break;
    case TEXT: push_taken_text(in); break;
    case LABELS: push_labels(in); break;
    case KEEP: {
      uint32_t slot = take_count(in);
      rh_push_kept(L, slot);
      decode_part(in, depth);
      rh_keep(L, slot);
      break;
    }
    case KEPT: {
      uint32_t slot = take_count(in);
      rh_push_kept(L, slot);
      if (lua_isnil(L, -1)) luaL_error(L, "nothing is kept under slot %d", (int)slot);
      break;
    }
    case PART:
    case PARTS:
      in->at--;
      lua_pushnil(L);
      decode_over(in, depth);
      break;
    case LIST:
    case SEALED_LIST: {
      uint32_t count = take_count(in);
      lua_createtable(L, size_hint(in, count), 0);
      for (uint32_t i = 1; i <= count; i++) {
        decode(in, depth + 1);
        lua_rawseti(L, -2, i);
      }
      if (tag == SEALED_LIST) rh_seal(L, "list");
      break;
    }
    case MAP:
    case OBJECT: {
      if (tag == OBJECT) push_taken_text(in);
      uint32_t count = take_count(in);
      lua_createtable(L, 0, size_hint(in, count));
      for (uint32_t i = 0; i < count; i++) {
        push_taken_text(in);
        decode(in, depth + 1);
        lua_rawset(L, -3);
      }
      if (tag == OBJECT) {
        rh_seal(L, lua_tostring(L, -2));
        lua_remove(L, -2);
      }
      break;
    }
    default: luaL_error(L, "the arguments hold an unknown tag %d", tag);
  }
}

int rh_decode_all(lua_State *L, const uint8_t *bytes, size_t length) {
  reader in = {L, bytes, bytes + length};
  int count = 0;
  while (in.at < in.end) {
    luaL_checkstack(L, 1, "arguments");
    int is_argument = *in.at != NOTE;
    if (!is_argument) in.at++;
    decode(&in, 0);
    count += is_argument;
    if (!is_argument) lua_pop(L, 1);
  }
  return count;
}

static void put(lua_State *L, const void *data, size_t length) {
  rh_lua *state = rh_of(L);
  if (!rh_append(&state->result, data, length, state->limits.output))
    luaL_error(L, "the result is larger than %I bytes", (lua_Integer)state->limits.output);
}

static void put_tag(lua_State *L, uint8_t tag) { put(L, &tag, 1); }

static void put_count(lua_State *L, uint32_t count) {
  uint8_t bytes[4] = {(uint8_t)count, (uint8_t)(count >> 8), (uint8_t)(count >> 16), (uint8_t)(count >> 24)};
  put(L, bytes, sizeof bytes);
}

static void put_word(lua_State *L, uint64_t word) {
  uint8_t bytes[8];
  for (int i = 0; i < 8; i++) bytes[i] = (uint8_t)(word >> (8 * i));
  put(L, bytes, sizeof bytes);
}

static void put_text(lua_State *L, const char *text, size_t length) {
  if (length > rh_of(L)->limits.output) luaL_error(L, "the result holds a text of %I bytes", (lua_Integer)length);
  put_count(L, (uint32_t)length);
  put(L, text, length);
}

void rh_encode_list_header(lua_State *L, uint32_t count) {
  put_tag(L, LIST);
  put_count(L, count);
}

static void encode_table(lua_State *L, int index, int depth) {
  if (depth >= MAX_DEPTH) luaL_error(L, "the result is nested deeper than %d tables: does it hold itself?", MAX_DEPTH);
  luaL_checkstack(L, 8, "result");
  if (!rh_push_contents(L, index)) lua_pushvalue(L, index);
  int table = lua_gettop(L);
  lua_Integer count = rh_sorted_keys(L, table);
  int keys = lua_gettop(L);
  int is_list = 1, is_map = 1;
  for (lua_Integer i = 1; i <= count; i++) {
    lua_rawgeti(L, keys, i);
    is_list = is_list && lua_isinteger(L, -1) && lua_tointeger(L, -1) == i;
    is_map = is_map && lua_type(L, -1) == LUA_TSTRING;
    lua_pop(L, 1);
  }
  if (is_list) {
    rh_encode_list_header(L, (uint32_t)count);
  } else if (is_map) {
    put_tag(L, MAP);
    put_count(L, (uint32_t)count);
  } else {
    luaL_error(L, "the result holds a table that is neither a list nor a map of text");
  }
  for (lua_Integer i = 1; i <= count; i++) {
    lua_rawgeti(L, keys, i);
    if (!is_list) {
      size_t length;
      const char *key = lua_tolstring(L, -1, &length);
      put_text(L, key, length);
    }
    lua_rawget(L, table);
    rh_encode(L, -1, depth + 1);
    lua_pop(L, 1);
  }
  lua_settop(L, table - 1);
}

void rh_encode(lua_State *L, int index, int depth) {
  index = lua_absindex(L, index);
  switch (lua_type(L, index)) {
    case LUA_TNIL: put_tag(L, NIL); break;
    case LUA_TBOOLEAN: put_tag(L, lua_toboolean(L, index) ? TRUE : FALSE); break;
    case LUA_TNUMBER:
      if (lua_isinteger(L, index)) {
        put_tag(L, INTEGER);
        put_word(L, (uint64_t)lua_tointeger(L, index));
      } else {
        double number = lua_tonumber(L, index);
        uint64_t word;
        memcpy(&word, &number, sizeof word);
        put_tag(L, NUMBER);
        put_word(L, word);
      }
      break;
    case LUA_TSTRING: {
      size_t length;
      const char *text = lua_tolstring(L, index, &length);
      put_tag(L, TEXT);
      put_text(L, text, length);
      break;
    }
    case LUA_TTABLE: encode_table(L, index, depth); break;
    default: {
      const char *name = luaL_typename(L, index);
      put_tag(L, OTHER);
      put_text(L, name, strlen(name));
    }
  }
}

int rh_known_text(rh_lua *state, const char *text) {
  for (uint32_t i = 0; i < state->text_count; i++)
    if (state->texts[i] == text) return (int)i;
  return -1;
}

/// A text that this result already holds is written as its number: policies give the same few reasons again and again. The same text is the
/// same pointer, since nothing is collected during a call.
static void put_reason(lua_State *L, int index) {
  rh_lua *state = rh_of(L);
  const char *text = lua_type(L, index) == LUA_TSTRING ? lua_tostring(L, index) : NULL;
  int number = text ? rh_known_text(state, text) : -1;
  if (number >= 0) {
    put_tag(L, AGAIN);
    put_tag(L, (uint8_t)number);
    return;
  }
  rh_encode(L, index, 0);
  if (text && state->text_count < sizeof state->texts / sizeof *state->texts) state->texts[state->text_count++] = text;
}

void rh_encode_answer(lua_State *L, int first, int count) {
  put_tag(L, (uint8_t)count);
  for (int i = first; i < first + count; i++) put_reason(L, i);
}
