#!/usr/bin/python3
"""A GARM external provider whose machines are processes of this computer.

It keeps the contract of garm-provider-common to the letter (its checks, exit codes, key spelling and texts), so that a host can be tried without a
cloud. Its configuration file is JSON: {"directory": "/var/lib/garm-local"}. A machine's image is a folder with run.sh, which becomes
`actions-runner` in the machine's home.

NO ISOLATION: a machine is a session of processes of the user who runs the host.

For tests the configuration may ask it to misbehave, as real providers and clouds do, by "misbehave": {KEY: VALUE}:
    slow              seconds that a creation takes
    fail              creations that fail and leave a half; it is a count, which is used up
    hang              a command that never ends
    flood             a command that writes 100 MB
    garbage           a command that writes no JSON
    fork              a command that leaves a child which holds standard output
    error             true: creation answers with status "error" and a fault
    leak              deletions that say they worked and did not; a count
    listing-lags      true: ListInstances does not show machines
    stopped           true: a new machine is off until StartInstance
    deaf              true: a new machine never calls
"""

import base64
import fcntl
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
import uuid

NOT_FOUND, DUPLICATE = 30, 31
POOL_COMMANDS = {"CreateInstance", "ListInstances"}
INSTANCE_COMMANDS = {"GetInstance", "DeleteInstance", "StartInstance", "StopInstance"}


class Failure(Exception):
    def __init__(self, text, status=1):
        super().__init__(text)
        self.status = status


class Environment:
    """What the library reads and insists on before it calls a provider (execution/v0.1.0, v0.1.1)."""

    def __init__(self, variables):
        self.command = variables.get("GARM_COMMAND", "")
        self.controller = variables.get("GARM_CONTROLLER_ID", "")
        self.pool = variables.get("GARM_POOL_ID", "")
        self.instance = variables.get("GARM_INSTANCE_ID", "")
        self.version = variables.get("GARM_INTERFACE_VERSION", "") or "v0.1.0"
        config = variables.get("GARM_PROVIDER_CONFIG_FILE", "")
        if self.version not in ("v0.1.0", "v0.1.1"):
            raise Failure(f"unsupported interface version: {self.version}")
        if not self.controller:
            raise Failure("missing controller ID")
        if not config:
            raise Failure("missing config file")
        if not os.path.exists(config):
            raise Failure(f"error accessing config file: stat {config}: no such file or directory")
        needs_pool = self.command in POOL_COMMANDS or (self.version == "v0.1.1" and self.command in INSTANCE_COMMANDS)
        if needs_pool and not self.pool:
            raise Failure("missing pool ID")
        if self.command in INSTANCE_COMMANDS and not self.instance:
            raise Failure("missing instance ID")
        if self.version == "v0.1.1":
            specs = variables.get("GARM_POOL_EXTRASPECS", "")
            try:
                json.loads(base64.b64decode(specs, validate=True))
            except ValueError as error:
                raise Failure(f"decoding GARM_POOL_EXTRASPECS: {error}") from error
        self.config_file = config
        with open(config, encoding="utf-8") as file:
            self.config = json.loads(file.read() or "{}")
        self.misbehave = self.config.get("misbehave", {})
        # A relative one is below the working directory, which for RunnerHub is the plugin's own.
        self.directory = os.path.abspath(self.config.get("directory", "/var/lib/garm-local"))
        os.makedirs(self.directory, mode=0o700, exist_ok=True)

    def use_up(self, key):
        """One of a count of misdeeds that the configuration asks for."""
        left = self.misbehave.get(key, 0)
        if not left:
            return False
        marks = os.path.join(self.directory, f".{key}")
        with open(marks, "a+", encoding="utf-8") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            file.seek(0)
            done = len(file.read())
            if done >= left:
                return False
            file.write("x")
            return True


class Cloud:
    """The machines, each a folder DIRECTORY/NAME with machine.json."""

    def __init__(self, environment):
        self.environment = environment
        self.directory = environment.directory

    def path(self, name):
        return os.path.join(self.directory, name)

    def machines(self):
        found = []
        for name in sorted(os.listdir(self.directory)):
            try:
                with open(os.path.join(self.path(name), "machine.json"), encoding="utf-8") as file:
                    machine = json.load(file)
            except (FileNotFoundError, NotADirectoryError, ValueError):
                continue
            if machine["controller"] == self.environment.controller:
                found.append(machine)
        return found

    def find(self, reference):
        """By the provider's id or by the name: both come from a host."""
        for machine in self.machines():
            if reference in (machine["id"], machine["name"]):
                return machine
        return None

    def save(self, machine):
        path = os.path.join(self.path(machine["name"]), "machine.json")
        with open(path + ".new", "w", encoding="utf-8") as file:
            json.dump(machine, file)
        os.replace(path + ".new", path)

    def answer(self, machine):
        status = machine["status"]
        if status == "running" and not processes_of(machine["id"]) and not self.environment.misbehave.get("deaf"):
            status = "stopped"
        answer = {
            "provider_id": machine["id"], "name": machine["name"], "os_type": "linux", "os_name": "local", "os_version": "1",
            "os_arch": "amd64", "status": status, "pool_id": machine["pool"],
            "addresses": [{"address": "127.0.0.1", "type": "private"}],
        }
        if machine.get("fault"):
            answer["provider_fault"] = base64.b64encode(machine["fault"].encode()).decode()
        return answer

    def create(self, wanted):
        name = wanted.get("name", "")
        if not name:
            raise Failure("missing bootstrap params")
        if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_.-]*", name):
            raise Failure(f"invalid name: {name}")
        tools = [tool for tool in wanted.get("tools") or [] if tool.get("os") == "linux" and tool.get("architecture") == "x64"]
        if not tools or not tools[0].get("filename") or not tools[0].get("download_url"):
            raise Failure(f"failed to find tools for os linux and arch {wanted.get('arch')}")
        if self.find(name):
            raise Failure(f"instance {name} already exists", DUPLICATE)
        # The half that is there before the cloud has finished: what Delete by name must find.
        os.makedirs(self.path(name), mode=0o700, exist_ok=True)
        machine = {
            "id": f"i-{uuid.uuid4().hex[:16]}", "name": name, "controller": self.environment.controller, "pool": self.environment.pool,
            "status": "unknown",
        }
        self.save(machine)
        time.sleep(self.environment.misbehave.get("slow", 0))
        if self.environment.use_up("fail"):
            raise Failure("the cloud has no room: InsufficientInstanceCapacity")
        self.furnish(machine, wanted, tools[0])
        if self.environment.misbehave.get("error"):
            machine.update(status="error", fault="the machine's disk cannot be made")
        elif self.environment.misbehave.get("stopped"):
            machine["status"] = "stopped"
        else:
            self.boot(machine)
        self.save(machine)
        return self.answer(machine)

    def furnish(self, machine, wanted, tool):
        home = self.path(machine["name"])
        image = wanted.get("image", "")
        if not os.path.isfile(os.path.join(image, "run.sh")):
            raise Failure(f"image {image} not found")
        shutil.copytree(image, os.path.join(home, "actions-runner"), symlinks=True, dirs_exist_ok=True)
        specs = wanted.get("extra_specs") or {}
        template = base64.b64decode(specs.get("runner_install_template", "")).decode()
        if not template:
            raise Failure("this provider has no install script of its own: runner_install_template is missing")
        fields = {
            "MetadataURL": wanted["metadata-url"], "CallbackURL": wanted["callback-url"], "CallbackToken": wanted["instance-token"],
            "RepoURL": wanted["repo_url"], "RunnerName": machine["name"], "FileName": tool["filename"], "DownloadURL": tool["download_url"],
            "UseJITConfig": str(wanted["jit_config_enabled"]).lower(),
        }
        script = re.sub(r"{{-?\s*\.(\w+)\s*-?}}", lambda match: fields[match.group(1)], template)
        with open(os.path.join(home, "user-data"), "w", encoding="utf-8") as file:
            os.fchmod(file.fileno(), 0o600)
            file.write(script)

    def boot(self, machine):
        home = self.path(machine["name"])
        machine["status"] = "running"
        if self.environment.misbehave.get("deaf"):
            return
        variables = {
            "PATH": "/usr/local/bin:/usr/bin:/bin", "HOME": home, "LANG": "C.UTF-8", "USER": "runner", "GARM_LOCAL_MACHINE": machine["id"],
            # The real runner refuses to run as root without it.
            "RUNNER_ALLOW_RUNASROOT": "1",
        }
        with open(os.path.join(home, "console.log"), "ab") as console:
            subprocess.Popen(
                ["/bin/sh", os.path.join(home, "user-data")], cwd=home, env=variables, stdin=subprocess.DEVNULL, stdout=console,
                stderr=console, start_new_session=True, close_fds=True)

    def delete(self, machine):
        if self.environment.use_up("leak"):
            return
        end_processes(machine["id"])
        shutil.rmtree(self.path(machine["name"]), ignore_errors=True)


def processes_of(machine):
    """Living processes that carry the machine's mark."""
    mark = f"GARM_LOCAL_MACHINE={machine}".encode()
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/environ", "rb") as file:
                if mark in file.read().split(b"\0"):
                    found.append(int(pid))
        except OSError:
            continue
    return found


def end_processes(machine):
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        left = processes_of(machine)
        if not left:
            return
        for pid in left:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue
        time.sleep(0.02)
    raise Failure(f"processes of {machine} do not end")


def misbehave(environment):
    """What no answer should harm the host with."""
    wrongs = environment.misbehave
    if wrongs.get("hang") == environment.command:
        time.sleep(3600)
    if wrongs.get("flood") == environment.command:
        block = b"0123456789abcdef" * 65536
        for _ in range(100):
            sys.stdout.buffer.write(block)
        sys.exit(0)
    if wrongs.get("garbage") == environment.command:
        print("panic: runtime error: invalid memory address or nil pointer dereference")
        sys.exit(0)
    if wrongs.get("fork") == environment.command:
        subprocess.Popen(["/bin/sleep", "300"], stdin=subprocess.DEVNULL)


def run(environment):
    misbehave(environment)
    cloud = Cloud(environment)
    command = environment.command
    if command == "GetVersion":
        return "v1.0.0"
    if command == "CreateInstance":
        return cloud.create(json.load(sys.stdin))
    if command == "ListInstances":
        lags = environment.misbehave.get("listing-lags")
        found = [] if lags else [cloud.answer(machine) for machine in cloud.machines() if machine["pool"] == environment.pool]
        # A nil slice of Go.
        return found or None
    if command == "RemoveAllInstances":
        for machine in cloud.machines():
            cloud.delete(machine)
        return ""
    if environment.version == "v0.1.1":
        if command == "GetSupportedInterfaceVersions":
            return environment.config.get("versions", ["v0.1.0", "v0.1.1"])
        if command == "ValidatePoolInfo":
            return ""
        if command in ("GetConfigJSONSchema", "GetExtraSpecsJSONSchema"):
            return {"$schema": "http://json-schema.org/draft-07/schema#", "type": "object"}
    if command not in INSTANCE_COMMANDS:
        raise Failure(f"unknown command: {command}")
    machine = cloud.find(environment.instance)
    if command == "DeleteInstance":
        if machine:
            cloud.delete(machine)
        return ""
    if not machine:
        raise Failure(f"failed to find instance: {environment.instance}", NOT_FOUND)
    if command == "GetInstance":
        return cloud.answer(machine)
    if command == "StartInstance":
        if not processes_of(machine["id"]):
            cloud.boot(machine)
            cloud.save(machine)
        return ""
    end_processes(machine["id"])
    machine["status"] = "stopped"
    cloud.save(machine)
    return ""


def main():
    try:
        answer = run(Environment(os.environ))
    except Failure as failure:
        print(failure, file=sys.stderr)
        return failure.status
    if isinstance(answer, str):
        sys.stdout.write(answer)
    else:
        json.dump(answer, sys.stdout)
    return 0


if __name__ == "__main__":
    sys.exit(main())
