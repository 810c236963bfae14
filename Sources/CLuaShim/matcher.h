// A match under way: shared by matcher.c, which finds it, and pattern.c, which makes results of it.
#pragma once

#include "internal.h"

enum { MOST_CAPTURES = 32, MOST_DEPTH = 150, UNFINISHED = -1, POSITION = -2 };

typedef struct {
  lua_State *L;
  rh_lua *state;
  const char *start, *end, *pattern_end;
  int depth, count;
  struct {
    const char *start;
    ptrdiff_t length;
  } captures[MOST_CAPTURES];
} matcher;

/// Where the match of a pattern at `s` ends, or NULL. Charges each step.
const char *rh_match(matcher *m, const char *s, const char *p);
