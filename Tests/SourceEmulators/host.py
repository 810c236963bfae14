"""RunnerHub's side of a plugin, as far as a test needs it: starts the program, asks it, takes the jobs that it hands in, and runs its runners."""

import base64
import json
import os
import queue
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
IMAGES = Path(__file__).resolve().parent / "images"


class Refusal(Exception):
    def __init__(self, error):
        super().__init__(error["message"])
        self.code, self.data = error["code"], error.get("data")


class Host:
    def __init__(self, name, program, configuration):
        self.folder = tempfile.mkdtemp(prefix="runnerhub-source-")
        self.process = subprocess.Popen(
            [sys.executable, "-B", str(ROOT / "plugins" / name / program)], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            cwd=ROOT / "plugins" / name, env={"PATH": "/usr/bin:/bin"})
        self.answers = {}
        self.jobs = []
        self.news = threading.Condition()
        self.last = 0
        threading.Thread(target=self._read, daemon=True).start()
        self.version = self.ask("initialize", {
            "protocolVersions": ["1"], "host": {"name": "RunnerHub", "version": "test"}, "name": name, "kind": "source",
            "configuration": configuration, "directory": self.folder, "abilities": ["network", "jobs"]})

    def _read(self):
        for line in self.process.stdout:
            message = json.loads(line)
            if "method" in message:
                with self.news:
                    self.jobs += message["params"]["jobs"]
                    self.news.notify_all()
                self._send({"jsonrpc": "2.0", "id": message["id"], "result": {}})
            else:
                self.answers[message["id"]].put(message)

    def _send(self, message):
        self.process.stdin.write(json.dumps(message).encode() + b"\n")
        self.process.stdin.flush()

    def ask(self, method, parameters, limit=20):
        self.last += 1
        number = self.last
        self.answers[number] = queue.Queue()
        self._send({"jsonrpc": "2.0", "id": number, "method": method, "params": parameters})
        message = self.answers[number].get(timeout=limit)
        if "error" in message:
            raise Refusal(message["error"])
        return message["result"]

    def hears(self, what, limit=15):
        """Waits for a job that the plugin hands in, and that is like this."""
        deadline = time.monotonic() + limit
        with self.news:
            while True:
                for job in self.jobs:
                    if what(job):
                        return job
                left = deadline - time.monotonic()
                if left <= 0 or not self.news.wait(left):
                    raise AssertionError(f"no such job came; these did: {self.jobs}")

    def run_runner(self, registration, image, limit=30):
        """What an engine does with a registration: the image's home, the files, the command; its output and its end."""
        home = Path(tempfile.mkdtemp(prefix="home-", dir=self.folder))
        shutil.copytree(IMAGES / image, home, dirs_exist_ok=True)
        for file in registration["files"]:
            path = home / file["path"]
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(base64.b64decode(file["contents"]))
            os.chmod(path, file["mode"])
        return subprocess.run(registration["command"], cwd=home, env={"PATH": "/usr/bin:/bin", "HOME": str(home), **registration["environment"]},
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=limit, check=False)

    def close(self):
        self.ask("shutdown", {})
        self.process.stdin.close()
        code = self.process.wait(timeout=10)
        self.process.stdout.close()
        shutil.rmtree(self.folder)
        assert code == 0, f"the plugin ended with {code}"
