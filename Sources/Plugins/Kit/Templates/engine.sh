#!/bin/sh
# NAME: an engine whose containers are processes of this computer, each in a folder of its own.
#
# NO ISOLATION: a job runs as this plugin's user, and reads and changes whatever that user may. So no container is used a second time.
# An image is an absolute folder with run.sh in it, of which each container gets a copy. All that is known of a container stands in its folder, so that
# containers outlive this program:
#
#   DIRECTORY/containers/ID/spec         what was asked for: there once all else is
#                           home         the runner's home
#                           state, log   PID 1's notes, and the log of each use
#                           environment  of its processes
#                           pid          see processes.sh
# shellcheck disable=SC2015,SC2016 # where either of two fails, what follows || is meant; what stands in '' is not this shell's
set -u
# shellcheck source=protocol.sh
. "${0%/*}/protocol.sh"
# shellcheck source=processes.sh
. "${0%/*}/processes.sh"

start() {
  directory=$(text /params/directory)
  root=$directory/containers
  init=''
  ended=''
  mkdir -p "$root"
}

# Asked every few seconds: a good moment to say that a container has ended.
health() {
  now=$(for spec in "$root"/*/spec; do
    folder=${spec%/spec}
    if [ -e "$folder/pid" ] && ! is_living "$folder"; then echo "$folder"; fi
  done)
  [ "$now" = "$ended" ] || inform engine/changed '{}'
  ended=$now
  answer '{"status":"ok"}'
}

handle() {
  case $1 in
    engine/capacity) capacity; return ;;
    engine/list) list_all; return ;;
    engine/home | engine/create | engine/start | engine/put | engine/inspect | engine/log | engine/update | engine/recycle | engine/remove) ;;
    *) refuse -32601 "no method $1"; return ;;
  esac
  name=$(text /params/id) || { refuse -32602 'id is missing'; return; }
  case $name in
    *[!a-z0-9-]*) refuse -32002 "$name is no container's id: expected 2 to 63 of a-z, 0-9 and -"; return ;;
  esac
  if [ "${#name}" -lt 2 ] || [ "${#name}" -gt 63 ]; then
    refuse -32002 "$name is no container's id: expected 2 to 63 of a-z, 0-9 and -"
    return
  fi
  folder=$root/$name
  case $1 in
    engine/home) answer "{\"home\":$(quoted "$folder/home")}" ;;
    engine/create) create ;;
    engine/inspect) if [ -e "$folder/spec" ]; then answer "{\"container\":$(look)}"; else answer '{}'; fi ;;
    engine/remove)
      # YOUR CODE: end all processes of the container, and take it away.
      if end "$folder" && destroy "$folder"; then answer '{}'; else refuse -32003 "$name cannot be removed"; fi
      ;;
    *)
      [ -e "$folder/spec" ] || { refuse -32001 "there is no container $name"; return; }
      case $1 in
        engine/start) begin_container ;;
        engine/put) put ;;
        engine/log) log_of_use ;;
        engine/update) refuse -32002 'this engine keeps no limits' ;;
        *) refuse -32002 'without isolation no container is fit for a second job' ;;
      esac
      ;;
  esac
}

capacity() {
  memory=$(awk '$1 == "MemTotal:" { printf "%.0f", $2 * 1024 }' /proc/meminfo)
  disk=$(df -P -k "$root" | awk 'NR == 2 { printf "%.0f", $2 * 1024 }')
  answer "{\"milliCPUs\":$(($(nproc) * 1000)),\"memory\":$memory,\"disk\":$disk,\"gpus\":0}"
}

create() {
  image=$(text /params/image) || { refuse -32602 'image is missing'; return; }
  wish=$(printf '%s\n' "$message" | grep '^/params/' | LC_ALL=C sort)
  if [ -e "$folder/spec" ]; then
    if [ "$wish" = "$(cat "$folder/spec")" ]; then answer '{}'; else refuse -32002 "container $name exists already, made for something else"; fi
    return
  fi
  [ "$(raw /params/reusable)" = false ] || { refuse -32002 'without isolation no container is fit for a second job: take reuse out of the pool'; return; }
  [ "$(raw /params/gpus)" = 0 ] || { refuse -32002 'this engine gives no GPUs'; return; }
  case $image in /*) ;; *) image='' ;; esac
  [ -f "$image/run.sh" ] || { refuse -32001 'the image is no absolute folder with run.sh in it'; return; }
  # YOUR CODE: make the container. Here it is a folder.
  # One call at a time is answered, health too, and the host ends a plugin that is silent for 30 s.
  # Let this take 20 s at most: have what may take longer, as a large image, made ready by another program.
  if destroy "$folder" && (umask 077 && mkdir "$folder" "$folder/state" "$folder/log") && cp -RP -- "$image" "$folder/home"; then
    environment && printf '%s\n' "$wish" >"$folder/spec.new" && mv "$folder/spec.new" "$folder/spec" && answer '{}'
  fi
  # Nothing, where it is answered already.
  refuse -32003 "$name cannot be made"
}

# Writes down what PID 1 is to have in its environment. The real runner passes SIGTERM on, and runs as root, only with the first two.
environment() {
  exports="export RUNNER_MANUALLY_TRAP_SIG=1 RUNNER_ALLOW_RUNASROOT=1$newline"
  for place in $(list /params/environment); do
    variable=${place#/params/environment/}
    case $variable in
      '' | [0-9]* | *[!A-Za-z0-9_]* | RUNNERHUB_*) refuse -32002 "$variable cannot be a variable of the environment"; return 1 ;;
    esac
    exports="${exports}export $variable=$(word "$(text "$place")")$newline"
  done
  home=$(word "$folder/home")
  exports="${exports}export HOME=$home RUNNERHUB_HOME=$home RUNNERHUB_STATE=$(word "$folder/state") RUNNERHUB_LOGS=$(word "$folder/log") RUNNERHUB_REUSABLE=0"
  (umask 077 && printf '%s\n' "$exports" >"$folder/environment")
}

begin_container() {
  if [ -e "$folder/pid" ]; then
    if is_living "$folder"; then answer '{}'; else refuse -32002 "container $name has ended"; fi
    return
  fi
  if [ -z "$init" ]; then
    # PID 1 as RunnerHub has it: it waits for the job's files, runs run.sh, and writes its log.
    ask engine/init '{}' && text /result/script "$reply" | base64 -d >"$directory/init.new" && mv "$directory/init.new" "$directory/init.sh" || {
      refuse -32003 'the host does not say what PID 1 is to be'
      return
    }
    init=$directory/init.sh
  fi
  # YOUR CODE: start PID 1 in the container. Here it is a process of this computer.
  if launch "$folder" "$init"; then answer '{}'; else refuse -32003 "$name does not start"; fi
}

put() {
  is_living "$folder" || { refuse -32002 "container $name does not run"; return; }
  for place in $(list /params/files); do
    path=$(text "$place/path") && mode=$(text "$place/mode") || { refuse -32602 'path or mode is missing'; return; }
    case /$path/ in *//* | */./* | */../*) refuse -32002 'that is no path below the home of the runner'; return ;; esac
  done
  for place in $(list /params/files); do
    path=$(text "$place/path")
    mode=$(text "$place/mode")
    put_one || { refuse -32002 "$path cannot be put"; return; }
  done
  answer '{}'
}

# Whole, in place of one of its name, and never through a link that a job has laid.
put_one() {
  at=$folder/home
  rest=$path
  while :; do
    case $rest in */*) ;; *) break ;; esac
    at=$at/${rest%%/*}
    rest=${rest#*/}
    [ ! -L "$at" ] && { [ -d "$at" ] || mkdir "$at"; } || return 1
  done
  text "$place/contents" | base64 -d >"$folder/put.new" && chmod "$(printf '%o' $((mode & 511)))" "$folder/put.new" &&
    mv -fT "$folder/put.new" "$at/$rest"
}

# What is known of a container, as JSON. A job could have put anything in place of PID 1's notes.
look() {
  more=''
  end=$(readlink "$folder/state/ended")
  end=${end%.oom}
  case $end in
    *[!0-9.]* | *.*.* | .* | 0* | *.0?* | ??????????*) ;;
    *.?*) more=",\"endedUse\":${end%%.*},\"runnerExit\":${end#*.}" ;;
  esac
  status=created
  if [ -e "$folder/pid" ]; then
    more="$more,\"startedAt\":\"$(date -u -r "$folder/pid" +%Y-%m-%dT%H:%M:%SZ)\""
    if is_living "$folder"; then status=running; else status=exited; fi
  fi
  if [ "$status" = exited ]; then
    # Neither through a link nor waiting for the writer of a pipe.
    code=$(dd if="$folder/state/exit" iflag=nofollow,nonblock bs=8 count=1 2>/dev/null | tr -d '\000')
    case $code in '' | *[!0-9]* | 0?* | ????*) ;; *) more="$more,\"exitCode\":$code" ;; esac
  fi
  printf '{"id":"%s","status":"%s"%s}' "$name" "$status" "$more"
}

list_all() {
  all=''
  for spec in "$root"/*/spec; do
    [ -e "$spec" ] || continue
    folder=${spec%/spec}
    name=${folder##*/}
    all=$all,$(look)
  done
  answer "{\"containers\":[${all#,}]}"
}

log_of_use() {
  use=$(raw /params/use) && offset=$(raw /params/offset) || { refuse -32602 'use or offset is missing'; return; }
  case $use$offset in *[!0-9]*) refuse -32602 'use and offset are whole numbers'; return ;; esac
  file=$folder/log/use-$use.log
  if [ -f "$file" ] && [ ! -L "$file" ]; then
    answer "{\"data\":\"$(tail -c "+$((offset + 1))" "$file" | head -c 1048576 | base64 -w 0)\"}"
  else
    answer '{"data":""}'
  fi
}

serve
