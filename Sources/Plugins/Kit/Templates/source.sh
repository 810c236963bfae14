#!/bin/sh
# NAME: jobs of a queue behind a small JSON API (stand_in.py beside this file has all of it) as jobs of RunnerHub.
# shellcheck disable=SC2015,SC2016 # where either of two fails, what follows || is meant; what stands in '' is not this shell's
set -u
# shellcheck source=protocol.sh
. "${0%/*}/protocol.sh"

start() {
  url=$(text /params/configuration/url)
  url=${url%/}
  token=$(text /params/configuration/token)
  told=''
  # The token is in no command line, which others could read.
  curl_settings=$(text /params/directory)/curl.conf
  (umask 077 && printf 'header = "Authorization: Bearer %s"\nheader = "Content-Type: application/json"\nsilent\nmax-time = 15\n' "$token" >"$curl_settings")
}

# Asked every few seconds: a good moment to look at the queue, and to tell what is new.
health() {
  if ! call GET /jobs; then
    answer "{\"status\":\"degraded\",\"detail\":$(quoted "GET /jobs: $failure")}"
    return
  fi
  news=''
  now=''
  for place in $(list /jobs "$body"); do
    job=$(describe "$place") || continue
    now="$now $(transition "$place")"
    case "$told " in *" $(transition "$place") "*) ;; *) news=$news,$job ;; esac
  done
  if [ -z "$news" ] || ask source/events "{\"jobs\":[${news#,}]}"; then told=$now; fi
  answer '{"status":"ok"}'
}

# YOUR CODE: the platform. This is a queue that has GET /jobs, GET and POST /jobs/ID, POST /runners and DELETE /runners/RUNNER.

# call METHOD PATH [JSON]: sets `body`, flattened; or `failure` and `code`, the protocol's word for it.
call() {
  code=-32003
  failure=''
  answered=$(curl -K "$curl_settings" -X "$1" ${3+--data "$3"} -w '\n%{http_code}' -- "$url$2" | tr '\n\r' '  ') || { failure='the queue cannot be reached'; return 1; }
  http=${answered##* }
  case $http in
    2*) body=$(printf '%s\n' "${answered% *}" | flatten) && return 0
      failure='the answer is no JSON' ;;
    401 | 403) code=-32004 ;;
    404) code=-32001 ;;
    409) code=-32005 ;;
    4*) code=-32002 ;;
  esac
  failure=${failure:-$http}
  return 1
}

# The same text whenever the same change is told.
transition() { printf '%s/%s' "$(text "$1/id" "$body")" "$(text "$1/status" "$body")"; }

# describe PLACE: a job of the queue as RunnerHub knows jobs.
describe() {
  number=$(raw "$1/id" "$body") && title=$(raw "$1/name" "$body") && state=$(raw "$1/status" "$body") && commit=$(raw "$1/commit" "$body") || return 1
  labels=$(for label in $(list "$1/labels" "$body"); do printf ',%s' "$(raw "$label" "$body")"; done)
  repository="{\"id\":$(raw "$1/repository/id" "$body"),\"name\":$(raw "$1/repository/name" "$body"),\"private\":$(raw "$1/repository/private" "$body")}"
  more=''
  for member in runner conclusion; do
    if value=$(raw "$1/$member" "$body"); then more="$more,\"$member\":$value"; fi
  done
  printf '{"id":%s,"run":%s,"name":%s,"labels":[%s],"repository":%s,"status":%s,"commit":%s,"transition":"%s"%s}' "$number" "$number" "$title" \
    "${labels#,}" "$repository" "$state" "$commit" "$(transition "$1")" "$more"
}

# What runs a job: it tells the queue of the beginning and of the end. `queue.conf` holds the runner's token, which
# may change this one job only: the job can read it. Never the queue's own.
runner='#!/bin/sh
tell() { curl --silent --show-error --fail --retry 5 --max-time 30 -K queue.conf --data "$1" -o /dev/null "$JOB_URL"; }
tell "{\"status\":\"in_progress\",\"runner\":\"$RUNNER\"}" || exit 1
sh ./script.sh
status=$?
if [ "$status" = 0 ]; then conclusion=success; else conclusion=failure; fi
tell "{\"status\":\"completed\",\"conclusion\":\"$conclusion\"}" && exit "$status"'

# file PATH TEXT MODE
file() { printf '{"path":"%s","contents":"%s","mode":%s}' "$1" "$(printf '%s\n' "$2" | base64 -w 0)" "$3"; }

# What the host asks

failed() { refuse "$code" "$1: $failure"; }

handle() {
  case $1 in
    source/open)
      call GET /jobs || { failed 'GET /jobs'; return; }
      all=''
      for place in $(list /jobs "$body"); do
        if [ "$(text "$place/status" "$body")" != completed ] && job=$(describe "$place"); then all=$all,$job; fi
      done
      answer "{\"jobs\":[${all#,}]}"
      ;;
    source/job)
      number=$(raw /params/id) || { refuse -32602 'id is missing'; return; }
      call GET "/jobs/$number" || { failed "job $number"; return; }
      if job=$(describe ''); then answer "{\"job\":$job}"; else refuse -32003 'the queue tells less of the job than it must'; fi
      ;;
    source/register) register ;;
    source/remove)
      name=$(text /params/name) || { refuse -32602 'name is missing'; return; }
      case $name in *[!A-Za-z0-9._-]*) answer '{"outcome":"absent"}'; return ;; esac
      if call DELETE "/runners/$name"; then answer '{"outcome":"removed"}'; return; fi
      case $code in
        -32001) answer '{"outcome":"absent"}' ;;
        -32005) answer '{"outcome":"busy"}' ;;
        *) failed "runner $name" ;;
      esac
      ;;
    source/cancel)
      number=$(raw /params/run) || { refuse -32602 'run is missing'; return; }
      if call POST "/jobs/$number" '{"status":"completed","conclusion":"cancelled"}'; then answer '{}'; else failed "job $number"; fi
      ;;
    source/report)
      number=$(raw /params/job/id) && state=$(text /params/status) && title=$(text /params/title) ||
        { refuse -32602 'job.id, status or title is missing'; return; }
      if call POST "/jobs/$number" "{\"note\":$(quoted "$state: $title")}"; then answer '{}'; else failed "job $number"; fi
      ;;
    source/delivery) answer '{"accepted":false,"reason":"this plugin takes no webhooks: it looks at the queue itself","jobs":[]}' ;;
    *) refuse -32601 "no method $1" ;;
  esac
}

register() {
  name=$(text /params/name) && number=$(raw /params/job/id) || { refuse -32602 'name or job.id is missing'; return; }
  call GET "/jobs/$number" || { failed "job $number"; return; }
  script=$(text /script "$body") || { refuse -32003 'the queue tells less of the job than it must'; return; }
  call POST /runners "{\"name\":$(quoted "$name"),\"job\":$number}" || { failed "runner $name"; return; }
  own=$(text /token "$body") || { refuse -32003 'the queue gives the runner no token'; return; }
  files=$(file job.sh "$runner" 493),$(file script.sh "$script" 420),$(file queue.conf "header = \"Authorization: Bearer $own\"" 384)
  answer "{\"id\":$(raw /id "$body"),\"command\":[\"sh\",\"job.sh\"],\"files\":[$files],\"environment\":{\"JOB_URL\":$(quoted "$url/jobs/$number"),\"RUNNER\":$(quoted "$name")}}"
}

serve
