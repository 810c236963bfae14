#!/usr/bin/env python3
"""Secrets of HashiCorp Vault and OpenBao (https://developer.hashicorp.com/vault/api-docs): KV 1 and 2, and every engine that answers a GET."""

import json
import socket
import ssl
import threading
import time
import urllib.error
import urllib.parse
import urllib.request

from protocol import (FORBIDDEN, INVALID, INVALID_PARAMETERS, NOT_FOUND, THROTTLED, UNAVAILABLE, Failure, Plugin, log, need)

LONGEST_ANSWER = 4 << 20
MOUNTS_HOLD = 300


class Refused(Exception):
    """An answer of Vault that is no success."""

    def __init__(self, status, errors, body, retry_after=None):
        super().__init__(status)
        self.status, self.errors, self.body, self.retry_after = status, errors, body, retry_after

    def failure(self, what):
        told = f"Vault answered {self.status} for {what}" + (f": {'; '.join(self.errors)}" if self.errors else "")
        if self.status == 404:
            return Failure(NOT_FOUND, told)
        if self.status in (401, 403):
            return Failure(FORBIDDEN, told)
        if self.status == 429:
            return Failure(THROTTLED, told, {"retryAfter": self.retry_after or 5})
        if self.status in (412, 472, 473) or self.status >= 500:
            return Failure(UNAVAILABLE, told)
        return Failure(INVALID, told)


class NoRedirects(urllib.request.HTTPRedirectHandler):
    """A token is sent nowhere else. A standby of old versions redirects: name the active node, or let it forward."""

    def redirect_request(self, *arguments):
        return None


class Client:
    def __init__(self, configuration):
        self._address = configuration["address"].rstrip("/")
        self._namespace = configuration.get("namespace")
        self._timeout = configuration.get("timeout", 10)
        try:
            tls = ssl.create_default_context(cafile=configuration.get("ca-file"))
        except (OSError, ssl.SSLError) as error:
            raise Failure(INVALID_PARAMETERS, f"ca-file cannot be read: {error}") from None
        self._opener = urllib.request.build_opener(urllib.request.HTTPSHandler(context=tls), NoRedirects)

    def ask(self, method, path, body=None, token=None):
        """The JSON of an answer; `Refused` where it is no success."""
        headers = {"X-Vault-Request": "true", "Content-Type": "application/json", "User-Agent": "RunnerHub-vault"}
        if token:
            headers["X-Vault-Token"] = token
        if self._namespace:
            headers["X-Vault-Namespace"] = self._namespace
        data = json.dumps(body).encode() if body is not None else None
        request = urllib.request.Request(f"{self._address}/v1/{path}", data, headers, method=method)
        try:
            with self._opener.open(request, timeout=self._timeout) as answer:
                return self._json(answer)
        except urllib.error.HTTPError as error:
            body = self._json(error)
            told = body.get("errors") or []
            retry = error.headers.get("Retry-After", "")
            raise Refused(error.code, [str(text) for text in told][:5], body, int(retry) if retry.isdigit() else None) from None
        except (OSError, ValueError) as error:
            reason = getattr(error, "reason", error)
            if isinstance(reason, ssl.SSLCertVerificationError):
                raise Failure(UNAVAILABLE, f"the certificate of Vault is not trusted: {reason.verify_message}") from None
            what = "no answer in time" if isinstance(reason, (socket.timeout, TimeoutError)) else type(reason).__name__
            raise Failure(UNAVAILABLE, f"Vault cannot be reached: {what}") from None

    @staticmethod
    def _json(answer):
        data = answer.read(LONGEST_ANSWER + 1)
        if len(data) > LONGEST_ANSWER:
            raise Failure(INVALID, "Vault's answer is larger than 4 MiB")
        try:
            value = json.loads(data) if data else {}
        except ValueError:
            value = {}
        return value if isinstance(value, dict) else {}


class Login:
    """The token that requests are made with: renewed when two thirds of its life are over, and had anew where it cannot be."""

    def __init__(self, client, configuration):
        self._client, self._configuration = client, configuration
        ways = [name for name in ("token", "token-file", "role-id") if name in configuration]
        if len(ways) != 1 or ("role-id" in configuration) != ("secret-id" in configuration):
            raise Failure(INVALID_PARAMETERS, "set one of token, token-file, or role-id together with secret-id")
        self._lock = threading.Lock()
        self._token, self._renew_at, self._is_renewable = None, None, False

    def token(self, after=None):
        """- after: a token that Vault has refused."""
        with self._lock:
            if self._token is None or self._token == after:
                self._begin()
            elif self._renew_at is not None and time.monotonic() >= self._renew_at:
                self._renew()
            return self._token

    def _begin(self):
        configuration = self._configuration
        if "role-id" in configuration:
            mount = urllib.parse.quote(configuration.get("approle-mount", "approle").strip("/"))
            auth = self._client.ask(
                "POST", f"auth/{mount}/login", {"role_id": configuration["role-id"], "secret_id": configuration["secret-id"]}
            ).get("auth") or {}
            self._take(auth.get("client_token"), auth.get("lease_duration"), auth.get("renewable"))
            return
        token = configuration.get("token")
        if token is None:
            try:
                with open(configuration["token-file"], encoding="utf-8") as file:
                    token = file.read(10_000).strip()
            except (OSError, ValueError) as error:
                raise Failure(UNAVAILABLE, f"token-file cannot be read: {type(error).__name__}") from None
        data = self._client.ask("GET", "auth/token/lookup-self", token=token).get("data") or {}
        self._take(token, data.get("ttl"), data.get("renewable"))

    def _renew(self):
        try:
            if not self._is_renewable:
                raise Refused(400, ["the token is not renewable"], {})
            auth = self._client.ask("POST", "auth/token/renew-self", {}, token=self._token).get("auth") or {}
            self._take(auth.get("client_token"), auth.get("lease_duration"), auth.get("renewable"))
        except Refused as refused:
            log(f"the token cannot be renewed: {refused.failure('auth/token/renew-self').message}")
            self._begin()

    def _take(self, token, seconds, renewable):
        if not isinstance(token, str) or not token:
            raise Failure(INVALID, "Vault's answer to the log-in holds no token")
        self._token, self._is_renewable = token, bool(renewable)
        lives = isinstance(seconds, int) and seconds > 0
        self._renew_at = time.monotonic() + seconds * 2 / 3 if lives else None


class Vault(Plugin):
    def start(self, configuration, parameters):
        self._client = Client(configuration)
        self._login = Login(self._client, configuration)
        self._refresh = configuration.get("refresh", 300)
        self._mounts, self._mounts_lock = {}, threading.Lock()

    def methods(self):
        return {"secrets/read": self.read}

    def health(self):
        try:
            self._client.ask("GET", "sys/health?standbyok=true&perfstandbyok=true")
            return {"status": "ok"}
        except Refused as refused:
            state = "sealed" if refused.body.get("sealed") else f"answers {refused.status}"
            return {"status": "failing", "detail": f"Vault is {state}" if state == "sealed" else f"Vault {state}"}
        except Failure as failure:
            return {"status": "failing", "detail": failure.message}

    def read(self, parameters):
        path, field = need(parameters, "path", str).strip("/"), parameters.get("field")
        if any(part in ("", ".", "..") for part in path.split("/")):
            raise Failure(INVALID, f"{path!r} is no path of Vault")
        answer = self._asked(path)
        data, lease = answer.get("data"), answer.get("lease_duration")
        if self._mount(path)[1] == 2 and isinstance(data, dict):
            # 404 for a version that was deleted; its `data` is null where only metadata is left.
            data, lease = data.get("data"), None
        if not isinstance(data, dict):
            raise Failure(NOT_FOUND, f"there is no secret at {path}")
        # KV 1 names a duration too, but leases nothing: a rotation is to be seen before that is over.
        leases = bool(answer.get("lease_id")) and isinstance(lease, int) and lease > 0
        return {"value": self._value(data, field, path), "expiresIn": lease if leases else self._refresh}

    @staticmethod
    def _value(data, field, path):
        names = ", ".join(sorted(str(name) for name in data)[:20])
        if field is None:
            if len(data) != 1:
                raise Failure(INVALID, f"{path} has several fields: name one of {names} after #")
            value = next(iter(data.values()))
        elif field not in data:
            raise Failure(NOT_FOUND, f"{path} has no field {field!r}, but {names or 'none'}")
        else:
            value = data[field]
        return value if isinstance(value, str) else json.dumps(value, separators=(",", ":"))

    def _asked(self, path):
        mount, version = self._mount(path)
        rest = path[len(mount):]
        place = f"{mount}data/{rest}" if version == 2 and not rest.startswith("data/") else path
        return self._authorised(urllib.parse.quote(place), path)

    def _mount(self, path):
        """The mount of a path and the version of its KV engine, as `vault kv get` finds them out."""
        with self._mounts_lock:
            mount = max((mount for mount in self._mounts if path.startswith(mount)), key=len, default=None)
            if mount is not None and self._mounts[mount][1] > time.monotonic():
                return mount, self._mounts[mount][0]
        try:
            data = self._authorised(f"sys/internal/ui/mounts/{urllib.parse.quote(path)}", f"the mount of {path}").get("data") or {}
        except Failure as failure:
            # Vault answers 403 where nothing is mounted too.
            if failure.code == FORBIDDEN:
                raise Failure(FORBIDDEN, f"nothing is mounted for {path}, or the token may not use it: {failure.message}") from None
            raise
        mount = str(data.get("path", "")) or path.split("/")[0] + "/"
        version = 2 if (data.get("options") or {}).get("version") == "2" else 1
        with self._mounts_lock:
            self._mounts[mount] = (version, time.monotonic() + MOUNTS_HOLD)
        return mount, version

    def _authorised(self, place, what):
        """A token that was revoked is had anew, once."""
        token = None
        try:
            token = self._login.token()
            try:
                return self._client.ask("GET", place, token=token)
            except Refused as refused:
                if refused.status != 403:
                    raise
                renewed = self._login.token(after=token)
                if renewed == token:
                    raise
                return self._client.ask("GET", place, token=renewed)
        except Refused as refused:
            raise refused.failure(what if token else "the log-in") from None


if __name__ == "__main__":
    Vault().run()
