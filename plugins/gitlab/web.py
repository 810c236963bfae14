"""What plugins of kind source share beside the protocol: looking again and again at a platform, and a small client for web APIs.

The same file stands in the plugins gitlab, jenkins and azure-devops: each folder is complete in itself.
"""

import base64
import json
import ssl
import threading
import urllib.error
import urllib.parse
import urllib.request

from protocol import EXISTS, FORBIDDEN, INVALID, INVALID_PARAMETERS, NOT_FOUND, THROTTLED, UNAVAILABLE, Failure, Plugin, log


class Source(Plugin):
    """A subclass has a method for each request: `source/register` is `source_register(parameters)`."""

    def __init__(self):
        super().__init__()
        self.trouble = None

    def health(self):
        return {"status": "degraded", "detail": self.trouble} if self.trouble else {"status": "ok"}

    def methods(self):
        names = ["register", "remove", "job", "open", "cancel", "report", "delivery"]
        return {f"source/{name}": self.__checked(getattr(self, f"source_{name}")) for name in names}

    @staticmethod
    def __checked(method):
        def perform(parameters):
            try:
                return method(parameters)
            except (KeyError, TypeError, ValueError) as error:
                raise Failure(INVALID_PARAMETERS, f"{type(error).__name__}: {error}") from error

        return perform


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
            except Failure as error:
                self.plugin.trouble = error.message[:200]
                log(f"polling: {error}")
                if error.data and self.plugin.pause(error.data.get("retryAfter", 0)):
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
            raise Failure(INVALID, f"{base} is no http or https address")
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
            raise Failure(UNAVAILABLE, f"{method} {path}: {getattr(error, 'reason', error)}") from None
        if status not in expect:
            raise self._refusal(method, path, status, body, answer_headers)
        content = body.decode("utf-8", "replace")
        if text:
            return status, content, answer_headers
        try:
            return status, json.loads(content) if content.strip() else None, answer_headers
        except ValueError:
            raise Failure(UNAVAILABLE, f"{method} {path}: the answer is no JSON") from None

    @staticmethod
    def _refusal(method, path, status, body, headers):
        words = " ".join(body.decode("utf-8", "replace").split())[:300]
        message = f"{method} {path.split('?')[0]}: {status} {words}"
        if status == 429 or (status == 503 and headers.get("Retry-After")):
            wait = headers.get("Retry-After") or "60"
            return Failure(THROTTLED, message, {"retryAfter": int(wait) if wait.isdigit() else 60})
        codes = {401: FORBIDDEN, 403: FORBIDDEN, 404: NOT_FOUND, 409: EXISTS}
        return Failure(codes.get(status, UNAVAILABLE if status >= 500 or 300 <= status < 400 else INVALID), message)


def runner_file(path, text, mode=0o600):
    """A file of a runner; secrets keep the mode that lets nobody else read it."""
    return {"path": path, "contents": base64.b64encode(text.encode()).decode(), "mode": mode}
