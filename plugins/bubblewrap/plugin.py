"""Containers by bubblewrap (bwrap): a plain user's own, with no daemon, no root and no image registry.

An image is an absolute folder: either a root file system with /home/runner/run.sh in it, or a folder with run.sh, which becomes the runner's home over
the host's own system (its /usr, /bin, /lib and /etc, read-only).

All that is known of a container stands in its folder and in /proc, so that containers outlive this program:

    DIRECTORY/containers/ID/spec.json       what was asked for
                            init.json       who PID 1 is, and since when
                            ended.json      how the last use ended before the last recycling
                            log/use-N.log   output of use N
                            inside/home     the runner's home
                            inside/state    PID 1's notes
                            tmp, vartmp     /tmp and /var/tmp
"""

import base64
import contextlib
import fcntl
import json
import os
import resource
import select
import signal
import stat
import subprocess
import sys
import threading
import time

from protocol import FAILED, INVALID, INVALID_PARAMETERS, NOT_FOUND, UNAVAILABLE, Failure, Plugin

HOME, STATE, LOGS = "/runnerhub/home", "/runnerhub/state", "/runnerhub-log"
MOST_LOG = 1 << 20
PATIENCE = 15.0


def is_name(text):
    return 2 <= len(text) <= 63 and all(c in "abcdefghijklmnopqrstuvwxyz0123456789-" for c in text)


def parts_of(path):
    parts = path.split("/")
    if any(part in ("", ".", "..") or "\0" in part for part in parts):
        raise Failure(INVALID, f"'{path}' is not a relative path below the runner's home")
    return parts


# --- processes -----------------------------------------------------------------------------------------------------------------------


def facts(pid):
    """(state, parent, start in ticks, CPU in ticks, resident pages) of a process, or None."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            text = file.read().decode("ascii", "replace")
    except OSError:
        return None
    fields = text[text.rindex(")") + 2 :].split()
    return fields[0], int(fields[1]), int(fields[19]), sum(int(fields[n]) for n in (11, 12, 13, 14)), int(fields[21])


def boot():
    with open("/proc/sys/kernel/random/boot_id", encoding="ascii") as file:
        return file.read().strip()


def is_living(leader):
    """Whether this very process lives, and no later one of its number."""
    if not leader or leader["boot"] != boot():
        return False
    now = facts(leader["pid"])
    return now is not None and now[2] == leader["start"] and now[0] not in "ZX"


def below(pid):
    """All processes below one: in a namespace of processes every orphan comes to PID 1, so nothing leaves the tree."""
    table = {int(name): facts(name) for name in os.listdir("/proc") if name.isdigit()}
    children = {}
    for number, known in table.items():
        if known:
            children.setdefault(known[1], []).append(number)
    found, waiting = {}, list(children.get(pid, []))
    while waiting:
        number = waiting.pop()
        if number not in found:
            if table[number][0] not in "ZX":
                found[number] = table[number]
            waiting.extend(children.get(number, []))
    return found


def end(leader):
    """Ends PID 1, and with it its whole namespace."""
    deadline = time.monotonic() + PATIENCE
    while is_living(leader):
        with contextlib.suppress(ProcessLookupError):
            os.kill(leader["pid"], signal.SIGKILL)
        if time.monotonic() > deadline:
            raise Failure(UNAVAILABLE, f"process {leader['pid']} does not end")
        time.sleep(0.01)


# --- files ---------------------------------------------------------------------------------------------------------------------------


def save(path, value):
    with open(path + ".new", "w", encoding="utf-8") as file:
        json.dump(value, file)
    os.replace(path + ".new", path)


def load(path):
    try:
        with open(path, encoding="utf-8") as file:
            return json.load(file)
    except FileNotFoundError:
        return None


def destroy(*paths):
    """Deletes what a job could have made, whatever it is. Neither follows a link."""
    paths = [path for path in paths if os.path.lexists(path)]
    if paths:
        subprocess.run(["chmod", "-R", "u+rwX", "--", *paths], stderr=subprocess.DEVNULL, check=False)
        done = subprocess.run(["rm", "-rf", "--one-file-system", "--", *paths], stderr=subprocess.PIPE, check=False)
        if done.returncode:
            raise Failure(UNAVAILABLE, f"cannot delete: {done.stderr.decode('utf-8', 'replace').strip()[:500]}")


def open_folder(name, parent=None):
    return os.open(name, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=parent)


class Engine:
    def __init__(self, configuration, directory, init_script):
        self.root = os.path.join(directory, "containers")
        self.locks = os.path.join(directory, "locks")
        self.network = configuration.get("network", "host")
        self.init = os.path.join(directory, "init.sh")
        for path in (self.root, self.locks):
            os.makedirs(path, mode=0o700, exist_ok=True)
        with open(self.init + f".{os.getpid()}", "wb") as file:
            file.write(init_script)
        os.replace(file.name, self.init)
        self.started = []
        self.watched = threading.Lock()
        self.on_change = lambda: None

    # One at a time for each container, also among several of these programs over one directory.
    @contextlib.contextmanager
    def alone(self, name):
        self.check(name)
        path = os.path.join(self.locks, name)
        while True:
            lock = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            fcntl.flock(lock, fcntl.LOCK_EX)
            try:
                if os.stat(path).st_ino == os.fstat(lock).st_ino:
                    break
            except FileNotFoundError:
                pass
            os.close(lock)
        try:
            yield
        finally:
            if not os.path.exists(self.path(name)):
                os.unlink(path)
            os.close(lock)

    def check(self, name):
        if not is_name(name):
            raise Failure(INVALID, f"'{name}' is no container's name: 2 to 63 characters of a-z, 0-9 and -")

    def path(self, name, *rest):
        return os.path.join(self.root, name, *rest)

    def spec(self, name):
        spec = load(self.path(name, "spec.json"))
        if spec is None:
            raise Failure(NOT_FOUND, f"container {name}")
        return spec

    def leader(self, name):
        return load(self.path(name, "init.json"))

    def running(self, name):
        spec, leader = self.spec(name), self.leader(name)
        if not is_living(leader):
            raise Failure(INVALID, f"container {name} {'has ended' if leader else 'is not started'}")
        return spec, leader

    # --- the requests ---

    def capacity(self, _):
        disk = os.statvfs(self.root)
        return {
            "milliCPUs": os.cpu_count() * 1000, "memory": os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"),
            "disk": disk.f_frsize * disk.f_blocks, "gpus": 0,
        }

    def home(self, _):
        return {"home": HOME}

    def create(self, spec):
        name = spec["id"]
        with self.alone(name):
            if os.path.exists(self.path(name, "spec.json")):
                if self.spec(name) != spec:
                    raise Failure(INVALID, f"container {name} exists already, made for something else")
                return {}
            if spec["gpus"]:
                raise Failure(INVALID, "there are no GPUs here")
            for variable, value in spec["environment"].items():
                if not variable or "=" in variable or "\0" in variable + value or variable.startswith("RUNNERHUB_"):
                    raise Failure(INVALID, f"'{variable}' cannot be a variable of the environment")
            self.image(spec)
            destroy(self.path(name))
            os.makedirs(self.path(name, "log"), mode=0o700)
            try:
                self.furnish(spec)
            except BaseException:
                destroy(self.path(name))
                raise
            # The last file: a container is there whole or not at all.
            save(self.path(name, "spec.json"), spec)
        return {}

    def image(self, spec):
        """(root file system or None, folder that becomes the home)"""
        image = spec["image"]
        if os.path.isabs(image) and os.path.isdir(image):
            inner = os.path.join(image, "home/runner")
            if os.path.isfile(os.path.join(inner, "run.sh")):
                return image, inner
            if os.path.isfile(os.path.join(image, "run.sh")):
                return None, image
        raise Failure(NOT_FOUND, f"image '{image}': no absolute folder with run.sh or home/runner/run.sh")

    def furnish(self, spec):
        """Everything that a job can write to, as new."""
        _, source = self.image(spec)
        name = spec["id"]
        for part in ("inside", "inside/state", "tmp", "vartmp"):
            os.mkdir(self.path(name, part), mode=0o700)
        done = subprocess.run(
            ["cp", "-RP", "--preserve=mode,timestamps,links", "--", source, self.path(name, "inside/home")], stderr=subprocess.PIPE, check=False)
        if done.returncode:
            raise Failure(UNAVAILABLE, f"cannot copy {source}: {done.stderr.decode('utf-8', 'replace').strip()[:500]}")
        os.chmod(self.path(name, "inside/home"), 0o700)

    def start(self, request):
        name = request["id"]
        with self.alone(name):
            spec, leader = self.spec(name), self.leader(name)
            if leader is None:
                self.launch(spec)
            elif not is_living(leader):
                raise Failure(INVALID, f"container {name} has ended and is never started again")
        return {}

    def launch(self, spec):
        """Starts PID 1. It runs nothing before it is written down: until then it waits for a line."""
        name = spec["id"]
        root, _ = self.image(spec)
        news, told = os.pipe()
        with open(self.path(name, "init.log"), "ab") as output:
            process = subprocess.Popen(
                self.command(spec, root, told), stdin=subprocess.PIPE, stdout=output, stderr=output, pass_fds=[told], start_new_session=True,
                cwd="/", env={})
        os.close(told)
        with os.fdopen(news, "rb") as file:
            said = file.read()
        try:
            pid = json.loads(said)["child-pid"]
            save(self.path(name, "init.json"), {"pid": pid, "start": facts(pid)[2], "boot": boot(), "at": time.time()})
            process.stdin.write(b"go\n")
            process.stdin.close()
        except (ValueError, TypeError, KeyError, BrokenPipeError) as error:
            process.kill()
            process.wait()
            with open(self.path(name, "init.log"), encoding="utf-8", errors="replace") as file:
                raise Failure(UNAVAILABLE, f"bwrap does not start: {file.read()[-500:].strip() or error}") from error
        self.watch(process)

    def command(self, spec, root, told):
        name = spec["id"]
        words = ["bwrap", "--unshare-user", "--unshare-pid", "--unshare-ipc", "--unshare-uts", "--unshare-cgroup-try", "--as-pid-1"]
        words += ["--uid", "1001", "--gid", "1001", "--hostname", name, "--cap-drop", "ALL", "--info-fd", str(told), "--clearenv"]
        if self.network == "none":
            words.append("--unshare-net")
        if root:
            words += ["--ro-bind", root, "/"]
        else:
            for place in ("/usr", "/etc", "/opt"):
                words += ["--ro-bind-try", place, place]
            for place in ("/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32"):
                if os.path.islink(place):
                    words += ["--symlink", os.readlink(place), place]
                else:
                    words += ["--ro-bind-try", place, place]
        words += ["--proc", "/proc", "--dev", "/dev", "--bind", self.path(name, "tmp"), "/tmp", "--dir", "/var"]
        words += ["--bind", self.path(name, "vartmp"), "/var/tmp", "--bind", self.path(name, "inside"), "/runnerhub"]
        words += ["--bind", self.path(name, "log"), LOGS, "--ro-bind", self.init, "/runnerhub-init.sh", "--chdir", HOME]
        variables = {
            "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME": HOME, "LANG": "C.UTF-8", "USER": "runner",
            "RUNNER_MANUALLY_TRAP_SIG": "1", **spec["environment"], "RUNNERHUB_HOME": HOME, "RUNNERHUB_STATE": STATE, "RUNNERHUB_LOGS": LOGS,
            "RUNNERHUB_REUSABLE": "1" if spec["reusable"] else "0",
        }
        for variable, value in variables.items():
            words += ["--setenv", variable, value]
        limits = f"ulimit -S -d {max(1, spec['memory'] >> 10)}; ulimit -S -f {max(1, spec['disk'] >> 9)}; ulimit -S -c 0; "
        return words + ["/bin/sh", "-c", limits + "read -r go && exec /bin/sh /runnerhub-init.sh </dev/null"]

    def put(self, request):
        name, files = request["id"], request["files"]
        with self.alone(name):
            self.running(name)
            wanted = [(parts_of(file["path"]), base64.b64decode(file["contents"], validate=True), file["mode"] & 0o777) for file in files]
            inside = open_folder(self.path(name, "inside"))
            try:
                home = open_folder("home", inside)
            except OSError as error:
                os.close(inside)
                raise Failure(INVALID, f"the home of {name} is none any more: {error}") from error
            try:
                for parts, contents, mode in wanted:
                    self.put_one(name, home, parts, contents, mode)
            finally:
                os.close(home)
                os.close(inside)
        return {}

    def put_one(self, name, home, parts, contents, mode):
        fresh = self.path(name, "put.new")
        with contextlib.suppress(FileNotFoundError):
            os.unlink(fresh)
        descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(contents)
            os.fchmod(descriptor, mode)
        folder = os.dup(home)
        try:
            for part in parts[:-1]:
                with contextlib.suppress(FileExistsError):
                    os.mkdir(part, 0o755, dir_fd=folder)
                # Never through a link that a job has laid.
                deeper = open_folder(part, folder)
                os.close(folder)
                folder = deeper
            os.rename(fresh, parts[-1], dst_dir_fd=folder)
        except OSError as error:
            raise Failure(INVALID, f"{'/'.join(parts)} cannot be put: {error.strerror}") from error
        finally:
            os.close(folder)

    def list(self, _):
        self.reap()
        found = []
        for name in sorted(os.listdir(self.root)):
            if is_name(name) and os.path.exists(self.path(name, "spec.json")):
                container = self.look(name)
                if container:
                    found.append(container)
        return {"containers": found}

    def inspect(self, request):
        self.check(request["id"])
        self.reap()
        return {"container": self.look(request["id"])}

    def look(self, name):
        if not os.path.exists(self.path(name, "spec.json")):
            return None
        container, leader = {"id": name, "status": "created"}, self.leader(name)
        last = self.last_use(name)
        if last:
            container["endedUse"], container["runnerExit"] = last
        if not leader:
            return container
        container["startedAt"] = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(leader["at"]))
        if not is_living(leader):
            container["status"] = "exited"
            code = self.number(name, "exit")
            if code is not None:
                container["exitCode"] = code
            return container
        others = below(leader["pid"])
        every = [facts(leader["pid"]) or ("", 0, 0, 0, 0), *others.values()]
        container.update(
            status="running", processes=len(others), memory=sum(one[4] for one in every) * os.sysconf("SC_PAGE_SIZE"),
            cpuSeconds=sum(one[3] for one in every) / os.sysconf("SC_CLK_TCK"))
        return container

    def last_use(self, name):
        """How the last use ended, as PID 1 has written it, or as it was before the last recycling."""
        kept = load(self.path(name, "ended.json")) or {"use": 0, "exit": 0}
        for use in self.noted_uses(name, "exit."):
            code = self.number(name, f"exit.{use}")
            if use > kept["use"] and code is not None:
                kept = {"use": use, "exit": code}
        return (kept["use"], kept["exit"]) if kept["use"] else None

    def noted_uses(self, name, prefix):
        try:
            inside = open_folder(self.path(name, "inside"))
        except OSError:
            return []
        try:
            state = open_folder("state", inside)
        except OSError:
            return []
        finally:
            os.close(inside)
        try:
            return [int(entry[len(prefix) :]) for entry in os.listdir(state) if entry.startswith(prefix) and entry[len(prefix) :].isdigit()]
        finally:
            os.close(state)

    def number(self, name, note):
        """A number of PID 1's notes, which a job could have put anything in place of."""
        descriptors = []
        try:
            descriptors.append(open_folder(self.path(name, "inside")))
            descriptors.append(open_folder("state", descriptors[0]))
            descriptors.append(os.open(note, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=descriptors[1]))
            number = int(os.read(descriptors[2], 32))
            return number if 0 <= number < 1 << 31 else None
        except (OSError, ValueError):
            return None
        finally:
            for descriptor in descriptors:
                os.close(descriptor)

    def log(self, request):
        name, use, offset = request["id"], request["use"], request["offset"]
        self.check(name)
        self.spec(name)
        if use < 1 or offset < 0:
            raise Failure(INVALID, "uses count from 1, bytes from 0")
        try:
            # A job could have put a link or a pipe in its place.
            descriptor = os.open(self.path(name, f"log/use-{use}.log"), os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        except FileNotFoundError:
            return {"data": ""}
        except OSError as error:
            raise Failure(INVALID, f"the log is none any more: {error.strerror}") from error
        try:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                raise Failure(INVALID, "the log is no file any more")
            return {"data": base64.b64encode(os.pread(descriptor, MOST_LOG, offset)).decode()}
        finally:
            os.close(descriptor)

    def update(self, request):
        _, leader = self.running(request["id"])
        for pid in [leader["pid"], *below(leader["pid"])]:
            for kind, value in ((resource.RLIMIT_DATA, request["memory"]), (resource.RLIMIT_FSIZE, request["disk"])):
                try:
                    hard = resource.prlimit(pid, kind)[1]
                    soft = value if hard == resource.RLIM_INFINITY else min(value, hard)
                    resource.prlimit(pid, kind, (soft, hard))
                except ProcessLookupError:
                    continue
                except PermissionError as error:
                    raise Failure(INVALID, f"the limits of process {pid} cannot be changed") from error
        return {}

    def recycle(self, request):
        name = request["id"]
        with self.alone(name):
            spec, leader = self.running(name)
            if not spec["reusable"]:
                raise Failure(INVALID, f"container {name} is for one use only")
            end(leader)
            last, begun = self.last_use(name), self.number(name, "use")
            # A use that was cut short ended as what is killed.
            if begun and begun > (last[0] if last else 0):
                last = (begun, 137)
            if last:
                save(self.path(name, "ended.json"), {"use": last[0], "exit": last[1]})
            destroy(*(self.path(name, part) for part in ("inside", "tmp", "vartmp")))
            self.furnish(spec)
            self.launch(spec)
        return {}

    def remove(self, request):
        name = request["id"]
        with self.alone(name):
            end(self.leader(name))
            # First the file that says that it is there: what is cut short here is no container any more, and goes with the next creation.
            with contextlib.suppress(FileNotFoundError):
                os.unlink(self.path(name, "spec.json"))
            destroy(self.path(name))
        return {}

    # --- the end of containers ---

    def watch(self, process):
        with self.watched:
            self.started.append(process)

        def wait():
            with contextlib.suppress(OSError):
                descriptor = os.pidfd_open(process.pid)
                select.select([descriptor], [], [])
                os.close(descriptor)
            self.reap()
            self.on_change()

        threading.Thread(target=wait, daemon=True).start()

    def reap(self):
        with self.watched:
            self.started = [process for process in self.started if process.poll() is None]


# --- the protocol --------------------------------------------------------------------------------------------------------------------


class Bubblewrap(Plugin):
    """The engine behind the protocol."""

    requests = ["capacity", "home", "create", "start", "put", "list", "inspect", "log", "update", "recycle", "remove"]

    def __init__(self):
        super().__init__()
        self.engine = None
        self.preparing = threading.Lock()

    def start(self, configuration, parameters):
        version = subprocess.run(["bwrap", "--version"], capture_output=True, text=True, check=False)
        if version.returncode:
            raise Failure(FAILED, "bwrap is not installed (Debian: apt-get install bubblewrap)")
        self.settings = (configuration, parameters["directory"])

    def methods(self):
        return {f"engine/{name}": lambda parameters, name=name: self.perform(name, parameters) for name in self.requests}

    def ready(self):
        """The engine; PID 1 is asked for with the first request, since nothing may be asked before `initialize` is answered."""
        with self.preparing:
            if self.engine is None:
                configuration, directory = self.settings
                script = base64.b64decode(self.request("engine/init", {}, limit=20)["script"])
                self.engine = Engine(configuration, directory, script)
                self.engine.on_change = lambda: self.notify("engine/changed", {})
        return self.engine

    def perform(self, name, parameters):
        engine = self.ready()
        try:
            return getattr(engine, name)(parameters)
        except OSError as error:
            raise Failure(UNAVAILABLE, f"engine/{name}: {error}") from error
        except (KeyError, TypeError, ValueError) as error:
            raise Failure(INVALID_PARAMETERS, f"engine/{name}: {error!r}") from error


if __name__ == "__main__":
    if os.geteuid() == 0:
        sys.exit("bubblewrap: this is not to run as root, whose files its containers could read: RunnerHub gives it a user of its own")
    signal.pthread_sigmask(signal.SIG_SETMASK, [])
    os.umask(0o077)
    Bubblewrap().run()
