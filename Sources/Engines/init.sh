#!/bin/sh
# PID 1 of a runner environment. It waits for the file .runnerhub-go in the runner's home (its text is the number of the use), runs run.sh
# there, and copies its output, and what grows under _diag/pages and _diag/blocks, to the log of that use.
#
#   RUNNERHUB_HOME      the runner's home; default: HOME
#   RUNNERHUB_STATE     a folder of ours, on the home's file system: exit.N (how use N ended), ended (the same of the last use, as a link to
#                       N.STATUS, and with .oom after it where the kernel ended a process for want of memory), use (the newest use), exit (how we ended), ready (we wait)
#   RUNNERHUB_LOGS      a folder for use-N.log; without it everything goes to standard output, between marker lines
#   RUNNERHUB_REUSABLE  1: wait for another use after one has ended
#   RUNNERHUB_TEMPLATE  the home as the image has it, where the root cannot be written: the home is filled from it at each start of ours
#   RUNNERHUB_WRITABLE  all that a job can write to: emptied at each start of ours
#   RUNNERHUB_GRACE     seconds that run.sh has to end after SIGTERM; default 10
#
# Everything stands in functions, so that the shell has read the whole file before a job could change it.
set -u

home=${RUNNERHUB_HOME:-$HOME}
state=$RUNNERHUB_STATE
logs=${RUNNERHUB_LOGS:-}
reusable=${RUNNERHUB_REUSABLE:-0}
grace=${RUNNERHUB_GRACE:-10}
template=${RUNNERHUB_TEMPLATE:-}
writable=${RUNNERHUB_WRITABLE:-}
unset RUNNERHUB_HOME RUNNERHUB_STATE RUNNERHUB_LOGS RUNNERHUB_REUSABLE RUNNERHUB_GRACE RUNNERHUB_TEMPLATE RUNNERHUB_WRITABLE

marker=$home/.runnerhub-go
use=''
runner=''
watchdog=''
stopping=0
signalled=0

# A shell starts background commands with SIGINT ignored, and what is ignored at the start stays so: the real runner could not be told to
# cancel its job, and a step could not test its own Ctrl-C. GNU env can undo that; its path, since busybox takes its own for `env`.
fresh='/usr/bin/env --default-signal=INT,QUIT'
$fresh true 2>/dev/null || fresh=''

save() { # save FILE TEXT: whole or not at all
  printf '%s\n' "$2" >"$1.new" && mv -f "$1.new" "$1"
}

# One look at a link tells an engine that cannot read our files at once.
save_end() { # save_end USE.STATUS
  rm -f "$state/ended"
  ln -s "$1" "$state/ended"
}

# Processes that the kernel has ended for want of memory since this container was started: cgroup v1, v2.
memory_kills() {
  cat /sys/fs/cgroup/memory/memory.oom_control /sys/fs/cgroup/memory.events 2>/dev/null | while read -r name number; do
    [ "$name" != oom_kill ] || echo "$number"
  done
}

# Empties what a job could write to and fills the home again, keeping of the job before only how it ended. A use that was cut short by the end
# of an earlier PID 1 ended as what is killed.
renew() {
  before=''
  [ ! -e "$state/use" ] || read -r before <"$state/use"
  case $before in *[!0-9]*) before='' ;; esac
  end=$(readlink "$state/ended")
  end=${end%.oom}
  case $end in
    '' | *[!0-9.]* | .* | *.*.* | *.) end='' ;;
  esac
  if [ -n "$before" ] && [ "${end%%.*}" != "$before" ]; then end=$before.137; fi

  for place in $writable; do
    chmod -R u+rwX "$place" 2>/dev/null
    find "$place" -mindepth 1 -maxdepth 1 -exec rm -rf {} +
    [ -z "$(ls -A "$place")" ] || return 1
  done
  chmod 755 "$home" && cp -RP "$template/." "$home/" && mkdir -p "$state" || return 1
  [ -z "$end" ] || save_end "$end"
}

# Asks the runner to end; ends it when its time is over.
stop_runner() {
  [ -z "$watchdog" ] || return 0
  kill -TERM "$runner" 2>/dev/null
  {
    exec 3>&-
    sleep "$grace"
    kill -KILL "$runner" 2>/dev/null
  } &
  watchdog=$!
}

# shellcheck disable=SC2317 # called by a trap
on_stop() {
  signalled=1
  if [ "$stopping" = 0 ]; then
    stopping=1
    [ -z "$runner" ] || stop_runner
  fi
}

# wait_for PID: sets status, also when signals of ours end the wait early. 127 then means that the status had been taken already.
wait_for() {
  wait "$1"
  status=$?
  while [ "$signalled" = 1 ]; do
    signalled=0
    wait "$1"
    again=$?
    [ "$again" = 127 ] || status=$again
  done
}

# Ends what is left below us. We adopt every orphan (as PID 1, or as subreaper), so our children are all there is, sooner or later.
end_descendants() {
  rounds=0
  while [ "$rounds" -lt 200 ]; do
    # The kernel's list ends without a newline, which read calls a failure.
    read -r children <"/proc/$$/task/$$/children" || :
    [ -n "$children" ] || break
    # shellcheck disable=SC2086 # a list of numbers
    kill -KILL $children 2>/dev/null
    # To wait for one child takes the status of every other that has ended.
    sleep 0.01 &
    wait "$!"
    rounds=$((rounds + 1))
  done
}

# Copies what is new in the pages to descriptor 3. A page is hard-linked when first seen, so that what the runner deletes after its upload
# is still read to its end. Only regular files: a pipe would stop us for ever.
copy_pages() {
  for kind in pages blocks; do
    for page in "$home/_diag/$kind"/*; do
      link=$pages/$kind.${page##*/}
      if [ -e "$link" ] || [ ! -f "$page" ] || [ -L "$page" ]; then continue; fi
      ln "$page" "$link" 2>/dev/null || [ ! -e "$page" ] || [ -e "$pages.broken" ] || {
        : >"$pages.broken"
        echo "runnerhub: cannot follow $page: hard link to $pages failed" >&3
      }
    done
  done
  set -- "$pages"/*
  [ -e "$1" ] || return 0
  wc -c "$@" | while read -r size link; do
    case $link in "$pages"/*) ;; *) continue ;; esac
    seen=0
    [ ! -e "$offsets/${link##*/}" ] || read -r seen <"$offsets/${link##*/}"
    [ "$size" -gt "$seen" ] || continue
    tail -c "+$((seen + 1))" "$link" | head -c "$((size - seen))" >&3
    echo "$size" >"$offsets/${link##*/}"
  done
}

# Until the file $pages.end is there. SIGTERM shortens its sleep; alone it would not do, for a signal that comes before the trap is lost.
follow_pages() {
  trap : TERM
  trap '' USR1
  until [ -e "$pages.end" ]; do
    copy_pages
    sleep 0.2 &
    wait "$!"
  done
}

wait_for_marker() {
  use=''
  : >"$state/ready"
  while [ "$stopping" = 0 ]; do
    if [ -e "$marker" ]; then
      { read -r use <"$marker"; } 2>/dev/null || : # it may not be ours yet
      case $use in
        '') ;; # not written to its end yet
        *[!0-9]*) echo "runnerhub: $marker holds no number of a use: $use" >&2; rm -f "$marker" ;;
        *)
          [ "$use" -le "$last" ] || break
          echo "runnerhub: use $use was before" >&2
          rm -f "$marker"
          ;;
      esac
      use=''
    fi
    # SIGUSR1 ends this wait at once; the second is for a signal that came too early.
    signalled=0
    sleep 1 &
    pause=$!
    wait "$pause"
    [ "$signalled" = 0 ] || kill "$pause" 2>/dev/null
  done
  rm -f "$state/ready" "$marker"
}

run_use() {
  pages=$state/pages.$use
  offsets=$state/offsets.$use
  mkdir -p "$pages" "$offsets"
  save "$state/use" "$use"
  if [ -n "$logs" ]; then exec 3>>"$logs/use-$use.log"; else exec 3>&1; echo "##[runnerhub use $use]" >&3; fi

  # shellcheck disable=SC2086 # no signal or one prefix of two words
  (cd "$home" && exec $fresh ./run.sh) </dev/null >&3 2>&3 3>&- &
  runner=$!
  follow_pages &
  follower=$!
  [ "$stopping" = 0 ] || stop_runner

  wait_for "$runner"
  ended_with=$status
  runner=''
  [ -z "$watchdog" ] || kill -KILL "$watchdog" 2>/dev/null
  : >"$pages.end"
  kill -TERM "$follower" 2>/dev/null
  wait_for "$follower"
  copy_pages
  # After a newline of ours: the output may end without one.
  [ -n "$logs" ] || printf '\n##[runnerhub end %s]\n' "$use" >&3
  exec 3>&-
  rm -rf "$pages" "$pages.broken" "$pages.end" "$offsets"
  save "$state/exit.$use" "$ended_with"
  case $(memory_kills) in '' | 0) save_end "$use.$ended_with" ;; *) save_end "$use.$ended_with.oom" ;; esac
}

main() {
  trap 'signalled=1' USR1
  trap on_stop TERM INT
  ended_with=0
  last=0
  if [ -n "$template" ]; then
    renew || { echo "runnerhub: $writable cannot be made as new" >&2; exit 1; }
  fi
  mkdir -p "$state" || exit 1
  while :; do
    wait_for_marker
    [ -n "$use" ] || break
    last=$use
    run_use
    # What a job has left behind ends now, not when the container is made fit for the next one.
    end_descendants
    if [ "$reusable" != 1 ] || [ "$stopping" = 1 ]; then break; fi
  done
  save "$state/exit" "$ended_with"
  exit "$ended_with"
}

main "$@"
