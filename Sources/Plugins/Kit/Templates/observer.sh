#!/bin/sh
# NAME: is told what happens.
set -u
# shellcheck source=protocol.sh
. "${0%/*}/protocol.sh"

start() {
  file=$(text /params/directory)/events.txt
  last=0
}

handle() {
  case $1 in
    observer/events)
      missed=$(text /params/missed) || { refuse -32602 'missed is missing'; return; }
      [ "$missed" = 0 ] || log "$missed events were missed: this observer is too slow for them"
      # What is not newer than the last event is a repetition: each comes at least once, and in order.
      printf '%s\n' "$message" | keep >>"$file.new" || { refuse -32003 'the events could not be kept'; return; }
      newest=$(tail -n 1 "$file.new" | cut -f 1)
      cat "$file.new" >>"$file" && : >"$file.new"
      last=${newest:-$last}
      answer '{}'
      ;;
    *) refuse -32601 "no method $1" ;;
  esac
}

# Reads the places and values of the message.
keep() {
  # YOUR CODE: make something of the events. This keeps the number and the text of each in a file of the plugin's own directory.
  LAST=$last awk -F '\t' '
    function tell() {
      if (id != "" && id + 0 > ENVIRON["LAST"] + 0) print id "\t" words
      id = words = ""
    }
    { split($1, part, "/") }
    part[3] == "events" && part[4] != item { tell(); item = part[4] }
    part[3] == "events" && part[5] == "id" && part[6] == "" { id = $2 }
    part[3] == "events" && part[5] == "text" && part[6] == "" { words = substr($0, length($1) + 2) }
    END { tell() }
  '
}

serve
