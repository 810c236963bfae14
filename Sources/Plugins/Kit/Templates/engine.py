#!/usr/bin/env python3
"""NAME: an engine whose containers are processes of this computer, each in a folder of its own.

NO ISOLATION: a job runs as this plugin's user, and reads and changes whatever that user may. So no container is used a second time.
An image is an absolute folder with run.sh in it, of which each container gets a copy. All that is known of a container stands in its folder, so that
containers outlive this program:

    DIRECTORY/containers/ID/spec.json     what was asked for: there once all else is
                            home          the runner's home
                            state, log    PID 1's notes, and the log of each use
                            pid           see processes.py
"""

import base64
import contextlib
import json
import os
import re
import threading
import time
import weakref

import processes
from protocol import INVALID, NOT_FOUND, UNAVAILABLE, Failure, Plugin, need


class Engine(Plugin):
    def start(self, configuration, parameters):
        self.directory = parameters["directory"]
        self.root = os.path.join(self.directory, "containers")
        self.init = None
        self.ended = set()
        self.lock = threading.Lock()  # Of the members above and below, and never held for long.
        self.locks = weakref.WeakValueDictionary()
        os.makedirs(self.root, mode=0o700, exist_ok=True)

    def methods(self):
        names = ["capacity", "home", "create", "start", "put", "list", "inspect", "log", "update", "recycle", "remove"]
        return {f"engine/{name}": lambda parameters, name=name: self.alone(name, parameters) for name in names}

    def alone(self, name, parameters):
        """One change of a container at a time, which finds done what was asked for twice. Nobody else waits for it: an image may be large."""
        lock = contextlib.nullcontext()
        if name in ("create", "start", "put", "remove"):
            with self.lock:
                lock = self.locks.setdefault(need(parameters, "id", str), threading.Lock())
        with lock:
            try:
                return getattr(self, f"do_{name}")(parameters)
            except OSError as error:
                raise Failure(UNAVAILABLE, f"engine/{name}: {error}") from error

    def health(self):
        """Asked every few seconds: a good moment to say that a container has ended."""
        ended = {one["id"] for one in self.do_list({})["containers"] if one["status"] == "exited"}
        with self.lock:
            is_news = not ended <= self.ended
            self.ended = ended
        if is_news:
            self.notify("engine/changed", {})
        return {"status": "ok"}

    # What is known of a container

    def folder(self, parameters):
        name = need(parameters, "id", str)
        if not re.fullmatch(r"[a-z0-9-]{2,63}", name):
            raise Failure(INVALID, f"{name!r} is no container's id: expected 2 to 63 of a-z, 0-9 and -")
        return os.path.join(self.root, name)

    def spec(self, folder):
        try:
            with open(os.path.join(folder, "spec.json"), encoding="utf-8") as file:
                return json.load(file)
        except FileNotFoundError:
            raise Failure(NOT_FOUND, f"there is no container {os.path.basename(folder)}") from None

    def running(self, parameters):
        folder = self.folder(parameters)
        self.spec(folder)
        if not processes.is_living(folder):
            raise Failure(INVALID, f"container {parameters['id']} {'has ended' if processes.is_started(folder) else 'is not started'}")
        return folder

    def note(self, folder, name):
        """One of PID 1's notes. A job could have put anything in its place."""
        path = os.path.join(folder, "state", name)
        try:
            if os.path.islink(path):
                return os.readlink(path)
            # Not by open(), which leaks the descriptor of a folder.
            descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
            try:
                return os.read(descriptor, 32).decode("ascii").strip()
            finally:
                os.close(descriptor)
        except (OSError, ValueError):
            return ""

    def known(self, folder):
        """None: there is no such container, or it is just being taken away, of which spec.json goes first."""
        with contextlib.suppress(FileNotFoundError):
            container = self.look(folder)
            if os.path.exists(os.path.join(folder, "spec.json")):
                return container
        return None

    def look(self, folder):
        container = {"id": os.path.basename(folder), "status": "created"}
        if ended := re.fullmatch(r"(\d{1,9})\.(\d{1,3})(\.oom)?", self.note(folder, "ended")):
            container.update(endedUse=int(ended[1]), runnerExit=int(ended[2]))
        if processes.is_started(folder):
            container["status"] = "running" if processes.is_living(folder) else "exited"
            container["startedAt"] = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(os.stat(os.path.join(folder, "pid")).st_mtime))
        if container["status"] == "exited" and re.fullmatch(r"\d{1,3}", code := self.note(folder, "exit")):
            container["exitCode"] = int(code)
        return container

    # What the host asks

    def do_capacity(self, _):
        disk = os.statvfs(self.root)
        return {
            "milliCPUs": os.cpu_count() * 1000, "memory": os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"),
            "disk": disk.f_frsize * disk.f_blocks, "gpus": 0,
        }

    def do_home(self, parameters):
        return {"home": os.path.join(self.folder(parameters), "home")}

    def do_create(self, spec):
        folder, image, environment = self.folder(spec), need(spec, "image", str), need(spec, "environment", dict)
        if os.path.exists(os.path.join(folder, "spec.json")):
            if self.spec(folder) != spec:
                raise Failure(INVALID, f"container {spec['id']} exists already, made for something else")
            return {}
        if need(spec, "reusable", bool):
            raise Failure(INVALID, "without isolation no container is fit for a second job: take reuse out of the pool")
        if need(spec, "gpus", int):
            raise Failure(INVALID, "this engine gives no GPUs")
        for name, value in environment.items():
            if not re.fullmatch(r"(?!RUNNERHUB_)[A-Za-z_][A-Za-z0-9_]*", name) or not isinstance(value, str) or "\0" in value:
                raise Failure(INVALID, f"{name!r} cannot be a variable of the environment")
        if not os.path.isabs(image) or not os.path.isfile(os.path.join(image, "run.sh")):
            raise Failure(NOT_FOUND, f"image {image!r} is no absolute folder with run.sh in it")
        # YOUR CODE: make the container. Here it is a folder.
        processes.destroy(folder)
        for part in ("", "state", "log"):
            os.mkdir(os.path.join(folder, part), mode=0o700)
        processes.copy(image, os.path.join(folder, "home"))
        with open(os.path.join(folder, "spec.new"), "w", encoding="utf-8") as file:
            json.dump(spec, file)
        os.rename(file.name, os.path.join(folder, "spec.json"))
        return {}

    def do_start(self, parameters):
        folder = self.folder(parameters)
        spec = self.spec(folder)
        if processes.is_started(folder):
            self.running(parameters)
            return {}
        if self.init is None:
            # PID 1 as RunnerHub has it: it waits for the job's files, runs run.sh, and writes its log.
            script = base64.b64decode(self.request("engine/init", {})["script"])
            with self.lock:
                with open(os.path.join(self.directory, "init.new"), "wb") as file:
                    file.write(script)
                os.rename(file.name, os.path.join(self.directory, "init.sh"))
                self.init = os.path.join(self.directory, "init.sh")
        # YOUR CODE: start PID 1 in the container. Here it is a process of this computer.
        processes.launch(folder, self.init, {
            # The real runner passes SIGTERM on, and runs as root, only with these.
            "RUNNER_MANUALLY_TRAP_SIG": "1", "RUNNER_ALLOW_RUNASROOT": "1", **spec["environment"],
            "RUNNERHUB_HOME": os.path.join(folder, "home"), "RUNNERHUB_STATE": os.path.join(folder, "state"),
            "RUNNERHUB_LOGS": os.path.join(folder, "log"), "RUNNERHUB_REUSABLE": "0",
        })
        return {}

    def do_put(self, parameters):
        folder, files = self.running(parameters), []
        for file in need(parameters, "files", list):
            parts = need(file, "path", str).split("/")
            if any(part in ("", ".", "..") or "\0" in part for part in parts):
                raise Failure(INVALID, f"{file['path']!r} is no path below the runner's home")
            files.append((parts, base64.b64decode(need(file, "contents", str)), need(file, "mode", int) & 0o777))
        for parts, contents, mode in files:
            place = os.path.join(folder, "home")
            for part in parts[:-1]:
                place = os.path.join(place, part)
                if os.path.islink(place):
                    raise Failure(INVALID, f"{'/'.join(parts)} leads through a link")
                os.makedirs(place, mode=0o755, exist_ok=True)
            fresh = os.path.join(folder, "put.new")
            with open(fresh, "wb") as file:
                file.write(contents)
            os.chmod(fresh, mode)
            os.rename(fresh, os.path.join(place, parts[-1]))
        return {}

    def do_list(self, _):
        found = [self.known(os.path.join(self.root, name)) for name in sorted(os.listdir(self.root))]
        return {"containers": [container for container in found if container]}

    def do_inspect(self, parameters):
        container = self.known(self.folder(parameters))
        return {"container": container} if container else {}

    def do_log(self, parameters):
        folder, use, offset = self.folder(parameters), need(parameters, "use", int), need(parameters, "offset", int)
        self.spec(folder)
        path = os.path.join(folder, "log", f"use-{use}.log")
        if offset < 0 or os.path.islink(path) or not os.path.isfile(path):
            return {"data": ""}
        with open(path, "rb") as file:
            file.seek(offset)
            return {"data": base64.b64encode(file.read(1 << 20)).decode()}

    def do_update(self, parameters):
        self.spec(self.folder(parameters))
        raise Failure(INVALID, "this engine keeps no limits")

    def do_recycle(self, parameters):
        self.spec(self.folder(parameters))
        raise Failure(INVALID, "without isolation no container is fit for a second job")

    def do_remove(self, parameters):
        folder = self.folder(parameters)
        # YOUR CODE: end all processes of the container, and take it away.
        processes.end(folder)
        with contextlib.suppress(OSError):  # Absent, or what a job has made of it, which goes with the rest.
            os.unlink(os.path.join(folder, "spec.json"))
        processes.destroy(folder)
        return {}


Engine().run()
