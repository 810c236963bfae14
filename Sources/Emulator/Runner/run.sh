#!/bin/sh
# The stand-in runner: honours the contract of GitHub's runner for the local GitHub of RunnerHub, in any image with a POSIX shell.
# It finds .runner and .credentials beside itself, connects, takes one job, runs its steps and ends with code 0.
# All expressions are worked out by the server; this script runs what it is told. Needs curl, bash or nc for HTTP.
set -u
umask 022

root=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd) || exit 1
cd "$root" || exit 1

say() { printf '%s\n' "$*"; }
die() {
  printf 'run.sh: %s\n' "$*" >&2
  exit 1
}

# --- what GitHub's three files say ---------------------------------------------------------------------------------------------------
if [ ! -r .runner ] || [ ! -r .credentials ]; then die "no .runner and .credentials in $root: this runner is not configured"; fi
# member FILE NAME: a member of a small JSON file, whose values hold no quotes.
member() { sed -n "s/.*\"$2\" *: *\"\\([^\"]*\\)\".*/\\1/p" "$1" | head -n 1; }
runner_name=$(member .runner agentName)
server=$(member .runner serverUrl)
work_folder=$(member .runner workFolder)
secret=$(member .credentials secret)
if [ -z "$server" ] || [ -z "$secret" ]; then die ".runner or .credentials lack serverUrl or secret"; fi
authority=${server#http://}
authority=${authority%%/*}
host=${authority%:*}
port=${authority##*:}
[ "$port" != "$authority" ] || port=80

state=$root/_temp_runner.$$
mkdir -p "$state" "$root/_diag/pages" "$root/${work_folder:=_work}/_temp" || die "cannot write in $root"
work=$root/$work_folder
trap 'rm -rf "$state"' EXIT

# --- HTTP by what is there -----------------------------------------------------------------------------------------------------------
transport=${STAND_IN_TRANSPORT:-}
if [ -z "$transport" ]; then
  if command -v curl >/dev/null 2>&1; then
    transport=curl
  elif command -v bash >/dev/null 2>&1; then
    transport=bash
  elif command -v nc >/dev/null 2>&1; then
    transport=nc
  elif command -v busybox >/dev/null 2>&1; then
    transport=busybox
  else
    die "none of curl, bash, nc and busybox is here: no way to speak HTTP"
  fi
fi

# http METHOD PATH [BODY-FILE]: sets $status (000 without an answer); the answer's body is in $answer. Calls may come from subshells.
http() {
  http_method=$1 http_path=$2 http_body=${3:-/dev/null}
  answer=$state/answer.${http_slot:-main}
  if [ "$transport" = curl ]; then
    status=$(curl -sS --max-time 60 -o "$answer" -w '%{http_code}' -X "$http_method" -H "Authorization: Bearer $secret" \
      -H 'Content-Type: application/octet-stream' -H 'Expect:' --data-binary "@$http_body" "$server$http_path" 2>>"$state/errors") || status=000
    return 0
  fi
  {
    printf '%s %s HTTP/1.1\r\nHost: %s\r\nAuthorization: Bearer %s\r\nUser-Agent: stand-in\r\nConnection: close\r\n' \
      "$http_method" "$http_path" "$authority" "$secret"
    printf 'Content-Type: application/octet-stream\r\nContent-Length: %s\r\n\r\n' "$(($(wc -c <"$http_body")))"
    cat "$http_body"
  } >"$answer.request"
  case $transport in
    bash)
      # shellcheck disable=SC2016 # expanded by bash, from its arguments
      bash -c 'exec 3<>"/dev/tcp/$1/$2" && cat "$3" >&3 && cat <&3' bash "$host" "$port" "$answer.request" >"$answer.raw" 2>>"$state/errors" || :
      ;;
    nc) nc "$host" "$port" <"$answer.request" >"$answer.raw" 2>>"$state/errors" || : ;;
    busybox) busybox nc "$host" "$port" <"$answer.request" >"$answer.raw" 2>>"$state/errors" || : ;;
    *) die "unknown transport '$transport'" ;;
  esac
  status=$(sed -n '1s/^HTTP\/[0-9.]* \([0-9][0-9][0-9]\).*/\1/p' "$answer.raw")
  status=${status:-000}
  sed "1,/^$(printf '\r')\$/d" "$answer.raw" >"$answer"
}

# ask METHOD PATH [BODY-FILE]: http, again for a while when nobody answers.
ask() {
  ask_try=0
  while :; do
    http "$@"
    case $status in 000 | 5??) ;; *) return 0 ;; esac
    ask_try=$((ask_try + 1))
    [ "$ask_try" -lt 20 ] || return 1
    sleep 1
  done
}

# gone: the registration is no longer there. GitHub's runner ends with 0 then.
gone() {
  say "The runner registration has been deleted from the server, please re-configure. Runner registrations are automatically deleted for runners that have not connected to the service recently."
  exit 0
}

# urlencode TEXT: enough for paths of this machine.
urlencode() { printf '%s' "$1" | sed -e 's/%/%25/g' -e 's/ /%20/g' -e 's/&/%26/g' -e 's/+/%2B/g' -e 's/#/%23/g' -e 's/?/%3F/g'; }

stamp_now() {
  stamp=$(date -u +%Y-%m-%dT%H:%M:%S.%N 2>/dev/null) || stamp=
  case $stamp in *.[0-9][0-9][0-9][0-9][0-9][0-9][0-9]*) stamp=${stamp%??}Z ;; *) stamp=$(date -u +%Y-%m-%dT%H:%M:%S).0000000Z ;; esac
}

# --- logs: each line with its time, and without what is masked -----------------------------------------------------------------------
masks=$state/masks
: >"$masks"
# filter: standard input to standard output. Learns ::add-mask:: on its way. bash spares a process a line for the time.
# shellcheck disable=SC2016 # the program is for the shell that runs it
filter_program='
masks=$1
newline="
"
load() { held=$(cat "$masks"); }
mask() {
  rest_masks=$held
  while [ -n "$rest_masks" ]; do
    secret_text=${rest_masks%%"$newline"*}
    case $rest_masks in *"$newline"*) rest_masks=${rest_masks#*"$newline"} ;; *) rest_masks= ;; esac
    [ -n "$secret_text" ] || continue
    done_part= 
    while :; do
      case $line in *"$secret_text"*) ;; *) break ;; esac
      done_part=$done_part${line%%"$secret_text"*}"***"
      line=${line#*"$secret_text"}
    done
    line=$done_part$line
  done
}
now() {
  if [ -n "${EPOCHREALTIME:-}" ]; then
    moment=$EPOCHREALTIME
    printf -v stamp "%(%Y-%m-%dT%H:%M:%S)T.%s0Z" "${moment%[.,]*}" "${moment#*[.,]}"
  else
    stamp=$(date -u +%Y-%m-%dT%H:%M:%S.%N)
    case $stamp in *.[0-9][0-9][0-9][0-9][0-9][0-9][0-9]*) stamp=${stamp%??}Z ;; *) stamp=${stamp%%.*}.0000000Z ;; esac
  fi
}
export TZ=UTC
load
while IFS= read -r line || [ -n "$line" ]; do
  case $line in
    ::add-mask::?*) printf "%s\n" "${line#::add-mask::}" >>"$masks"; load; line="::add-mask::***" ;;
    *) mask ;;
  esac
  now
  printf "%s %s\n" "$stamp" "$line"
done'
if command -v bash >/dev/null 2>&1; then filter_shell='bash'; else filter_shell='sh'; fi
filter() { "$filter_shell" -c "$filter_program" filter "$masks"; }

# --- stopping ------------------------------------------------------------------------------------------------------------------------
# A signal or the server's word makes the file; the step's process group is then ended by its watchdog.
job=
# shellcheck disable=SC2317 # called by trap
on_signal() {
  if [ -z "$job" ]; then
    say "Runner stopped before a job came."
    exit 0
  fi
  : >"$state/cancel"
}
trap on_signal INT TERM

# --- session -------------------------------------------------------------------------------------------------------------------------
ask POST /_runner/session || die "no answer from $server"
case $status in
  204) ;;
  404) gone ;;
  409) die "A session for this runner already exists." ;;
  *) die "the server answered $status to the session" ;;
esac
say
say "√ Connected to GitHub"
say
say "Current runner version: 'stand-in'"
stamp_now
say "${stamp%.*}Z: Listening for Jobs"
while :; do
  ask POST '/_runner/jobs/acquire?wait=20' || die "no answer from $server"
  case $status in
    200) break ;;
    204) ;;
    404) gone ;;
    *) die "the server answered $status instead of a job" ;;
  esac
done
read -r job <"$answer"

# --- the runner's own environment ----------------------------------------------------------------------------------------------------
if [ -r .env ]; then
  while IFS= read -r line || [ -n "$line" ]; do
    case $line in [A-Za-z_]*=*) export "${line?}" ;; esac
  done <.env
fi
if [ -r .path ]; then
  PATH=$(cat .path)
  export PATH
fi
started_hook=${ACTIONS_RUNNER_HOOK_JOB_STARTED:-}
completed_hook=${ACTIONS_RUNNER_HOOK_JOB_COMPLETED:-}
case $(uname -m) in aarch64 | arm64) architecture=ARM64 ;; *) architecture=X64 ;; esac

job_path=/_runner/jobs/$job
yes_if() { if [ -n "$1" ]; then printf yes; else printf no; fi; }
ask POST "$job_path/begin?started_hook=$(yes_if "$started_hook")&completed_hook=$(yes_if "$completed_hook")&architecture=$architecture&temporary=$(urlencode "$work/_temp")&work=$(urlencode "$work")" ||
  die "no answer from $server"
[ "$status" = 200 ] || die "the server answered $status to the beginning of job $job"
job_name='' job_directory='' job_timeout='' job_masks='' job_environment='' job_event=''
cp "$answer" "$state/manifest"
# shellcheck disable=SC1091 # written by the server, every value quoted
. "$state/manifest"
stamp_now
say "${stamp%.*}Z: Running job: $job_name"
[ -z "$job_masks" ] || printf '%s\n' "$job_masks" >>"$masks"

workspace=$work/$job_directory/$job_directory
mkdir -p "$workspace" "$work/_temp" "$work/_tool"
printf '%s' "$job_event" >"$work/_temp/event.json"
printf '%s' "$job_environment" >"$state/environment"
timeline=$(printf '%08d-0000-4000-8000-%012d' "$((job % 100000000))" "$job")
deadline=$(($(date +%s) + job_timeout))
tracking=stand_in_$$_$job

# base_environment: what every step and hook sees, GITHUB_* of the server included. Runs in the step's subshell.
base_environment() {
  # shellcheck disable=SC1091 # written by the server, every value quoted
  . "$state/environment"
  export GITHUB_WORKSPACE="$workspace" GITHUB_EVENT_PATH="$work/_temp/event.json" RUNNER_TEMP="$work/_temp" RUNNER_WORKSPACE="$work/$job_directory"
  export RUNNER_TOOL_CACHE="$work/_tool" AGENT_TOOLSDIRECTORY="$work/_tool" RUNNER_ARCH="$architecture" RUNNER_TRACKING_ID="$tracking"
  export GITHUB_OUTPUT="$files/output" GITHUB_ENV="$files/env" GITHUB_PATH="$files/path" GITHUB_STEP_SUMMARY="$files/summary" GITHUB_STATE="$files/state"
  [ -z "$step_paths" ] || PATH=$step_paths:$PATH
  export PATH
}

# end_group PID: SIGTERM, then SIGKILL to a whole process group; waits 5 s between. GitHub's runner begins with SIGINT, which POSIX shells
# make background processes ignore.
end_group() {
  for signal in TERM KILL; do
    kill -s "$signal" -- "-$1" 2>/dev/null || kill -s "$signal" "$1" 2>/dev/null || return 0
    end_try=0
    while [ "$end_try" -lt 50 ]; do
      kill -0 -- "-$1" 2>/dev/null || return 0
      sleep 0.1
      end_try=$((end_try + 1))
    done
  done
}

# watch PID SECONDS STEP: heartbeats while a step runs; ends its group on cancellation and when time is up, and says why in $state/ending.
watch() {
  http_slot=watch
  beat=0
  limit=$2
  begun=$(date +%s)
  while [ -d "$state" ] && [ ! -e "$state/step-done.$3" ]; do
    sleep 0.2
    moment=$(date +%s)
    reason=
    if [ -e "$state/cancel" ]; then
      reason=cancelled
      http POST "$job_path/cancelled"
    elif [ "$moment" -ge "$deadline" ]; then
      reason=job_timed_out
    elif [ -n "$limit" ] && [ "$((moment - begun))" -ge "$limit" ]; then
      reason=timed_out
    elif [ "$moment" != "$beat" ]; then
      beat=$moment
      http POST "$job_path/heartbeat"
      if [ "$status" = 200 ] && read -r word <"$answer" && [ "$word" = cancel ]; then
        : >"$state/cancel"
        reason=cancelled
      fi
    fi
    if [ -n "$reason" ] && [ ! -e "$state/step-done.$3" ]; then
      printf '%s' "$reason" >"$state/ending"
      end_group "$1"
      return 0
    fi
  done
}

# run_group LIMIT COMMAND…: runs a command in its own process group with its output in the step's log; sets $code and $ending.
groups=
run_group() {
  limit=$1
  shift
  rm -f "$state/ending" "$state/output" "$state/drained"
  mkfifo "$state/output"
  {
    filter <"$state/output" >>"$page"
    : >"$state/drained"
  } &
  # Where there is no setsid, only the step's first process can be ended.
  if command -v setsid >/dev/null 2>&1; then
    setsid "$@" >"$state/output" 2>&1 </dev/null &
  else
    "$@" >"$state/output" 2>&1 </dev/null &
  fi
  step_process=$!
  groups="$groups $step_process"
  watch "$step_process" "$limit" "$step_number" &
  watch_process=$!
  # A signal interrupts wait: the step is waited for again, until it has really ended.
  while :; do
    wait "$step_process"
    code=$?
    kill -0 "$step_process" 2>/dev/null || break
  done
  : >"$state/step-done.$step_number"
  ending=exited
  # The watchdog is let go, unless it is at ending the step's group.
  [ -s "$state/ending" ] || kill "$watch_process" 2>/dev/null
  # The shell would tell of its end in the log.
  wait "$watch_process" 2>/dev/null
  if [ -s "$state/ending" ]; then
    ending=$(cat "$state/ending")
    # What runs after the end has 5 minutes, as on GitHub.
    [ "$ending" != job_timed_out ] || deadline=$((deadline + 300))
  fi
  # What a step leaves running may hold its output open: the log waits 2 s for it and goes on.
  drain=0
  while [ ! -e "$state/drained" ] && [ "$drain" -lt 100 ]; do
    sleep 0.02
    drain=$((drain + 1))
  done
}

log() { printf '%s\n' "$*" | filter >>"$page"; }

# run_script FILE ENVIRONMENT LIMIT DIRECTORY COMMAND…: a script as a step. COMMAND holds the shell and its arguments.
run_script() {
  script_environment=$1 script_limit=$2 script_directory=$3
  shift 3
  (
    base_environment
    # shellcheck disable=SC1090 # written by the server, every value quoted
    . "$script_environment"
    export -p >"$state/exported"
  )
  # shellcheck disable=SC2016 # expanded by the inner shell
  run_group "$script_limit" sh -c '. "$2"; cd "$1" || exit 1; shift 2; exec "$@"' sh "$script_directory" "$state/exported" "$@"
}

# shell_command FILE: sets the arguments' file list for the step's shell in $runner_command, one a line.
# No shell named: bash -e, or sh -e where there is no bash. Source: docs.github.com, jobs.<job_id>.steps[*].shell.
shell_command() {
  case $step_shell in
    '') if command -v bash >/dev/null 2>&1; then printf 'bash\n-e\n%s\n' "$1"; else printf 'sh\n-e\n%s\n' "$1"; fi ;;
    bash) printf 'bash\n--noprofile\n--norc\n-eo\npipefail\n%s\n' "$1" ;;
    sh) printf 'sh\n-e\n%s\n' "$1" ;;
    python)
      if command -v python >/dev/null 2>&1; then printf 'python\n%s\n' "$1"; else printf 'python3\n%s\n' "$1"; fi
      ;;
    *'{0}'*)
      # A custom command: words by blanks, {0} is the script.
      # shellcheck disable=SC2086 # splitting is wanted
      set -f && set -- "$1" $step_shell && set +f
      custom_script=$1
      shift
      for word in "$@"; do
        case $word in *'{0}'*) printf '%s%s%s\n' "${word%%'{0}'*}" "$custom_script" "${word#*'{0}'}" ;; *) printf '%s\n' "$word" ;; esac
      done
      ;;
    *) return 1 ;;
  esac
}

run_step() {
  script=$work/_temp/step_$step_number.sh
  printf '%s\n' "$step_script" >"$script"
  printf '%s' "$step_environment" >"$state/step-environment"
  case $step_directory in /*) directory=$step_directory ;; *) directory=$workspace/$step_directory ;; esac
  log "##[group]Run $(printf '%s' "$step_script" | head -n 1)
$step_script
shell: ${step_shell:-default}
##[endgroup]"
  if [ ! -d "$directory" ]; then
    log "##[error]An error occurred trying to start process with working directory '$directory'. No such file or directory"
    code=1
    return 0
  fi
  if ! shell_command "$script" >"$state/command"; then
    log "##[error]Invalid shell option. Shell must be a valid built-in (bash, sh, cmd, powershell, pwsh) or a format string containing '{0}': '$step_shell'"
    code=1
    return 0
  fi
  set --
  while IFS= read -r word; do set -- "$@" "$word"; done <"$state/command"
  if ! command -v "$1" >/dev/null 2>&1; then
    log "##[error]$1: command not found. The image of this runner does not have the shell '$step_shell'"
    code=127
    return 0
  fi
  run_script "$state/step-environment" "$step_timeout" "$directory" "$@"
  report_end
}

report_end() {
  case $ending in
    exited) [ "$code" -eq 0 ] || log "##[error]Process completed with exit code $code." ;;
    timed_out) log "##[error]The action '$step_name' has timed out after $step_timeout seconds." ;;
    job_timed_out) log "##[error]The job running on runner $runner_name has exceeded the maximum execution time of $job_timeout seconds." ;;
    cancelled) log "##[error]The operation was canceled." ;;
  esac
}

run_hook() {
  log "A job $1 hook has been configured by the self-hosted runner administrator"
  if [ ! -r "$2" ]; then
    log "##[error]File not found: '$2'"
    code=1
    return 0
  fi
  : >"$state/step-environment"
  if command -v bash >/dev/null 2>&1; then hook_shell='bash'; else hook_shell='sh'; fi
  run_script "$state/step-environment" '' "$workspace" "$hook_shell" -e "$2"
  report_end
}

# place PATH TEXT: a file of the repository, called from what the server sends.
# shellcheck disable=SC2317 # called by what is taken in
place() {
  mkdir -p "$target/$(dirname -- "$1")" && printf '%s' "$2" >"$target/$1"
}

check_out() {
  case $step_directory in /*) target=$step_directory ;; *) target=$workspace/$step_directory ;; esac
  if mkdir -p "$target" && ask GET "$job_path/files" && [ "$status" = 200 ]; then
    cp "$answer" "$state/files"
    # shellcheck disable=SC1091 # written by the server, every value quoted
    if . "$state/files"; then
      log "The stand-in runner has placed the files of this commit in $target; it makes no git repository."
      return 0
    fi
  fi
  log "##[error]The files of the commit could not be placed (the server answered $status)."
  code=1
}

set_up() {
  log "Current runner version: 'stand-in'
Runner name: '$runner_name'
Machine name: '$(uname -n)'"
  if [ -r "$root/.setup_info" ]; then
    # One item a line of [{"group": …, "detail": …}]; \n in a detail is a line's end.
    tr -d '\n' <"$root/.setup_info" | sed 's/} *, *{/}\
{/g' >"$state/setup"
    printf '\n' >>"$state/setup"
    while IFS= read -r item; do
      printf '%s' "$item" >"$state/item"
      log "##[group]$(setup_member group)
$(setup_member detail)
##[endgroup]"
    done <"$state/setup"
  fi
}
# setup_member NAME: a text of the item, with its escapes worked out.
setup_member() {
  printf '%b' "$(sed -n "s/.*\"$1\" *: *\"\\(\\([^\"\\\\]\\|\\\\.\\)*\\)\".*/\\1/p" "$state/item" | sed -e 's/\\"/"/g' -e 's/\\\//\//g')"
}

# part NAME FILE: a piece of the upload that ends a step.
part() {
  [ -s "$2" ] || return 0
  printf '@@ %s %s\n' "$1" "$(($(wc -c <"$2")))"
  cat "$2"
  printf '\n'
}

# --- the steps, one after the other, as the server says ------------------------------------------------------------------------------
while :; do
  if [ -e "$state/cancel" ] && [ ! -e "$state/cancel-told" ]; then
    ask POST "$job_path/cancelled" && : >"$state/cancel-told"
  fi
  ask POST "$job_path/next" || die "no answer from $server"
  [ "$status" = 200 ] || die "the server answered $status instead of a step"
  step_kind='' step_number=0 step_name='' step_script='' step_shell='' step_directory='' step_timeout='' step_environment='' step_paths=''
  step_message='' step_result=''
  cp "$answer" "$state/order"
  # shellcheck disable=SC1091 # written by the server, every value quoted
  . "$state/order"
  [ "$step_kind" != finish ] || break
  # A step that begins after the cancellation may run: only the next request to stop ends it.
  if [ -e "$state/cancel" ]; then
    mv "$state/cancel" "$state/cancelled"
    : >"$state/cancel-told"
  fi
  record=$(printf '%08d-0000-4000-9000-%012d' "$step_number" "$job")
  page=$root/_diag/pages/${timeline}_${record}_1.log
  : >"$page"
  files=$work/_temp/_runner_file_commands_$step_number
  rm -rf "$files"
  mkdir -p "$files"
  for file in output env path summary state; do : >"$files/$file"; done
  code=0
  ending=exited
  case $step_kind in
    set-up) set_up ;;
    started-hook) run_hook started "$started_hook" ;;
    completed-hook) run_hook completed "$completed_hook" ;;
    run) run_step ;;
    checkout) check_out ;;
    pass) log "$step_message" ;;
    fail)
      log "##[error]${step_message#Error: }"
      code=1
      ;;
    complete)
      log "Cleaning up orphan processes"
      for group in $groups; do end_group "$group"; done
      ;;
    *)
      log "##[error]The server asked for '$step_kind', which this runner does not know."
      code=1
      ;;
  esac
  ask POST "$job_path/steps/$step_number/log" "$page"
  # The real one deletes a page when its queue has uploaded it, a moment later: whoever follows the pages has seen it by then.
  (sleep 1 && rm -f "$page") >/dev/null 2>&1 </dev/null &
  {
    part output "$files/output"
    part env "$files/env"
    part path "$files/path"
    part summary "$files/summary"
  } >"$state/upload"
  ask POST "$job_path/steps/$step_number/end?code=$code&ending=$ending" "$state/upload"
done

ask POST "$job_path/complete"
stamp_now
say "${stamp%.*}Z: Job $job_name completed with result: $step_result"
rm -f .runner .credentials .credentials_rsaparams
exit 0
