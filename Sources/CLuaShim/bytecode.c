// Reads compiled functions, by the dump that the interpreter itself writes (Lua 5.4: ldump.c, lopcodes.h; the format is part of the 5.4 ABI).
//
// Nothing that was not dumped here is ever read, and nothing is loaded from it.
#include <stdlib.h>
#include <string.h>

#include "internal.h"

enum { LARGEST_DUMP = 8 << 20, DEEPEST = 220, ABSOLUTE_LINE = -0x80 };

typedef struct {
  lua_State *L;
  const uint8_t *at, *end;
  /// Either may be NULL.
  void (*visit)(void *context, const rh_prototype *prototype);
  void *context;
  void (*visit_text)(lua_State *L, const char *text, size_t length);
} dump_reader;

static int append_dump(lua_State *L, const void *data, size_t length, void *context) {
  (void)context;
  return !rh_append(&rh_of(L)->scratch, data, length, LARGEST_DUMP);
}

static const uint8_t *take(dump_reader *in, size_t length) {
  if ((size_t)(in->end - in->at) < length) luaL_error(in->L, "the compiled file could not be read");
  const uint8_t *start = in->at;
  in->at += length;
  return start;
}

/// Seven bits a byte, the highest first; the last byte is marked.
static size_t take_size(dump_reader *in) {
  size_t size = 0;
  for (;;) {
    uint8_t byte = *take(in, 1);
    size = size << 7 | (byte & 0x7F);
    if (byte & 0x80) return size;
    if (size > LARGEST_DUMP) luaL_error(in->L, "the compiled file could not be read");
  }
}

static int take_int(dump_reader *in) { return (int)take_size(in); }

static const uint8_t *take_items(dump_reader *in, int count, size_t size) { return take(in, (size_t)count * size); }

/// NULL where there is none; else its bytes, which are not terminated.
static const char *take_text(dump_reader *in, size_t *length) {
  size_t size = take_size(in);
  *length = size > 0 ? size - 1 : 0;
  return size > 0 ? (const char *)take(in, size - 1) : NULL;
}

static void skip_text(dump_reader *in) {
  size_t length;
  take_text(in, &length);
}

static void take_constants(dump_reader *in, rh_prototype *function) {
  int count = function->constant_count = take_int(in);
  if (count > in->end - in->at) luaL_error(in->L, "the compiled file could not be read");
  rh_constant *constants = lua_newuserdatauv(in->L, ((size_t)count + 1) * sizeof *constants, 0);
  function->constants = constants;
  for (int i = 0; i < count; i++) {
    int tag = *take(in, 1);
    constants[i] = (rh_constant){0};
    if (tag == 0x03 || tag == 0x13) {  // an integer or a number
      take(in, 8);
    } else if ((tag & 0x0F) == LUA_TSTRING) {
      constants[i].text = take_text(in, &constants[i].length);
      if (in->visit_text && constants[i].text) in->visit_text(in->L, constants[i].text, constants[i].length);
    }
  }
}

/// Lines of the instructions, from the differences to the one before and, now and then, an absolute one. In a block of the Lua state.
static const int *take_lines(dump_reader *in, const rh_prototype *function) {
  int count = take_int(in);
  const int8_t *differences = (const int8_t *)take_items(in, count, 1);
  if (count != function->instructions) luaL_error(in->L, "the compiled file has no lines");
  int *lines = lua_newuserdatauv(in->L, ((size_t)count + 1) * sizeof *lines, 0);
  int absolutes = take_int(in), next = -1, next_line = 0, line = function->line_defined;
  for (int i = 0; i < count; i++) {
    if (next < i && absolutes > 0) {
      absolutes--;
      next = take_int(in);
      next_line = take_int(in);
    }
    line = differences[i] == ABSOLUTE_LINE && next == i ? next_line : line + differences[i];
    lines[i] = line;
  }
  while (absolutes-- > 0) {
    take_int(in);
    take_int(in);
  }
  return lines;
}

static const char *const *take_names(dump_reader *in, int wanted) {
  lua_State *L = in->L;
  for (int left = take_int(in); left > 0; left--) {  // local variables
    skip_text(in);
    take_int(in);
    take_int(in);
  }
  lua_createtable(L, wanted, 0);
  const char **names = lua_newuserdatauv(L, ((size_t)wanted + 1) * sizeof *names, 0);
  for (int i = 0; i < wanted; i++) names[i] = "?";
  int count = take_int(in);
  for (int i = 0; i < count; i++) {
    size_t length;
    const char *text = take_text(in, &length);
    if (!text || i >= wanted) continue;
    names[i] = lua_pushlstring(L, text, length);  // held by the table
    lua_rawseti(L, -3, i + 1);
  }
  return names;
}

static void read_function(dump_reader *in, const rh_prototype *parent, int depth) {
  lua_State *L = in->L;
  if (depth > DEEPEST) luaL_error(L, "functions are nested too deeply");
  luaL_checkstack(L, 8, "functions");
  int top = lua_gettop(L);
  rh_prototype function = {.parent = parent};
  skip_text(in);  // source
  function.line_defined = take_int(in);
  take_int(in);
  function.parameters = *take(in, 1);
  function.is_vararg = *take(in, 1);
  take(in, 1);  // stack
  function.instructions = take_int(in);
  function.code = take_items(in, function.instructions, 4);
  take_constants(in, &function);
  function.upvalues = take_int(in);
  function.captures = take_items(in, function.upvalues, 3);
  for (int left = take_int(in); left > 0; left--) read_function(in, &function, depth + 1);
  function.lines = take_lines(in, &function);
  function.names = take_names(in, function.upvalues);
  rh_charge(L, function.instructions / 4);
  if (in->visit) in->visit(in->context, &function);
  lua_settop(L, top);
}

/// Reads the dump of the function on top.
static void read_chunk(dump_reader *in) {
  lua_State *L = in->L;
  rh_bytes *scratch = &rh_of(L)->scratch;
  scratch->length = 0;
  if (lua_dump(L, append_dump, NULL, 0) != 0) luaL_error(L, "no memory to look at the compiled file");
  in->at = scratch->data;
  in->end = scratch->data + scratch->length;
  const uint8_t header[] = {0x1B, 'L', 'u', 'a', 0x54, 0, 0x19, 0x93, '\r', '\n', 0x1A, '\n', 4, 8, 8};
  if (memcmp(take(in, sizeof header), header, sizeof header) != 0) luaL_error(L, "this version of Lua compiles in another form");
  take(in, 16);  // samples of an integer and a number
  take(in, 1);   // upvalues of the main function
  read_function(in, NULL, 0);
}

void rh_visit_prototypes(lua_State *L, void (*visit)(void *context, const rh_prototype *prototype), void *context) {
  read_chunk(&(dump_reader){.L = L, .visit = visit, .context = context});
}

void rh_visit_texts(lua_State *L, void (*visit)(lua_State *L, const char *text, size_t length)) {
  read_chunk(&(dump_reader){.L = L, .visit_text = visit});
}

uint32_t rh_instruction(const rh_prototype *prototype, int instruction) {
  const uint8_t *bytes = prototype->code + (size_t)instruction * 4;
  return (uint32_t)bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16 | (uint32_t)bytes[3] << 24;
}

int rh_opcode(const rh_prototype *prototype, int instruction) { return prototype->code[instruction * 4] & 0x7F; }
