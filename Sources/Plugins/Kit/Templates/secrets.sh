#!/bin/sh
# NAME: keeps secrets that the configuration names.
set -u
# shellcheck source=protocol.sh
. "${0%/*}/protocol.sh"

start() {
  # Of all messages, only this one holds the configuration.
  settings=$message
}

handle() {
  case $1 in
    secrets/read)
      name=$(text /params/path) || { refuse -32602 'path is missing'; return; }
      if field=$(text /params/field); then name="$name#$field"; fi
      if value=$(find_secret); then answer "{\"value\":$value}"; else refuse -32001 'there is no such secret'; fi
      ;;
    *) refuse -32601 "no method $1" ;;
  esac
}

# Prints the value as JSON.
find_secret() {
  # YOUR CODE: ask your vault, and print "$(quoted "$value")". This looks into the plugin's own configuration.
  message=$settings
  raw "/params/configuration/values/$name"
}

serve
