#!/usr/bin/env python3
"""NAME: jobs of a queue behind a small JSON API (stand_in.py beside this file has all of it) as jobs of RunnerHub."""

import base64
import json
import threading
import urllib.error
import urllib.parse
import urllib.request

from protocol import EXISTS, FORBIDDEN, INVALID, NOT_FOUND, UNAVAILABLE, Failure, Plugin, log, need

# What runs a job: it tells the queue of the beginning and of the end. `queue.conf` holds the runner's token, which
# may change this one job only: the job can read it. Never the queue's own.
RUNNER = """#!/bin/sh
tell() { curl --silent --show-error --fail --retry 5 --max-time 30 -K queue.conf --data "$1" -o /dev/null "$JOB_URL"; }
tell "{\\"status\\":\\"in_progress\\",\\"runner\\":\\"$RUNNER\\"}" || exit 1
sh ./script.sh
status=$?
if [ "$status" = 0 ]; then conclusion=success; else conclusion=failure; fi
tell "{\\"status\\":\\"completed\\",\\"conclusion\\":\\"$conclusion\\"}" && exit "$status"
"""


class Source(Plugin):
    def start(self, configuration, parameters):
        self.url, self.token = configuration["url"].rstrip("/"), configuration["token"]
        self.told = {}
        self.lock = threading.Lock()

    def methods(self):
        return {
            "source/open": self.open, "source/job": self.job, "source/register": self.register, "source/remove": self.remove,
            "source/cancel": self.cancel, "source/report": self.report, "source/delivery": self.delivery,
        }

    def health(self):
        """Asked every few seconds: a good moment to look at the queue, and to tell what is new."""
        try:
            with self.lock:
                self.look()
        except Failure as failure:
            log(failure.message)
            return {"status": "degraded", "detail": failure.message[:200]}
        return {"status": "ok"}

    def look(self):
        jobs = {job["id"]: job for job in self.all()}
        news = [job for number, job in jobs.items() if self.told.get(number) != job["transition"]]
        for start in range(0, len(news), 200):
            self.request("source/events", {"jobs": news[start:start + 200]})
        self.told = {number: job["transition"] for number, job in jobs.items()}

    # YOUR CODE: the platform. This is a queue that has GET /jobs, GET and POST /jobs/ID, POST /runners and DELETE /runners/RUNNER.

    def call(self, method, path, body=None):
        request = urllib.request.Request(
            self.url + path, method=method, data=None if body is None else json.dumps(body).encode(),
            headers={"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"})
        try:
            with urllib.request.urlopen(request, timeout=15) as response:
                return json.loads(response.read(4 << 20) or b"{}")
        except urllib.error.HTTPError as error:
            codes = {401: FORBIDDEN, 403: FORBIDDEN, 404: NOT_FOUND, 409: EXISTS}
            raise Failure(codes.get(error.code, UNAVAILABLE if error.code >= 500 else INVALID), f"{method} {path}: {error.code}") from None
        except (OSError, ValueError) as error:
            raise Failure(UNAVAILABLE, f"{method} {path}: {getattr(error, 'reason', error)}") from None

    def all(self):
        return [self.described(job) for job in need(self.call("GET", "/jobs"), "jobs", list)]

    @staticmethod
    def described(job):
        """A job of the queue as RunnerHub knows jobs."""
        names = ("id", "name", "labels", "repository", "status", "commit")
        if not isinstance(job, dict) or any(name not in job for name in names):
            raise Failure(UNAVAILABLE, f"the queue tells a job that has not all of {', '.join(names)}")
        described = {name: job[name] for name in names}
        described.update({name: job[name] for name in ("runner", "conclusion") if job.get(name)})
        # The same text whenever the same change is told.
        return {**described, "run": job["id"], "transition": f"{job['id']}/{job['status']}"}

    # What the host asks

    def open(self, _):
        return {"jobs": [job for job in self.all() if job["status"] != "completed"]}

    def job(self, parameters):
        return {"job": self.described(self.call("GET", f"/jobs/{need(parameters, 'id', int)}"))}

    def register(self, parameters):
        runner, number = need(parameters, "name", str), need(need(parameters, "job", dict), "id", int)
        script = need(self.call("GET", f"/jobs/{number}"), "script", str)
        registered = self.call("POST", "/runners", {"name": runner, "job": number})
        token = need(registered, "token", str)

        def file(path, text, mode):
            return {"path": path, "contents": base64.b64encode(text.encode()).decode(), "mode": mode}

        return {
            "id": registered["id"], "command": ["sh", "job.sh"],
            "environment": {"JOB_URL": f"{self.url}/jobs/{number}", "RUNNER": runner},
            "files": [
                file("job.sh", RUNNER, 0o755), file("script.sh", script + "\n", 0o644),
                file("queue.conf", f'header = "Authorization: Bearer {token}"\n', 0o600),
            ],
        }

    def remove(self, parameters):
        try:
            self.call("DELETE", "/runners/" + urllib.parse.quote(need(parameters, "name", str), safe=""))
        except Failure as failure:
            if failure.code in (NOT_FOUND, EXISTS):
                return {"outcome": "absent" if failure.code == NOT_FOUND else "busy"}
            raise
        return {"outcome": "removed"}

    def cancel(self, parameters):
        self.call("POST", f"/jobs/{need(parameters, 'run', int)}", {"status": "completed", "conclusion": "cancelled"})
        return {}

    def report(self, parameters):
        note = f"{need(parameters, 'status', str)}: {need(parameters, 'title', str)}"
        self.call("POST", f"/jobs/{need(need(parameters, 'job', dict), 'id', int)}", {"note": note})
        return {}

    def delivery(self, parameters):
        need(parameters, "body", str)
        return {"accepted": False, "reason": "this plugin takes no webhooks: it looks at the queue itself", "jobs": []}


Source().run()
