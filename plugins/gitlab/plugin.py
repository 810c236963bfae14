"""The host's side of a plugin (JSON-RPC 2.0 over the standard streams, docs/plugin-protocol.md), and a small client for web APIs.

The same file stands in the plugins gitlab, jenkins and azure-devops: each folder is complete in itself.
"""

import base64
import json
import ssl
import sys
import threading
import urllib.error
import urllib.parse
import urllib.request
from concurrent.futures import ThreadPoolExecutor

FAILED, NOT_FOUND, INVALID, UNAVAILABLE, FORBIDDEN, EXISTS, THROTTLED = -32000, -32001, -32002, -32003, -32004, -32005, -32006
METHOD_NOT_FOUND, INVALID_PARAMETERS, INTERNAL = -32601, -32602, -32603


class Refused(Exception):
    """An answer that is an error of the protocol's list."""

    def __init__(self, code, message, retry_after=None):
        super().__init__(message)
        self.code = code
        self.retry_after = retry_after


def log(text):
    print(text, file=sys.stderr, flush=True)


class Plugin:
    """Answers the host's requests, each in a thread of its own, and sends it requests of ours.

    A subclass has `start(configuration, directory)` and a method for each request: `source/register` is `source_register(parameters)`.
    """

    version = "1.0.0"

    def __init__(self):
        self._lock = threading.Lock()
        self._waiting = {}
        self._last = 0
        self._ended = threading.Event()
        self._workers = ThreadPoolExecutor(max_workers=8)
        self.trouble = None

    def run(self):
        for line in sys.stdin.buffer:
            try:
                message = json.loads(line)
            except ValueError:
                self._send({"jsonrpc": "2.0", "id": None, "error": {"code": -32700, "message": "this line is no JSON"}})
                continue
            if not isinstance(message, dict):
                self._send({"jsonrpc": "2.0", "id": None, "error": {"code": -32600, "message": "a message must be an object"}})
            elif "method" not in message:
                self._take_answer(message)
            elif "id" in message:
                self._workers.submit(self._answer, message)
        self._ended.set()
        for done in list(self._waiting.values()):
            done["event"].set()
        self._workers.shutdown(wait=True, cancel_futures=True)

    def request(self, method, parameters, limit=30):
        """Sends a request to the host and returns its result."""
        done = {"event": threading.Event()}
        with self._lock:
            self._last += 1
            number = f"p{self._last}"
            self._waiting[number] = done
        try:
            self._send({"jsonrpc": "2.0", "id": number, "method": method, "params": parameters})
            if not done["event"].wait(limit) or "answer" not in done:
                raise Refused(UNAVAILABLE, f"the host did not answer {method} within {limit} s")
        finally:
            with self._lock:
                self._waiting.pop(number, None)
        error = done["answer"].get("error")
        if error:
            raise Refused(error.get("code", FAILED), f"the host refused {method}: {error.get('message')}")
        return done["answer"].get("result")

    def pause(self, seconds):
        """Waits; true: the host has closed our input, and all is over."""
        return self._ended.wait(seconds)

    def _send(self, message):
        data = json.dumps(message, separators=(",", ":")).encode() + b"\n"
        with self._lock:
            sys.stdout.buffer.write(data)
            sys.stdout.buffer.flush()

    def _take_answer(self, message):
        with self._lock:
            done = self._waiting.get(str(message.get("id")))
        if done:
            done["answer"] = message
            done["event"].set()

    def _answer(self, message):
        answer = {"jsonrpc": "2.0", "id": message["id"]}
        try:
            answer["result"] = self._perform(message["method"], message.get("params") or {})
        except Refused as error:
            answer["error"] = {"code": error.code, "message": str(error)}
            if error.retry_after is not None:
                answer["error"]["data"] = {"retryAfter": error.retry_after}
        except (KeyError, TypeError, ValueError) as error:
            answer["error"] = {"code": INVALID_PARAMETERS, "message": f"{type(error).__name__}: {error}"}
        except Exception as error:  # whatever it is, the host must have an answer
            log(f"{message['method']} failed: {type(error).__name__}: {error}")
            answer["error"] = {"code": INTERNAL, "message": f"{type(error).__name__}: {error}"}
        self._send(answer)

    def _perform(self, method, parameters):
        if not isinstance(parameters, dict):
            raise Refused(INVALID_PARAMETERS, f"the parameters of {method} must be an object")
        if method == "initialize":
            self.start(parameters["configuration"], parameters["directory"])
            return {"protocolVersion": "1", "version": self.version}
        if method == "health":
            return {"status": "degraded", "detail": self.trouble} if self.trouble else {"status": "ok"}
        if method == "shutdown":
            self._ended.set()
            return {}
        perform = getattr(self, method.replace("/", "_"), None) if "/" in method else None
        if perform is None:
            raise Refused(METHOD_NOT_FOUND, f"{method} is not known here")
        return perform(parameters)


class Poller:
    """Looks at the platform again and again and tells the host of every job that has changed, also of those that are not open any more."""

    def __init__(self, plugin, seconds, open_jobs, one_job):
        self.plugin, self.seconds, self.open_jobs, self.one_job = plugin, seconds, open_jobs, one_job
        self.told = {}
        self.nudge = threading.Event()

    def start(self):
        threading.Thread(target=self._run, daemon=True).start()

    def _run(self):
        while not self.plugin.pause(self.seconds):
            try:
                self.turn()
                self.plugin.trouble = None
            except Refused as error:
                self.plugin.trouble = str(error)[:200]
                log(f"polling: {error}")
                if error.retry_after and self.plugin.pause(error.retry_after):
                    return

    def turn(self):
        jobs = {job["id"]: job for job in self.open_jobs()}
        for number, told in list(self.told.items()):
            if number not in jobs:
                # It ended, or is not there any more.
                job = self.one_job(told)
                if job:
                    jobs[number] = job
                else:
                    del self.told[number]
        news = [job for number, job in jobs.items() if self.told.get(number, {}).get("transition") != job["transition"]]
        for start in range(0, len(news), 200):
            self.plugin.request("source/events", {"jobs": news[start:start + 200]})
        for number, job in jobs.items():
            self.told[number] = job
            if job["status"] == "completed":
                del self.told[number]


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    """A redirect would carry our credentials to wherever it points."""

    def redirect_request(self, *_):
        return None


class Web:
    """A JSON API over HTTP. Its refusals become those of the protocol."""

    def __init__(self, base, headers=None, limit=15):
        self.base = base.rstrip("/")
        if urllib.parse.urlsplit(self.base).scheme not in ("http", "https"):
            raise Refused(INVALID, f"{base} is no http or https address")
        self.headers = {"Accept": "application/json", "User-Agent": "RunnerHub", **(headers or {})}
        self.limit = limit
        self._opener = urllib.request.build_opener(
            _NoRedirects, urllib.request.HTTPSHandler(context=ssl.create_default_context()))

    @staticmethod
    def basic(user, password):
        return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()

    def call(self, method, path, query=None, json_body=None, form=None, expect=(200, 201, 202, 204), text=False):
        """Returns (status, body, headers): the body as JSON, or as text. Statuses that are not expected are raised."""
        url = path if path.startswith(self.base + "/") else self.base + path
        if query:
            url += "?" + urllib.parse.urlencode(query, doseq=True)
        headers, data = dict(self.headers), None
        if json_body is not None:
            data, headers["Content-Type"] = json.dumps(json_body).encode(), "application/json"
        elif form is not None:
            data, headers["Content-Type"] = urllib.parse.urlencode(form).encode(), "application/x-www-form-urlencoded"
        request = urllib.request.Request(url, data=data, headers=headers, method=method)
        try:
            with self._opener.open(request, timeout=self.limit) as response:
                status, body, answer_headers = response.status, response.read(64 << 20), response.headers
        except urllib.error.HTTPError as error:
            status, body, answer_headers = error.code, error.read(1 << 20), error.headers
        except (urllib.error.URLError, OSError) as error:
            raise Refused(UNAVAILABLE, f"{method} {path}: {getattr(error, 'reason', error)}") from None
        if status not in expect:
            raise self._refusal(method, path, status, body, answer_headers)
        content = body.decode("utf-8", "replace")
        if text:
            return status, content, answer_headers
        try:
            return status, json.loads(content) if content.strip() else None, answer_headers
        except ValueError:
            raise Refused(UNAVAILABLE, f"{method} {path}: the answer is no JSON") from None

    @staticmethod
    def _refusal(method, path, status, body, headers):
        words = " ".join(body.decode("utf-8", "replace").split())[:300]
        message = f"{method} {path.split('?')[0]}: {status} {words}"
        if status == 429 or (status == 503 and headers.get("Retry-After")):
            wait = headers.get("Retry-After") or "60"
            return Refused(THROTTLED, message, retry_after=int(wait) if wait.isdigit() else 60)
        codes = {401: FORBIDDEN, 403: FORBIDDEN, 404: NOT_FOUND, 409: EXISTS}
        return Refused(codes.get(status, UNAVAILABLE if status >= 500 or 300 <= status < 400 else INVALID), message)


def runner_file(path, text, mode=0o600):
    """A file of a runner; secrets keep the mode that lets nobody else read it."""
    return {"path": path, "contents": base64.b64encode(text.encode()).decode(), "mode": mode}
