"""A queue of jobs for the tests of this plugin, with everything that the plugin uses of one.

    GET /jobs, GET /jobs/ID              {"id", "name", "repository", "labels", "commit", "script", "status", "runner"?, "conclusion"?, "note"?}
    POST /jobs/ID                        {"status"?, "runner"?, "conclusion"?, "note"?}: what changes
    POST /runners {"name", "job"}        {"id", "token"}; 409: the name is taken
    DELETE /runners/RUNNER               409: it has a job; 404

The token of a runner is good for status, runner and conclusion of its one job, and until the runner is deleted: its job can read it.
"""

import hashlib
import hmac
import http.server
import json
import os
import threading

TOKEN = "sesame"
JOBS = {
    number: {
        "id": number, "name": name, "repository": {"id": 5, "name": "acme/shop", "private": True}, "labels": ["linux"], "commit": "4f50365",
        "script": script, "status": "queued",
    }
    for number, name, script in [(1, "build", "echo built"), (2, "test", "exit 3"), (3, "lint", "true")]
}
RUNNERS = {}
LOCK = threading.Lock()


class Queue(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.act(None)

    def do_POST(self):
        self.act(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))

    def do_DELETE(self):
        self.act(None)

    def act(self, body):
        with LOCK:
            status, answer = self.result(body)
        data = json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def result(self, body):
        given = self.headers.get("Authorization", "")
        parts = self.path.strip("/").split("/")
        if given != f"Bearer {TOKEN}":
            name, runner = next(((name, one) for name, one in RUNNERS.items() if given == f"Bearer {one['token']}"), (None, None))
            if runner is None:
                return 401, {}
            is_own = self.command == "POST" and parts == ["jobs", str(runner["job"])]
            if not is_own or not set(body) <= {"status", "runner", "conclusion"} or body.get("runner", name) != name:
                return 403, {}
        if self.command == "GET" and parts == ["jobs"]:
            return 200, {"jobs": list(JOBS.values())}
        if len(parts) == 2 and parts[0] == "jobs" and parts[1].isdigit() and int(parts[1]) in JOBS:
            JOBS[int(parts[1])].update(body or {})
            return 200, JOBS[int(parts[1])]
        if self.command == "POST" and parts == ["runners"]:
            if body["name"] in RUNNERS:
                return 409, {}
            token = hmac.new(TOKEN.encode(), f"{body['name']}/{body['job']}".encode(), hashlib.sha256).hexdigest()
            RUNNERS[body["name"]] = {"id": len(RUNNERS) + 1, "job": body["job"], "token": token}
            return 201, {"id": RUNNERS[body["name"]]["id"], "token": token}
        if self.command == "DELETE" and len(parts) == 2 and parts[0] == "runners" and parts[1] in RUNNERS:
            if any(job["status"] == "in_progress" and job.get("runner") == parts[1] for job in JOBS.values()):
                return 409, {}
            del RUNNERS[parts[1]]
            return 200, {}
        return 404, {}

    def log_message(self, *_):
        pass


http.server.ThreadingHTTPServer(("127.0.0.1", int(os.environ["PORT"])), Queue).serve_forever()
