#!/usr/bin/env python3
"""NAME: a GARM external provider whose machines are processes of this computer, each in a folder of its own.

A provider is a program that is called once for each operation: the operation and what it is about stand in its environment, the wish for a machine in
standard input, and the answer goes to standard output. So it is used by GARM, too. NO ISOLATION: a machine runs as this program's user.

Its configuration file may be JSON: {"directory": "/srv/NAME"}, the folder of its machines; otherwise that is `machines` in the working directory. An
image is an absolute folder with run.sh in it, which becomes `home/actions-runner` of a machine.
"""

import base64
import json
import os
import re
import sys

import processes

NOT_FOUND, DUPLICATE = 30, 31
ABOUT_A_POOL = ("CreateInstance", "ListInstances")
ABOUT_A_MACHINE = ("GetInstance", "DeleteInstance", "StartInstance", "StopInstance")


class Failure(Exception):
    def __init__(self, text, status=1):
        super().__init__(text)
        self.status = status


class Cloud:
    """YOUR CODE: the machines. Here each is a folder, with `facts.json` from its first moment on, so that a half of it can be deleted too."""

    def __init__(self, directory, controller, pool):
        self.directory, self.controller, self.pool = directory, controller, pool
        os.makedirs(directory, mode=0o700, exist_ok=True)

    def facts(self, name):
        """None: it is not there, or another installation's."""
        try:
            with open(os.path.join(self.directory, name, "facts.json"), encoding="utf-8") as file:
                facts = json.load(file)
        except (FileNotFoundError, NotADirectoryError, ValueError):
            return None
        return facts if facts["controller"] == self.controller else None

    def find(self, reference):
        """By the id that creation has told, or by the name."""
        for name in (reference, reference.removeprefix("local-")):
            if re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_.-]*", name) and self.facts(name):
                return name
        return None

    def answer(self, name):
        is_running = processes.is_living(os.path.join(self.directory, name))
        return {
            "provider_id": f"local-{name}", "name": name, "os_type": "linux", "os_arch": "amd64", "status": "running" if is_running else "stopped",
        }

    def list(self):
        names = [name for name in sorted(os.listdir(self.directory)) if (self.facts(name) or {}).get("pool") == self.pool]
        return [self.answer(name) for name in names]

    def create(self, wish):
        name, image = wish.get("name") or "", wish.get("image") or ""
        if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_.-]*", name):
            raise Failure(f"{name!r} cannot be a machine's name")
        if not os.path.isfile(os.path.join(image, "run.sh")):
            raise Failure(f"image {image!r} is no folder with run.sh in it")
        script = self.script(wish)
        folder = os.path.join(self.directory, name)
        try:
            os.mkdir(folder, mode=0o700)
        except FileExistsError:
            raise Failure(f"machine {name} exists already", DUPLICATE) from None
        with open(os.path.join(folder, "facts.json"), "w", encoding="utf-8") as file:
            json.dump({"controller": self.controller, "pool": self.pool}, file)
        os.mkdir(os.path.join(folder, "home"), mode=0o700)
        processes.copy(image, os.path.join(folder, "home/actions-runner"))
        # It holds the machine's token.
        with open(os.open(os.path.join(folder, "user-data"), os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
            file.write(script)
        self.start(name)
        return self.answer(name)

    @staticmethod
    def script(wish):
        """What a new machine is to run: the host's template, with its values in it."""
        template = base64.b64decode((wish.get("extra_specs") or {}).get("runner_install_template") or "").decode()
        if not template:
            raise Failure("extra_specs has no runner_install_template, and this provider has no install script of its own")
        tool = (wish.get("tools") or [{}])[0]
        values = {
            "MetadataURL": wish.get("metadata-url"), "CallbackURL": wish.get("callback-url"), "CallbackToken": wish.get("instance-token"),
            "RepoURL": wish.get("repo_url"), "RunnerName": wish.get("name"), "FileName": tool.get("filename"), "DownloadURL": tool.get("download_url"),
            "UseJITConfig": json.dumps(bool(wish.get("jit_config_enabled"))),
        }
        return re.sub(r"{{-?\s*\.(\w+)\s*-?}}", lambda match: values.get(match[1]) or "", template)

    def start(self, name):
        folder = os.path.join(self.directory, name)
        if not processes.is_living(folder):
            processes.forget(folder)
            processes.launch(folder, os.path.join(folder, "user-data"), {"RUNNER_ALLOW_RUNASROOT": "1"})

    def stop(self, name):
        processes.end(os.path.join(self.directory, name))

    def delete(self, name):
        self.stop(name)
        processes.destroy(os.path.join(self.directory, name))


def run(variables):
    """The answer to one call: text, or what is written as JSON."""
    command, version = variables.get("GARM_COMMAND", ""), variables.get("GARM_INTERFACE_VERSION") or "v0.1.0"
    controller, pool, instance = (variables.get(f"GARM_{what}_ID", "") for what in ("CONTROLLER", "POOL", "INSTANCE"))
    config = variables.get("GARM_PROVIDER_CONFIG_FILE", "")
    if version not in ("v0.1.0", "v0.1.1"):
        raise Failure(f"GARM_INTERFACE_VERSION is {version!r}: expected v0.1.0 or v0.1.1")
    if not controller:
        raise Failure("GARM_CONTROLLER_ID is missing")
    try:
        with open(config, encoding="utf-8") as file:
            settings = json.loads(file.read().strip() or "{}")
    except (OSError, ValueError) as error:
        raise Failure(f"GARM_PROVIDER_CONFIG_FILE {config!r}: {error}") from error
    if not pool and (command in ABOUT_A_POOL or (version == "v0.1.1" and command in ABOUT_A_MACHINE)):
        raise Failure("GARM_POOL_ID is missing")
    if not instance and command in ABOUT_A_MACHINE:
        raise Failure("GARM_INSTANCE_ID is missing")

    if command == "GetVersion":
        return "v1.0.0"
    if command == "GetSupportedInterfaceVersions":
        return ["v0.1.0", "v0.1.1"]
    if command == "ValidatePoolInfo":
        return ""
    if command in ("GetConfigJSONSchema", "GetExtraSpecsJSONSchema"):
        return {"$schema": "http://json-schema.org/draft-07/schema#", "type": "object"}
    cloud = Cloud(os.path.abspath(settings.get("directory", "machines")), controller, pool)
    if command == "CreateInstance":
        return cloud.create(json.load(sys.stdin))
    if command == "ListInstances":
        return cloud.list()
    if command == "RemoveAllInstances":
        for name in filter(cloud.facts, os.listdir(cloud.directory)):
            cloud.delete(name)
        return ""
    if command not in ABOUT_A_MACHINE:
        raise Failure(f"GARM_COMMAND {command!r} is not known")
    name = cloud.find(instance)
    if name is None:
        if command == "DeleteInstance":
            return ""
        raise Failure(f"there is no machine {instance}", NOT_FOUND)
    if command == "GetInstance":
        return cloud.answer(name)
    {"DeleteInstance": cloud.delete, "StartInstance": cloud.start, "StopInstance": cloud.stop}[command](name)
    return ""


def main():
    try:
        answer = run(os.environ)
    except Failure as failure:
        print(failure, file=sys.stderr)
        return failure.status
    except (OSError, ValueError) as error:
        print(f"{type(error).__name__}: {error}", file=sys.stderr)
        return 1
    sys.stdout.write(answer if isinstance(answer, str) else json.dumps(answer))
    return 0


sys.exit(main())
