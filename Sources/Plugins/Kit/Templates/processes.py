"""Sessions of processes of this computer, each with a folder of its own, that outlive the program which starts them.

A session's folder has `home`, `console.log`, and `pid`: the number of its first process and since when that runs. Its processes are known by their
variable HOME. NO ISOLATION: they run as this program's user, and one that changes its HOME is not found any more.
"""

import contextlib
import os
import signal
import subprocess
import time

PATIENCE = 10.0
# The first process writes down who it is before it becomes what it is to be: "$0".
BEGIN = """read -r facts <"/proc/$$/stat"; set -- ${facts##*) }; shift 19; cd "$HOME" || exit 1
printf '%s %s\\n' "$$" "$1" >../pid.new && mv ../pid.new ../pid && exec /bin/sh "$0" """


def launch(folder, script, variables):
    """Starts a shell script as the first process of a session. Raises OSError where that does not work."""
    environment = {
        "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LANG": "C.UTF-8", "USER": "runner", **variables,
        "HOME": os.path.join(folder, "home"),
    }
    with open(os.path.join(folder, "console.log"), "ab") as console:
        subprocess.run(
            ["setsid", "-f", "/bin/sh", "-c", BEGIN, script], env=environment, stdin=subprocess.DEVNULL, stdout=console, stderr=console,
            check=False)
    deadline = time.monotonic() + PATIENCE
    while not os.path.exists(os.path.join(folder, "pid")):
        if time.monotonic() > deadline:
            raise OSError("its first process does not start")
        time.sleep(0.01)


def is_started(folder):
    return os.path.exists(os.path.join(folder, "pid"))


def forget(folder):
    """What has ended may be started again."""
    with contextlib.suppress(FileNotFoundError):
        os.unlink(os.path.join(folder, "pid"))


def is_living(folder):
    """Whether the first process lives, and no later one of its number."""
    try:
        with open(os.path.join(folder, "pid"), encoding="ascii") as file:
            pid, since = file.read().split()
        with open(f"/proc/{int(pid)}/stat", "rb") as file:
            facts = file.read().rpartition(b") ")[2].split()
    except (OSError, ValueError):
        return False
    return facts[0] not in (b"Z", b"X") and facts[19].decode() == since


def members(folder):
    """All living processes of a session."""
    mark, found = f"HOME={os.path.join(folder, 'home')}".encode(), []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        with contextlib.suppress(OSError), open(f"/proc/{pid}/environ", "rb") as file:
            if mark in file.read().split(b"\0"):
                found.append(int(pid))
    return found


def end(folder):
    """Ends all of them. Raises OSError where they do not end."""
    deadline = time.monotonic() + PATIENCE
    while found := members(folder):
        for pid in found:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        if time.monotonic() > deadline:
            raise OSError(f"processes {found} do not end")
        time.sleep(0.01)


def perform(*words):
    done = subprocess.run(words, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, check=False)
    if done.returncode:
        raise OSError(done.stderr.decode("utf-8", "replace").strip()[:500])


def copy(source, target):
    perform("cp", "-RP", "--", source, target)


def destroy(folder):
    """Deletes what a job could have made, whatever it is; links are not followed."""
    if os.path.lexists(folder):
        subprocess.run(["chmod", "-R", "u+rwX", "--", folder], stderr=subprocess.DEVNULL, check=False)
        perform("rm", "-rf", "--one-file-system", "--", folder)
