#!/usr/bin/env python3
"""Tells a Slack channel of alerts, by an incoming webhook (https://api.slack.com/messaging/webhooks)."""

import json
import os
import socket
import threading
import urllib.error
import urllib.request
from datetime import datetime

from protocol import FORBIDDEN, INVALID, THROTTLED, UNAVAILABLE, Failure, Plugin, log, need

COLOURS = {"info": "#2f6fab", "warning": "#c77700", "critical": "#b3261e"}
RESOLVED = "#1a6b35"
REMEMBERED = 500


class NoRedirects(urllib.request.HTTPRedirectHandler):
    """The address is the secret: it is sent nowhere else."""

    def redirect_request(self, *arguments):
        return None


def escaped(text):
    """Slack's three control characters (https://api.slack.com/reference/surfaces/formatting#escaping)."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def span(raised, resolved):
    """`1 h 5 min`; empty where one of the times is none."""
    try:
        seconds = int((time(resolved) - time(raised)).total_seconds())
    except (TypeError, ValueError):
        return ""
    minutes, hours = seconds // 60 % 60, seconds // 3600
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {seconds % 60} s"


def time(text):
    return datetime.fromisoformat(text.replace("Z", "+00:00"))


def message(event, alert, url, mention):
    """The body of the webhook: text for notifications of phones, blocks beside a bar in the severity's colour."""
    is_over = event == "resolved"
    severity = str(alert.get("severity", "warning"))
    title = str(alert.get("title", "alert"))[:140]
    head = f"Resolved: {title}" if is_over else f"{severity.capitalize()}: {title}"
    text = escaped(str(alert.get("text", ""))[:2500])
    if not is_over and severity == "critical" and mention:
        text = f"{mention} {text}"
    context = f"`{escaped(str(alert.get('key', ''))[:200])}`"
    if is_over:
        context += f" · lasted {span(alert.get('raisedAt'), alert.get('resolvedAt')) or 'an unknown time'}"
    if url:
        context += f" · <{url}|RunnerHub>"
    blocks = [{"type": "header", "text": {"type": "plain_text", "text": head}}]
    if text:
        blocks.append({"type": "section", "text": {"type": "mrkdwn", "text": text}})
    blocks.append({"type": "context", "elements": [{"type": "mrkdwn", "text": context}]})
    colour = RESOLVED if is_over else COLOURS.get(severity, COLOURS["warning"])
    return {"text": escaped(head), "attachments": [{"color": colour, "fallback": head, "blocks": blocks}]}


class Told:
    """What Slack has taken, kept over restarts: an alert that is told again is not shown twice."""

    def __init__(self, directory):
        self._path = os.path.join(directory, "told.json")
        self._lock = threading.Lock()
        try:
            with open(self._path, encoding="utf-8") as file:
                self._keys = [str(key) for key in json.load(file)][-REMEMBERED:]
        except FileNotFoundError:
            self._keys = []
        except (OSError, ValueError) as error:
            log(f"what was told before cannot be read, so an alert may be told twice: {error}")
            self._keys = []

    def __contains__(self, key):
        with self._lock:
            return key in self._keys

    def add(self, key):
        with self._lock:
            self._keys = (self._keys + [key])[-REMEMBERED:]
            try:
                with open(self._path + ".new", "w", encoding="utf-8") as file:
                    json.dump(self._keys, file)
                os.replace(self._path + ".new", self._path)
            except OSError as error:
                log(f"what was told cannot be kept, so an alert may be told twice: {error}")


class Slack(Plugin):
    def start(self, configuration, parameters):
        self._url = need(configuration, "url", str)
        self._mention = configuration.get("mention", "")
        self._timeout = configuration.get("timeout", 10)
        self._told = Told(need(parameters, "directory", str))
        self._opener = urllib.request.build_opener(NoRedirects)

    def methods(self):
        return {"notifier/notify": self.notify}

    def notify(self, parameters):
        event, alert = need(parameters, "event", str), need(parameters, "alert", dict)
        key = f"{need(alert, 'id', str)}/{event}"
        if key not in self._told:
            self._post(message(event, alert, parameters.get("url"), self._mention))
            self._told.add(key)
        return {}

    def _post(self, body):
        request = urllib.request.Request(
            self._url, json.dumps(body).encode(), {"Content-Type": "application/json", "User-Agent": "RunnerHub-slack/" + self.version}
        )
        try:
            with self._opener.open(request, timeout=self._timeout) as answer:
                answer.read(1024)
        except urllib.error.HTTPError as error:
            raise refusal(error.code, error.headers.get("Retry-After"), error.read(300).decode(errors="replace")) from None
        except (OSError, ValueError) as error:  # The words of urllib may hold the address.
            reason = getattr(error, "reason", error)
            what = "no answer in time" if isinstance(reason, (socket.timeout, TimeoutError)) else type(reason).__name__
            raise Failure(UNAVAILABLE, f"Slack cannot be reached: {what}") from None


def refusal(status, retry_after, text):
    """What Slack's answer means for the host (https://api.slack.com/messaging/webhooks#handling_errors)."""
    told = " ".join(text.split())
    if status == 429:
        seconds = int(retry_after) if retry_after and retry_after.isdigit() else 30
        return Failure(THROTTLED, "Slack takes no more for now (429)", {"retryAfter": seconds})
    if status >= 500:
        return Failure(UNAVAILABLE, f"Slack answered {status}: {told}")
    if status in (401, 403):
        return Failure(FORBIDDEN, f"Slack answered {status}: {told}")
    return Failure(INVALID, f"Slack answered {status}: {told}")


if __name__ == "__main__":
    Slack().run()
