#!/bin/sh
# NAME: a GARM external provider whose machines are processes of this computer, each in a folder of its own.
#
# A provider is a program that is called once for each operation: the operation and what it is about stand in its environment, the wish for a machine in
# standard input, and the answer goes to standard output. So it is used by GARM, too. NO ISOLATION: a machine runs as this program's user.
#
# Its configuration file may be JSON: {"directory": "/srv/NAME"}, the folder of its machines; otherwise that is `machines` in the working directory. An
# image is an absolute folder with run.sh in it, which becomes `home/actions-runner` of a machine.
# shellcheck disable=SC2015,SC2016 # where either of two fails, what follows || is meant; what stands in '' is not this shell's
set -u
export PATH="${PATH:-/usr/local/bin:/usr/bin:/bin}"
# shellcheck source=protocol.sh
. "${0%/*}/protocol.sh"
# shellcheck source=processes.sh
. "${0%/*}/processes.sh"

not_found=30
duplicate=31
command=${GARM_COMMAND:-}
version=${GARM_INTERFACE_VERSION:-v0.1.0}
controller=${GARM_CONTROLLER_ID:-}
pool=${GARM_POOL_ID:-}
instance=${GARM_INSTANCE_ID:-}

# fail TEXT [STATUS]
fail() {
  log "$1"
  exit "${2:-1}"
}

# YOUR CODE: the machines. Here each is a folder, with `facts` (installation and pool) from its first moment on, so that a half of it can be deleted too.

is_name() { case $1 in '' | [!A-Za-z0-9]* | *[!A-Za-z0-9_.-]*) return 1 ;; esac; }

# Sets `owner` and `at`: the installation and the pool of a machine. Fails where it is not there, or another installation's.
facts_of() { [ -f "$machines/$1/facts" ] && read -r owner at <"$machines/$1/facts" && [ "$owner" = "$controller" ]; }

# Prints the name of a machine that is given by its name, or by the id that creation has told.
find_machine() {
  for candidate in "$1" "${1#local-}"; do
    if is_name "$candidate" && facts_of "$candidate"; then
      echo "$candidate"
      return
    fi
  done
  return 1
}

describe() {
  if is_living "$machines/$1"; then status=running; else status=stopped; fi
  printf '{"provider_id":"local-%s","name":"%s","os_type":"linux","os_arch":"amd64","status":"%s"}' "$1" "$1" "$status"
}

list_machines() {
  all=''
  for folder in "$machines"/*; do
    if facts_of "${folder##*/}" && [ "$at" = "$pool" ]; then all=$all,$(describe "${folder##*/}"); fi
  done
  printf '[%s]' "${all#,}"
}

create() {
  message=$(tr '\n\r' '  ' | flatten) || fail 'standard input holds no JSON'
  name=$(text /name) && is_name "$name" || fail 'the name of the machine is missing, or cannot be one'
  image=$(text /image) && [ -f "$image/run.sh" ] || fail "image '${image:-}' is no folder with run.sh in it"
  template=$(text /extra_specs/runner_install_template | base64 -d) && [ -n "$template" ] ||
    fail 'extra_specs has no runner_install_template, and this provider has no install script of its own'
  folder=$machines/$name
  mkdir -m 700 "$folder" 2>/dev/null || fail "machine $name exists already" "$duplicate"
  printf '%s %s\n' "$controller" "$pool" >"$folder/facts"
  mkdir -m 700 "$folder/home" && cp -RP -- "$image" "$folder/home/actions-runner" || fail "the image cannot be copied"
  # It holds the machine's token.
  (umask 077 && fill_in >"$folder/user-data") || fail "$folder/user-data cannot be written"
  echo 'export RUNNER_ALLOW_RUNASROOT=1' >"$folder/environment"
  start_machine "$name"
  describe "$name"
}

# The host's template with its values in it: what a new machine is to run.
fill_in() {
  printf '%s\n' "$template" | MetadataURL=$(text /metadata-url) CallbackURL=$(text /callback-url) CallbackToken=$(text /instance-token) \
    RepoURL=$(text /repo_url) RunnerName=$name FileName=$(text /tools/0/filename) DownloadURL=$(text /tools/0/download_url) \
    UseJITConfig=$(raw /jit_config_enabled) awk '
    {
      out = ""
      while (match($0, /[{][{]-? *[.][A-Za-z]+ *-?[}][}]/)) {
        field = substr($0, RSTART, RLENGTH)
        out = out substr($0, 1, RSTART - 1)
        $0 = substr($0, RSTART + RLENGTH)
        gsub(/[^A-Za-z]/, "", field)
        out = out ENVIRON[field]
      }
      print out $0
    }'
}

start_machine() {
  if ! is_living "$machines/$1"; then
    rm -f "$machines/$1/pid"
    launch "$machines/$1" "$machines/$1/user-data" || fail "machine $1 does not start"
  fi
}

stop_machine() { end "$machines/$1" || fail "the processes of machine $1 do not end"; }

delete_machine() {
  stop_machine "$1"
  destroy "$machines/$1" || fail "machine $1 cannot be deleted"
}

# The call

case $version in v0.1.0 | v0.1.1) ;; *) fail "GARM_INTERFACE_VERSION is '$version': expected v0.1.0 or v0.1.1" ;; esac
[ -n "$controller" ] || fail 'GARM_CONTROLLER_ID is missing'
config=${GARM_PROVIDER_CONFIG_FILE:-}
[ -n "$config" ] && [ -e "$config" ] || fail "GARM_PROVIDER_CONFIG_FILE '$config' is not there"
machines=machines
if [ -s "$config" ]; then
  settings=$(tr '\n\r' '  ' <"$config" | flatten) || fail "GARM_PROVIDER_CONFIG_FILE '$config' holds no JSON"
  if directory=$(text /directory "$settings"); then machines=$directory; fi
fi
case $machines in /*) ;; *) machines=$PWD/$machines ;; esac
case $command in
  CreateInstance | ListInstances) [ -n "$pool" ] || fail 'GARM_POOL_ID is missing' ;;
  GetInstance | DeleteInstance | StartInstance | StopInstance)
    [ -n "$instance" ] || fail 'GARM_INSTANCE_ID is missing'
    [ -n "$pool" ] || [ "$version" = v0.1.0 ] || fail 'GARM_POOL_ID is missing'
    ;;
esac
mkdir -p "$machines" || fail "the folder of machines, $machines, cannot be made"

case $command in
  GetVersion) printf 'v1.0.0' ;;
  GetSupportedInterfaceVersions) printf '["v0.1.0","v0.1.1"]' ;;
  ValidatePoolInfo) ;;
  GetConfigJSONSchema | GetExtraSpecsJSONSchema) printf '{"$schema":"http://json-schema.org/draft-07/schema#","type":"object"}' ;;
  CreateInstance) create ;;
  ListInstances) list_machines ;;
  RemoveAllInstances)
    for folder in "$machines"/*; do
      if facts_of "${folder##*/}"; then delete_machine "${folder##*/}"; fi
    done
    ;;
  GetInstance | DeleteInstance | StartInstance | StopInstance)
    if ! name=$(find_machine "$instance"); then
      [ "$command" != DeleteInstance ] || exit 0
      fail "there is no machine $instance" "$not_found"
    fi
    case $command in
      GetInstance) describe "$name" ;;
      DeleteInstance) delete_machine "$name" ;;
      StartInstance) start_machine "$name" ;;
      StopInstance) stop_machine "$name" ;;
    esac
    ;;
  *) fail "GARM_COMMAND '$command' is not known" ;;
esac
