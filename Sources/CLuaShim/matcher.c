// The matching of Lua patterns, with a budget.
//
// The library's own matcher runs inside C, where the count hook does not fire; a pattern such as ("a*"):rep(40) keeps it busy for minutes.
// This one has the same meaning (Lua 5.4 manual, 6.4.1; the matching follows lstrlib.c, © 1994–2022 Lua.org, PUC-Rio, MIT licence) and
// charges each step, so that a match ends with the budget of the call.
#include <ctype.h>
#include <string.h>

#include "matcher.h"

static void step(matcher *m) {
  if (++m->state->steps > m->state->limits.steps) rh_charge(m->L, 1);
}

static int check_capture(matcher *m, int digit) {
  int capture = digit - '1';
  if (capture < 0 || capture >= m->count || m->captures[capture].length == UNFINISHED)
    return luaL_error(m->L, "invalid capture index %%%d in pattern", capture + 1);
  return capture;
}

static const char *class_end(matcher *m, const char *p) {
  if (p == m->pattern_end) luaL_error(m->L, "malformed pattern (ends early)");
  if (*p++ == '%') {
    if (p == m->pattern_end) luaL_error(m->L, "malformed pattern (ends with '%%')");
    return p + 1;
  }
  if (p[-1] != '[') return p;
  if (p < m->pattern_end && *p == '^') p++;
  do {  // looks for a ']'; the first character is never it
    if (p >= m->pattern_end) luaL_error(m->L, "malformed pattern (missing ']')");
    if (*p++ == '%') {
      if (p >= m->pattern_end) luaL_error(m->L, "malformed pattern (missing ']')");
      p++;
    }
  } while (p >= m->pattern_end || *p != ']');
  return p + 1;
}

static int is_of_class(int c, int class) {
  int is;
  switch (tolower(class)) {
    case 'a': is = isalpha(c); break;
    case 'c': is = iscntrl(c); break;
    case 'd': is = isdigit(c); break;
    case 'g': is = isgraph(c); break;
    case 'l': is = islower(c); break;
    case 'p': is = ispunct(c); break;
    case 's': is = isspace(c); break;
    case 'u': is = isupper(c); break;
    case 'w': is = isalnum(c); break;
    case 'x': is = isxdigit(c); break;
    default: return class == c;
  }
  return isupper(class) ? !is : is;
}

/// `p` is at the '[', `last` at the ']'.
static int is_in_set(matcher *m, int c, const char *p, const char *last) {
  int found = 1;
  if (p[1] == '^') {
    found = 0;
    p++;
  }
  while (++p < last) {
    step(m);
    if (*p == '%') {
      p++;
      if (is_of_class(c, (unsigned char)*p)) return found;
    } else if (p[1] == '-' && p + 2 < last) {
      p += 2;
      if ((unsigned char)p[-2] <= c && c <= (unsigned char)*p) return found;
    } else if ((unsigned char)*p == c) {
      return found;
    }
  }
  return !found;
}

static int is_single(matcher *m, const char *s, const char *p, const char *p_end) {
  step(m);
  if (s >= m->end) return 0;
  int c = (unsigned char)*s;
  switch (*p) {
    case '.': return 1;
    case '%': return is_of_class(c, (unsigned char)p[1]);
    case '[': return is_in_set(m, c, p, p_end - 1);
    default: return (unsigned char)*p == c;
  }
}

static const char *match_balance(matcher *m, const char *s, const char *p) {
  if (p >= m->pattern_end - 1) luaL_error(m->L, "malformed pattern (missing arguments to '%%b')");
  if (s >= m->end || *s != *p) return NULL;
  int depth = 1;
  while (++s < m->end) {
    step(m);
    if (*s == p[1]) {
      if (--depth == 0) return s + 1;
    } else if (*s == *p) {
      depth++;
    }
  }
  return NULL;
}

static const char *expand_most(matcher *m, const char *s, const char *p, const char *p_end) {
  ptrdiff_t i = 0;
  while (is_single(m, s + i, p, p_end)) i++;
  for (; i >= 0; i--) {
    const char *result = rh_match(m, s + i, p_end + 1);
    if (result) return result;
  }
  return NULL;
}

static const char *expand_least(matcher *m, const char *s, const char *p, const char *p_end) {
  for (;;) {
    const char *result = rh_match(m, s, p_end + 1);
    if (result) return result;
    if (!is_single(m, s, p, p_end)) return NULL;
    s++;
  }
}

static const char *open_capture(matcher *m, const char *s, const char *p, ptrdiff_t kind) {
  if (m->count >= MOST_CAPTURES) luaL_error(m->L, "too many captures");
  m->captures[m->count].start = s;
  m->captures[m->count].length = kind;
  m->count++;
  const char *result = rh_match(m, s, p);
  if (!result) m->count--;
  return result;
}

static const char *close_capture(matcher *m, const char *s, const char *p) {
  int open = m->count - 1;
  while (open >= 0 && m->captures[open].length != UNFINISHED) open--;
  if (open < 0) luaL_error(m->L, "invalid pattern capture");
  m->captures[open].length = s - m->captures[open].start;
  const char *result = rh_match(m, s, p);
  if (!result) m->captures[open].length = UNFINISHED;
  return result;
}

static const char *match_back(matcher *m, const char *s, int digit) {
  int capture = check_capture(m, digit);
  ptrdiff_t length = m->captures[capture].length;
  if (length < 0) luaL_error(m->L, "a position capture cannot be matched again");
  rh_charge(m->L, length / 16);
  return m->end - s >= length && memcmp(m->captures[capture].start, s, (size_t)length) == 0 ? s + length : NULL;
}

static const char *match_frontier(matcher *m, const char *s, const char *p, const char *p_end) {
  int before = s == m->start ? 0 : (unsigned char)s[-1], here = s >= m->end ? 0 : (unsigned char)*s;
  return !is_in_set(m, before, p, p_end - 1) && is_in_set(m, here, p, p_end - 1) ? p_end : NULL;
}

/// Where the match of the rest of the pattern ends, or NULL.
static const char *match_items(matcher *m, const char *s, const char *p) {
  while (p != m->pattern_end) {
    step(m);
    if (*p == '(') return p + 1 < m->pattern_end && p[1] == ')' ? open_capture(m, s, p + 2, POSITION) : open_capture(m, s, p + 1, UNFINISHED);
    if (*p == ')') return close_capture(m, s, p + 1);
    if (*p == '$' && p + 1 == m->pattern_end) return s == m->end ? s : NULL;
    if (*p == '%' && p + 1 < m->pattern_end) {
      if (p[1] == 'b') {
        if (!(s = match_balance(m, s, p + 2))) return NULL;
        p += 4;
        continue;
      }
      if (p[1] == 'f') {
        p += 2;
        if (p >= m->pattern_end || *p != '[') luaL_error(m->L, "missing '[' after '%%f' in pattern");
        if (!(p = match_frontier(m, s, p, class_end(m, p)))) return NULL;
        continue;
      }
      if (isdigit((unsigned char)p[1])) {
        if (!(s = match_back(m, s, (unsigned char)p[1]))) return NULL;
        p += 2;
        continue;
      }
    }
    const char *p_end = class_end(m, p);
    char suffix = p_end < m->pattern_end ? *p_end : '\0';
    if (suffix == '*') return expand_most(m, s, p, p_end);
    if (suffix == '-') return expand_least(m, s, p, p_end);
    int fits = is_single(m, s, p, p_end);
    if (suffix == '+') return fits ? expand_most(m, s + 1, p, p_end) : NULL;
    if (suffix == '?') {
      const char *result = fits ? rh_match(m, s + 1, p_end + 1) : NULL;
      if (result) return result;
      p = p_end + 1;
      continue;
    }
    if (!fits) return NULL;
    s++;
    p = p_end;
  }
  return s;
}

const char *rh_match(matcher *m, const char *s, const char *p) {
  if (++m->depth > MOST_DEPTH) luaL_error(m->L, "pattern too complex");
  const char *result = match_items(m, s, p);
  m->depth--;
  return result;
}
