#!/bin/sh
# shellcheck disable=SC2154 # the values are set when it is served
#
# What a machine runs that RunnerHub had a provider make: it waits for a job, runs its runner under RunnerHub's PID 1, sends the output, and says
# how it ended. Served to one machine, with its own values above this line:
#
#   metadata, callback  where RunnerHub answers this machine
#   token               by which it knows it
#   home                where the runner is, or is put
#   url, checksum       the runner, where the machine has none
#   pid1                RunnerHub's init.sh, in base64
set -u
umask 077

state=$home/.runnerhub-machine
mkdir -p "$state/pid1" "$state/logs" || exit 1
log=$state/logs/use-1.log
sent=0

# In a file, so that no list of processes shows the token.
printf 'header = "Authorization: Bearer %s"\nsilent\nshow-error\nconnect-timeout = 10\nmax-time = 90\n' "$token" >"$state/curl"

# call ARGUMENT…: a request whose status comes into $code (000 without an answer), and whose answer into $state/answer.
call() { code=$(curl -K "$state/curl" -o "$state/answer" -w '%{http_code}' "$@" 2>>"$state/errors") || code=000; }

# Nobody wants this machine any more, or this was not it: not to be asked again.
is_refused() { case $code in 400 | 401 | 403 | 404 | 405 | 410 | 413) return 0 ;; *) return 1 ;; esac }

# tell STATUS MESSAGE [EXIT]: words without quotation marks. Again for ten minutes, since RunnerHub may be starting anew.
tell() {
  told=0
  while :; do
    call -X POST -H 'Content-Type: application/json' \
      --data "{\"status\":\"$1\",\"message\":\"$2\",\"agent_id\":null${3:+,\"exit_code\":$3}}" "$callback/status"
    [ "$code" != 200 ] || return 0
    if is_refused; then return 1; fi
    told=$((told + 1))
    [ "$told" -lt 200 ] || return 1
    sleep 3
  done
}

give_up() {
  tell failed "$1"
  echo "runnerhub: $1" >&2
  exit 1
}

install_runner() {
  if [ -x "$home/run.sh" ]; then return 0; fi
  for kept in /opt/cache/actions-runner/latest /home/runner/actions-runner; do
    if [ "$kept" != "$home" ] && [ -x "$kept/run.sh" ]; then
      cp -RP "$kept/." "$home/" || give_up "the runner in $kept cannot be copied"
      return 0
    fi
  done
  tell installing "fetching the runner"
  curl --fail --location --silent --show-error --retry 5 --retry-delay 3 --max-time 900 -o "$state/runner.tar.gz" "$url" ||
    give_up "the runner cannot be fetched from $url"
  if [ -n "$checksum" ]; then
    echo "$checksum  $state/runner.tar.gz" | sha256sum -c - >/dev/null || give_up "the runner from $url is not the one that was expected"
  fi
  tar -xzf "$state/runner.tar.gz" -C "$home" || give_up "the runner from $url cannot be unpacked"
  rm -f "$state/runner.tar.gz"
  [ -x "$home/run.sh" ] || give_up "there is no run.sh in what came from $url"
}

# RunnerHub holds the question for as long as there is no job.
wait_for_job() {
  while :; do
    call "$metadata/runner-files"
    case $code in
      200) return 0 ;;
      425) sleep 0.2 ;;
      *)
        if is_refused; then exit 0; fi
        sleep 3
        ;;
    esac
  done
}

# Sends what the log has more than RunnerHub. 1: it is not wanted; 2: try again.
send_log() {
  while :; do
    size=$(wc -c <"$log" 2>/dev/null) || size=0
    [ "$size" -gt "$sent" ] || return 0
    tail -c "+$((sent + 1))" "$log" | head -c 262144 >"$state/part"
    call -X POST -H 'Content-Type: application/octet-stream' --data-binary "@$state/part" "$callback/log?offset=$sent"
    case $code in
      200 | 409)
        next=$(sed -n 's/.*"offset":\([0-9][0-9]*\).*/\1/p' "$state/answer")
        [ -n "$next" ] || return 2
        sent=$next
        ;;
      *) if is_refused; then return 1; else return 2; fi ;;
    esac
  done
}

main() {
  tell installing "looking for the runner" || exit 0
  install_runner
  printf '%s' "$pid1" | base64 -d >"$state/init.sh" || give_up "base64 is missing"
  if [ -r /etc/os-release ]; then
    # shellcheck source=/dev/null
    system=$(. /etc/os-release && printf '{"os_name":"%s","os_version":"%s","agent_id":null}' "${NAME:-}" "${VERSION_ID:-}")
    call -X POST -H 'Content-Type: application/json' --data "$system" "$callback/system-info/"
  fi
  tell idle "waits for a job" || exit 0
  wait_for_job
  cp "$state/answer" "$state/files" && : >"$state/answer"
  (cd "$home" && sh "$state/files") || give_up "the files of the job cannot be put into $home"
  rm -f "$state/files"

  RUNNERHUB_HOME=$home RUNNERHUB_STATE=$state/pid1 RUNNERHUB_LOGS=$state/logs RUNNER_MANUALLY_TRAP_SIG=1 \
    sh "$state/init.sh" </dev/null >>"$state/errors" 2>&1 &
  first=$!
  tell active "runs the runner"
  while [ ! -e "$state/pid1/exit" ] && kill -0 "$first" 2>/dev/null; do
    send_log
    sleep "${pause:-1}"
  done
  wait "$first"
  status=$?
  tries=0
  while send_log; [ $? = 2 ] && [ "$tries" -lt 200 ]; do
    tries=$((tries + 1))
    sleep 3
  done
  tell terminated "run.sh ended with $status" "$status"
  rm -f "$state/curl"
}

main
