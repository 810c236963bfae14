# Sessions of processes of this computer, each with a folder of its own, that outlive the program which starts them.
#
# A session's folder has `home`, `console.log`, and `pid`: the number of its first process and since when that runs. Its processes are known by their
# variable HOME. NO ISOLATION: they run as this program's user, and one that changes its HOME is not found any more.

# A text as a word of a shell script.
word() { printf "'%s'" "$(printf '%s\n' "$1" | sed "s/'/'\\\\''/g")"; }

# The first process writes down who it is before it becomes what it is to be: "$0".
# shellcheck disable=SC2016 # it is not this shell's
begin='
[ ! -e "$1/environment" ] || . "$1/environment"
read -r facts <"/proc/$$/stat"; set -- ${facts##*) }; shift 19; cd "$HOME" || exit 1
printf "%s %s\n" "$$" "$1" >../pid.new && mv ../pid.new ../pid && exec /bin/sh "$0"'

# launch FOLDER SCRIPT: starts a shell script as the first process of a session, with the variables that the script FOLDER/environment exports.
launch() {
  setsid -f env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin LANG=C.UTF-8 USER=runner "HOME=$1/home" \
    /bin/sh -c "$begin" "$2" "$1" </dev/null >>"$1/console.log" 2>&1
  rounds=0
  until [ -e "$1/pid" ]; do
    rounds=$((rounds + 1))
    [ "$rounds" -lt 500 ] || return 1
    sleep 0.02
  done
}

# Whether the first process lives, and no later one of its number.
is_living() {
  [ -e "$1/pid" ] && read -r pid since <"$1/pid" && { read -r facts <"/proc/$pid/stat"; } 2>/dev/null || return 1
  facts=${facts##*) }
  case $facts in [ZX]*) return 1 ;; esac
  # shellcheck disable=SC2086 # numbers
  set -- $facts
  shift 19
  [ "$1" = "$since" ]
}

# The numbers of all living processes of a session.
members() { grep -lszxF "HOME=$1/home" /proc/[0-9]*/environ | cut -d / -f 3; }

# Ends all of them.
end() {
  rounds=0
  while found=$(members "$1") && [ -n "$found" ]; do
    # shellcheck disable=SC2086 # numbers
    kill -KILL $found 2>/dev/null
    rounds=$((rounds + 1))
    [ "$rounds" -lt 500 ] || return 1
    sleep 0.02
  done
}

# Deletes what a job could have made, whatever it is; links are not followed.
destroy() {
  if [ -e "$1" ] || [ -L "$1" ]; then
    chmod -R u+rwX -- "$1" 2>/dev/null
    rm -rf --one-file-system -- "$1"
  fi
}
