# RunnerHub's plugin protocol, version 1, for POSIX sh and awk: one call at a time.
#
# A plugin defines `start` and `handle METHOD`, perhaps `health`, and then calls `serve`. Within them:
#   text /params/alert/title   prints a text or number of the message, as it is; fails where there is none
#   raw /params/alert/title    the same as it stands in the message: JSON, to be put into another
#   list /params/events        prints the places of the items of a list or of the members of an object, one a line
#   answer '{"value": 1}'      answers the request
#   refuse -32001 'no such'    answers it with an error
#   ask METHOD '{}'            asks the host, and waits: its answer is in $reply, for `text /result/script "$reply"`; not within `start`
#   inform METHOD '{}'         tells the host something that it does not answer
# The first three take another text than the message as their second word: one that `flatten` has made of a line of JSON.

PLUGIN_VERSION=1.0.0
message=''
id=''
reply=''
asked=0
# Lines that came while the host was asked.
waiting=''
newline='
'

# One entry of the plugin's log.
log() { printf '%s\n' "$*" >&2; }

# A line of JSON as lines of place and value; fails where it is none.
flatten() {
  awk '
    function wrong() { failed = 1; exit 1 }
    # The place of the next value.
    function place(  i, path) {
      path = ""
      for (i = 1; i <= depth; i++) path = path "/" step[i]
      return path
    }
    function take(pattern) {
      if (!match(text, pattern) || RSTART != 1) wrong()
      token = substr(text, 1, RLENGTH)
      text = substr(text, RLENGTH + 1)
    }
    function value(  c) {
      c = substr(text, 1, 1)
      if (c == "{" || c == "[") {
        if (++depth > 64) wrong()
        kind[depth] = c
        step[depth] = c == "[" ? 0 : ""
        text = substr(text, 2)
        want = c == "{" ? "key or end" : "value or end"
        return
      }
      if (c == "\"") take("^\"([^\"\\\\]|\\\\.)*\"")
      else take("^(-?[0-9][-+.0-9eE]*|true|false|null)")
      print place() "\t" token
      want = depth == 0 ? "nothing" : "comma or end"
    }
    function close_with(c) {
      if (kind[depth] != (c == "}" ? "{" : "[")) wrong()
      depth--
      text = substr(text, 2)
      want = depth == 0 ? "nothing" : "comma or end"
    }
    NR > 1 { wrong() }
    {
      text = $0
      want = "value"
      for (;;) {
        sub(/^[ \t\r]+/, "", text)
        c = substr(text, 1, 1)
        if (c == "") break
        if (want == "nothing") wrong()
        if ((c == "}" && want == "key or end") || (c == "]" && want == "value or end")) close_with(c)
        else if ((c == "}" || c == "]") && want == "comma or end") close_with(c)
        else if (c == "," && want == "comma or end") {
          text = substr(text, 2)
          if (kind[depth] == "[") { step[depth]++; want = "value" } else want = "key"
        } else if (want == "key" || want == "key or end") {
          take("^\"([^\"\\\\]|\\\\.)*\"")
          step[depth] = substr(token, 2, length(token) - 2)
          sub(/^[ \t\r]+/, "", text)
          if (substr(text, 1, 1) != ":") wrong()
          text = substr(text, 2)
          want = "value"
        } else if (want == "value" || want == "value or end") value()
        else wrong()
      }
      if (want != "nothing") wrong()
    }
    END { if (failed || NR == 0) exit 1 }
  '
}

raw() {
  printf '%s\n' "${2-$message}" | WANTED=$1 awk -F '\t' '$1 == ENVIRON["WANTED"] { print substr($0, length($1) + 2); found = 1 } END { exit !found }'
}

# Escapes of characters beyond ASCII stay as they are.
text() {
  raw "$1" "${2-$message}" | awk '
    {
      if (substr($0, 1, 1) != "\"") { print; next }
      rest = substr($0, 2, length($0) - 2)
      out = ""
      while (match(rest, /\\./)) {
        out = out substr(rest, 1, RSTART - 1)
        c = substr(rest, RSTART + 1, 1)
        rest = substr(rest, RSTART + 2)
        if (c == "n") out = out "\n"
        else if (c == "t") out = out "\t"
        else if (c == "r") out = out "\r"
        else if (c == "b" || c == "f") out = out " "
        else if (c == "u") out = out "\\u"
        else out = out c
      }
      print out rest
    }
    END { exit NR == 0 }
  '
}

list() {
  printf '%s\n' "${2-$message}" | WANTED=$1 awk -F '\t' '
    BEGIN { start = ENVIRON["WANTED"] "/" }
    index($1, start) == 1 {
      split(substr($1, length(start) + 1), part, "/")
      if (!((start part[1]) in seen)) { seen[start part[1]] = 1; print start part[1] }
    }
  '
}

# A text as JSON. Other control characters than the usual are left out.
quoted() {
  printf '%s' "$1" | tr -d '\000-\010\013\014\016-\037' | awk '
    BEGIN { printf "\"" }
    NR > 1 { printf "\\n" }
    { gsub(/\\/, "\\\\"); gsub(/"/, "\\\""); gsub(/\t/, "\\t"); gsub(/\r/, "\\r"); printf "%s", $0 }
    END { printf "\"" }
  '
}

answer() { [ -z "$id" ] || printf '{"jsonrpc":"2.0","id":%s,"result":%s}\n' "$id" "$1"; id=''; }

refuse() { [ -z "$id" ] || printf '{"jsonrpc":"2.0","id":%s,"error":{"code":%s,"message":%s}}\n' "$id" "$1" "$(quoted "$2")"; id=''; }

inform() { printf '{"jsonrpc":"2.0","method":"%s","params":%s}\n' "$1" "$2"; }

ask() {
  asked=$((asked + 1))
  printf '{"jsonrpc":"2.0","id":"p%s","method":"%s","params":%s}\n' "$asked" "$1" "$2"
  while IFS= read -r line; do
    if reply=$(printf '%s\n' "$line" | flatten) && ! raw /method "$reply" >/dev/null; then
      [ "$(text /id "$reply")" = "p$asked" ] || continue
      raw /error/code "$reply" >/dev/null || return 0
      log "the host refused $1: $(text /error/message "$reply")"
      return 1
    fi
    waiting=$waiting$line$newline
  done
  return 1
}

# Sets `line` to what comes next.
next_line() {
  if [ -z "$waiting" ]; then
    IFS= read -r line
  else
    line=${waiting%%"$newline"*}
    waiting=${waiting#*"$newline"}
  fi
}

health() { answer '{"status":"ok"}'; }

initialize() {
  for place in $(list /params/protocolVersions); do
    if [ "$(text "$place")" = 1 ]; then
      start && answer "{\"protocolVersion\":\"1\",\"version\":\"$PLUGIN_VERSION\"}"
      [ -z "$id" ] || refuse -32000 'it could not be started'
      return
    fi
  done
  refuse -32002 'this plugin speaks version 1 of the protocol only'
}

serve() {
  while next_line; do
    if ! message=$(printf '%s\n' "$line" | flatten); then
      id=null
      refuse -32700 'no JSON'
      continue
    fi
    id=$(raw /id) || id=''
    method=$(text /method) || continue
    case $method in
      initialize) initialize ;;
      health) health ;;
      shutdown) answer '{}' ;;
      *) handle "$method" || refuse -32603 'a defect' ;;
    esac
  done
}
