// What a function does at most, as far as its instructions say it beforehand (Lua 5.4: lopcodes.h).
#include <string.h>

#include "internal.h"

enum {
  MOVE = 0,
  LOAD_INTEGER = 1,
  LOAD_NIL = 8,
  GET_UPVALUE = 9,
  GET_FIELD_OF_UPVALUE = 11,
  GET_FIELD = 14,
  ADD_INTEGER = 21,
  ADD = 34,
  SHIFT_RIGHT = 45,
  METHOD_OF_INTEGER = 47,
  METHOD_OF_CONSTANT = 48,
  LENGTH = 52,
  CONCATENATE = 53,
  JUMP = 56,
  EQUAL = 57,
  LESS = 58,
  LESS_OR_EQUAL = 59,
  EQUAL_CONSTANT = 60,
  EQUAL_INTEGER = 61,
  LESS_THAN_INTEGER = 62,
  GREATER_OR_EQUAL_INTEGER = 65,
  TEST = 66,
  TEST_SET = 67,
  CALL = 68,
  TAIL_CALL = 69,
  RETURN = 70,
  RETURN_NOTHING = 71,
  RETURN_ONE = 72,
  FOR_LOOP = 73,
  FOR_LAST = 77,
};

/// Instructions of a function that compares by order, at most: each may look at two whole texts.
enum { MOST_COMPARISONS = 400 };

typedef struct {
  lua_State *L;
  rh_kind *const *parameters;
  rh_foreseen found;
} search;

/// Notes that a field of a parameter is read; 0 where its kind has no such field, which is an error when it is read.
static int note_read(search *at, const rh_prototype *prototype, int parameter, int constant) {
  lua_State *L = at->L;
  rh_kind *kind = at->parameters[parameter];
  if (!kind || constant >= prototype->constant_count || !prototype->constants[constant].text) return 0;
  rh_push_fields(L, kind);
  lua_pushlstring(L, prototype->constants[constant].text, prototype->constants[constant].length);
  int is_field = lua_rawget(L, -2) != LUA_TNIL;
  if (is_field) at->found.fields[parameter] |= UINT64_C(1) << lua_tointeger(L, -1);
  lua_pop(L, 2);
  return is_field;
}

/// Whether an instruction does nothing with a parameter but read a field of it by name, or ask whether it is there.
static int is_plain(search *at, const rh_prototype *prototype, int opcode, uint32_t instruction) {
  int first = prototype->parameters;
  int a = instruction >> 7 & 0xFF, b = instruction >> 16 & 0xFF, c = instruction >> 24;
  if (opcode == JUMP || opcode == EQUAL || opcode == EQUAL_CONSTANT || opcode == EQUAL_INTEGER || opcode == TEST || opcode == RETURN_NOTHING)
    return 1;
  if (a < first) return 0;  // assigns to a parameter, computes with it or returns it
  if (opcode == GET_FIELD) return b >= first || (b < 2 && note_read(at, prototype, b, c));
  if ((opcode >= LOAD_INTEGER && opcode <= LOAD_NIL) || opcode == GET_UPVALUE || opcode == GET_FIELD_OF_UPVALUE || opcode == CONCATENATE) return 1;
  if (opcode == METHOD_OF_INTEGER || opcode == METHOD_OF_CONSTANT) return 1;
  if (opcode == RETURN || opcode == RETURN_ONE || (opcode >= LESS_THAN_INTEGER && opcode <= GREATER_OR_EQUAL_INTEGER)) return 1;
  if (b < first) return 0;
  if (opcode >= ADD && opcode <= SHIFT_RIGHT) return c >= first;
  return opcode == MOVE || opcode == TEST_SET || opcode == LESS || opcode == LESS_OR_EQUAL || (opcode >= ADD_INTEGER && opcode < ADD) ||
         (opcode > SHIFT_RIGHT && opcode <= LENGTH);
}

static void look(void *context, const rh_prototype *prototype) {
  search *at = context;
  if (prototype->parent) return;  // what is only made is not run
  int is_bounded = 1;
  at->found.only_reads = !prototype->is_vararg;
  for (int i = 0; i < prototype->instructions; i++) {
    int opcode = rh_opcode(prototype, i);
    uint32_t instruction = rh_instruction(prototype, i);
    int is_backward = opcode == JUMP && (instruction >> 7) < (1u << 24) - 1;
    if (is_backward || opcode == CALL || opcode == TAIL_CALL || (opcode >= FOR_LOOP && opcode <= FOR_LAST)) is_bounded = 0;
    if (opcode == LESS || opcode == LESS_OR_EQUAL) at->found.compares = 1;
    if (!is_plain(at, prototype, opcode, instruction)) at->found.only_reads = 0;
  }
  if (at->found.compares && prototype->instructions > MOST_COMPARISONS) is_bounded = 0;
  at->found.steps = is_bounded ? prototype->instructions : 0;
  at->found.only_reads = at->found.only_reads && is_bounded;
}

rh_foreseen rh_foresee(lua_State *L, int function, rh_kind *const parameters[2]) {
  search at = {.L = L, .parameters = parameters};
  if (lua_iscfunction(L, function)) return at.found;
  lua_pushvalue(L, function);
  rh_visit_prototypes(L, look, &at);
  lua_pop(L, 1);
  return at.found;
}
