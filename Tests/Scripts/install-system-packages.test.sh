#!/bin/bash
# Tests scripts/install-system-packages with an apt-get, dpkg-query, sudo and id of our own in PATH. Prints a line a test and the totals.
set -uo pipefail

script=$(cd -- "$(dirname -- "$0")/../.." && pwd)/scripts/install-system-packages
room=$(mktemp -d)
trap 'rm -rf "$room"' EXIT
passed=0
failed=0

# A machine: INSTALLED names what dpkg-query knows (all: everything), PLAN what a simulation prints, and the rest how programs end.
build_machine() {
  mkdir -p "$room/bin"
  cat >"$room/bin/dpkg-query" <<'FAKE'
#!/bin/bash
name=${*: -1}
case " ${INSTALLED:-} " in *" all "* | *" $name "*) printf installed ;; *) echo "no packages found matching $name" >&2; exit 1 ;; esac
FAKE
  cat >"$room/bin/apt-get" <<'FAKE'
#!/bin/bash
echo "apt-get $*" >>"$CALLS"
[ ! -t 0 ] && [ -z "$(cat)" ] || echo "standard input was not empty" >>"$CALLS"
case " $* " in
  *' update '*) echo "${UPDATE_SAYS:-}"; exit "${UPDATE:-0}" ;;
  *' --simulate '*) printf '%s\n' "${PLAN:-Inst lua-check (1.1.0-1 Debian:12 [all])}"; exit "${SIMULATION:-0}" ;;
  *' install '*) echo "${INSTALL_SAYS:-}"; exit "${INSTALL:-0}" ;;
esac
FAKE
  cat >"$room/bin/sudo" <<'FAKE'
#!/bin/bash
[ "${SUDO:-0}" = 1 ] || exit 1
[ "$1" = -n ] && shift
echo "sudo" >>"$CALLS"
exec "$@"
FAKE
  cat >"$room/bin/id" <<'FAKE'
#!/bin/bash
echo "${IDENTITY:-0}"
FAKE
  chmod +x "$room"/bin/*
}

# run VARIABLE=VALUE… -- ARGUMENTS…: sets $status, $output (both streams) and $calls.
run() {
  local variables=()
  while [ "$1" != -- ]; do
    variables+=("$1")
    shift
  done
  shift
  : >"$room/calls"
  output=$(env "${variables[@]}" CALLS="$room/calls" PATH="$room/bin:/usr/bin:/bin" "$script" "$@" </dev/null 2>&1)
  status=$?
  calls=$(cat "$room/calls")
}

# check SENTENCE CONDITION…: a test holds when all its conditions, each a command line, do.
check() {
  local sentence=$1 condition
  shift
  for condition in "$@"; do
    if ! eval "$condition"; then
      failed=$((failed + 1))
      printf '✘ %s: %s\n  status %s, calls: %s\n  output: %s\n' "$sentence" "$condition" "$status" "$calls" "$output"
      return
    fi
  done
  passed=$((passed + 1))
  printf '✔ %s\n' "$sentence"
}

# has TEXT WORDS, lacks TEXT WORDS
has() { case $1 in *"$2"*) return 0 ;; *) return 1 ;; esac; }
lacks() { ! has "$1" "$2"; }

build_machine
# The conditions are evaluated by check.
# shellcheck disable=SC2016
{
  run INSTALLED=all -- build test
  check 'nothing is asked of apt when nothing is missing' '[ "$status" = 0 ]' '[ -z "$calls" ]' 'has "$output" "ok (git"'

  run INSTALLED='curl shellcheck prometheus python3 python3-aiosmtpd openssl lua5.4' -- test
  check 'only what is missing is installed' '[ "$status" = 0 ]' 'has "$calls" "install --no-install-recommends lua-check"' 'lacks "$calls" shellcheck'
  check 'the installation may neither remove nor upgrade' 'has "$calls" "--no-remove --no-upgrade install"'
  check 'apt is never given a standard input' 'lacks "$calls" "standard input"'
  check 'it is simulated before it is done' \
    '[ "$(grep -n -- --simulate "$room/calls" | cut -d: -f1)" -lt "$(grep -n -- --no-remove "$room/calls" | cut -d: -f1)" ]'

  run PLAN=$'Inst lua-check (1.1.0-1)\nRemv lua5.4 [5.4.4-3]' -- test
  check 'it stops where apt would remove a package' '[ "$status" = 1 ]' 'lacks "$calls" --no-remove' 'has "$output" "Remv lua5.4"' \
    'has "$output" "apt-get update && apt-get install --no-install-recommends curl lua-check"'

  run PLAN=$'Inst libc6 [2.36-9] (2.36-10 Debian:12 [amd64])\nInst lua-check (1.1.0-1)' -- test
  check 'it stops where apt would replace a package' '[ "$status" = 1 ]' 'lacks "$calls" --no-remove' 'has "$output" "Inst libc6 [2.36-9]"'

  run PLAN=$'The following packages will be DOWNGRADED:\n  libc6' -- test
  check 'it stops where apt would downgrade a package' '[ "$status" = 1 ]' 'lacks "$calls" --no-remove' 'has "$output" DOWNGRADED'

  run SIMULATION=100 PLAN='E: Unable to locate package lua-check' -- test
  check 'it says what the simulation says when apt cannot install' '[ "$status" = 1 ]' 'has "$output" "Unable to locate package lua-check"' 'lacks "$calls" --no-remove'

  run UPDATE=100 UPDATE_SAYS='E: Could not resolve host' -- test
  check 'it stops when the package lists cannot be read' '[ "$status" = 1 ]' 'has "$output" "Could not resolve host"' 'has "$output" "is there a network?"' \
    'lacks "$calls" install'

  run INSTALL=100 INSTALL_SAYS='E: Failed to fetch' -- test
  check 'it stops when the installation fails' '[ "$status" = 1 ]' 'has "$output" "Failed to fetch"' 'has "$output" "apt-get install failed"'

  run IDENTITY=1000 SUDO=0 -- test
  check 'it prints the command for who is not root and has no sudo' '[ "$status" = 1 ]' '[ -z "$calls" ]' \
    'has "$output" "apt-get update && apt-get install --no-install-recommends curl lua-check"'

  run IDENTITY=1000 SUDO=1 -- test
  check 'it uses sudo for who is not root' '[ "$status" = 0 ]' 'has "$calls" sudo' 'has "$calls" --no-remove'

  run INSTALLED='curl busybox' -- docker-image
  check 'one of two packages that exclude each other will do' '[ "$status" = 0 ]' '[ -z "$calls" ]'

  run INSTALLED='curl' -- docker-image
  check 'where neither is there the first is installed' '[ "$status" = 0 ]' 'has "$calls" "install --no-install-recommends busybox-static"'

  run INSTALLED=all -- everything
  check 'an unknown set is an error' '[ "$status" = 2 ]' 'has "$output" "unknown set '"'everything'"'"'
}

printf 'Script tests: %s passed, %s failed\n' "$passed" "$failed"
[ "$failed" = 0 ]
