#!/bin/sh
# NAME: tells people of alerts.
set -u
# shellcheck source=protocol.sh
. "${0%/*}/protocol.sh"

start() {
  prefix=$(text /params/configuration/prefix) || prefix=''
  file=$(text /params/directory)/alerts.txt
  told=' '
}

handle() {
  case $1 in
    notifier/notify)
      if ! event=$(text /params/event) || ! alert=$(text /params/alert/id) || ! title=$(text /params/alert/title); then
        refuse -32602 'event, alert.id or alert.title is missing'
        return
      fi
      severity=$(text /params/alert/severity) || severity=info
      # Each alert is told at least once: its id with the event tells a repetition.
      case $told in *" $alert/$event "*) answer '{}'; return ;; esac
      if tell; then
        told="$told$alert/$event "
        answer '{}'
      else
        refuse -32003 'it could not be told now'
      fi
      ;;
    *) refuse -32601 "no method $1" ;;
  esac
}

tell() {
  # YOUR CODE: send it to where people look. This writes a line into a file of the plugin's own directory.
  printf '%s%s %s: %s\n' "$prefix" "$severity" "$event" "$title" >>"$file"
}

serve
