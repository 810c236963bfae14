"""What the emulators of CI platforms share: an HTTP server of routes, scripted faults, and webhooks that get lost and doubled.

Methods called `control_…` are the hand of a test, which no real platform has.
"""

import json
import os
import re
import sys
import threading
import urllib.parse
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Answer(Exception):
    """Any answer that is not 200 with JSON."""

    def __init__(self, status, body=None, headers=None):
        super().__init__(status)
        self.status, self.body, self.headers = status, body, headers or {}


class Call:
    """One request."""

    def __init__(self, method, target, headers, body):
        parts = urllib.parse.urlsplit(target)
        self.method, self.path, self.headers, self.body = method, parts.path, headers, body
        self.query = urllib.parse.parse_qs(parts.query)

    def one(self, name, default=None):
        return self.query.get(name, [default])[0]

    @property
    def json(self):
        try:
            return json.loads(self.body or b"{}")
        except ValueError:
            raise Answer(400, {"message": "the body is no JSON"}) from None

    @property
    def form(self):
        return {name: values[0] for name, values in urllib.parse.parse_qs(self.body.decode()).items()}


def route(method, pattern):
    """Marks a method of an emulator as the answer to requests whose whole path matches."""

    def mark(function):
        function.route = (method, re.compile(pattern + r"\Z"))
        return function

    return mark


class Emulator:
    """State is guarded by one lock, held for each whole request."""

    def __init__(self, port=0):
        self.lock = threading.RLock()
        self.changed = threading.Condition(self.lock)
        self.calls = []
        self.faults = []
        self.hook = None
        self.hook_faults = []
        self.routes = [(*function.route, getattr(self, name)) for name, function in sorted(vars(type(self)).items())
                       if hasattr(function, "route")]
        emulator = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def _respond(self):
                length = int(self.headers.get("Content-Length") or 0)
                call = Call(self.command, self.path, self.headers, self.rfile.read(length))
                try:
                    status, body, headers = emulator.respond(call)
                except Exception as error:  # a defect of the emulator, which a test must see
                    status, body, headers = 500, {"message": f"the emulator failed: {type(error).__name__}: {error}"}, {}
                data = b"" if body is None else body.encode() if isinstance(body, str) else json.dumps(body).encode()
                self.send_response(status)
                headers = {"Content-Type": "application/json", **headers}
                for name, value in headers.items():
                    self.send_header(name, str(value))
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _respond

            def log_message(self, *_):
                return

        class Server(ThreadingHTTPServer):
            daemon_threads = True
            request_queue_size = 128

        self.server = Server(("127.0.0.1", port), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()

    def respond(self, call):
        with self.lock:
            try:
                self.calls.append((call.method, call.path))
                self._meet_fault(call)
                for method, pattern, perform in self.routes:
                    found = pattern.match(call.path)
                    if found and method == call.method:
                        answer = perform(call, **found.groupdict())
                        return answer if isinstance(answer, tuple) else (200, answer, {})
                return 404, {"message": "404 Not Found"}, {}
            except Answer as answer:
                return answer.status, answer.body, answer.headers

    def _meet_fault(self, call):
        for fault in self.faults:
            if fault["times"] > 0 and re.search(fault["match"], f"{call.method} {call.path}"):
                fault["times"] -= 1
                raise Answer(fault["status"], {"message": "a scripted fault"}, fault.get("headers"))

    # Control

    def control_fault(self, match, status, times=1, headers=None):
        self.faults.append({"match": match, "status": status, "times": times, "headers": headers})
        return {}

    def control_hook(self, url, token):
        self.hook = {"url": url, "token": token}
        return {}

    def control_hook_faults(self, faults):
        """For the next webhooks, one word each: ok, lose, double."""
        self.hook_faults += faults
        return {}

    def control_calls(self):
        return {"calls": [f"{method} {path}" for method, path in self.calls]}

    # Webhooks

    def deliver(self, payload, headers):
        """Sends a webhook as the platforms do: once, without waiting, and not again."""
        if not self.hook:
            return
        fault = self.hook_faults.pop(0) if self.hook_faults else "ok"
        if fault == "lose":
            return
        data = json.dumps(payload).encode()
        url = self.hook["url"]

        def send():
            for _ in range(2 if fault == "double" else 1):
                request = urllib.request.Request(url, data=data, headers={"Content-Type": "application/json", **headers}, method="POST")
                try:
                    with urllib.request.urlopen(request, timeout=10) as response:
                        response.read()
                except OSError as error:
                    print(f"webhook: {error}", file=sys.stderr, flush=True)

        threading.Thread(target=send, daemon=True).start()


def serve(kind):
    """As a program: says where it listens, then answers `{"call": NAME, "arguments": {…}}`, a line each, until its standard input is closed.

    With PORT in its environment it listens there, has one job, and is ended from outside: as `runnerhub plugin test` runs it.
    """
    port = os.environ.get("PORT")
    emulator = kind(int(port or 0))
    if port:
        emulator.control_job(tags=["linux"])
        threading.Event().wait()
    print(json.dumps({"url": emulator.url}), flush=True)
    for line in sys.stdin:
        wish = json.loads(line)
        with emulator.lock:
            print(json.dumps(getattr(emulator, "control_" + wish["call"])(**wish["arguments"])), flush=True)
    emulator.close()
