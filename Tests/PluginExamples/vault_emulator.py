"""The part of Vault's HTTP API that reads secrets, with its routes, shapes and errors (https://developer.hashicorp.com/vault/api-docs)."""

import json
import time
import urllib.parse

from harness import Server

DENIED = "permission denied"


class Vault:
    """KV 1 at `kv/`, KV 2 at `secret/` and `team/apps/`, and dynamic credentials at `database/`."""

    def __init__(self, context=None, namespace=None):
        self.namespace, self.is_sealed, self.broken, self.limited = namespace, False, None, False
        self.tokens = {"root": None}  # token: end of its life, or None
        self.ttl, self.renewable, self.role = 3600, True, ("role-1", "secret-1")
        self.v1 = {"kv/hub": {"token": "one"}}
        self.v2 = {"secret/hub": {"token": "two", "port": 8200}, "secret/single": {"value": "alone"}, "team/apps/hub": {"token": "nested"}}
        self.deleted = {"secret/gone"}
        self.logins = self.renewals = self.issued = 0
        self.server = Server(self._answer, context)
        self.port, self.close = self.server.port, self.server.close

    def paths(self):
        return [path for _, path, _, _ in self.server.requests]

    def issue(self):
        self.issued += 1
        token = f"hvs.{self.issued}"
        self.tokens[token] = time.monotonic() + self.ttl
        return token

    # The answers.

    def _answer(self, method, path, headers, body):
        status, value = self._route(method, urllib.parse.unquote(path.split("?")[0]), headers, json.loads(body) if body else {})
        extra = {"Retry-After": "3"} if status == 429 else {}
        return status, {"Content-Type": "application/json", **extra}, json.dumps(value).encode()

    def _route(self, method, path, headers, body):
        if path == "/v1/sys/health":
            return (503 if self.is_sealed else 200), {"initialized": True, "sealed": self.is_sealed, "standby": False}
        if self.is_sealed:
            return 503, {"errors": ["Vault is sealed"]}
        if self.broken:
            return self.broken, {"errors": ["internal error"]}
        if self.limited:
            return 429, {"errors": ["request path \"x\": rate limit quota exceeded"]}
        if headers.get("X-Vault-Namespace") != self.namespace:
            return 404, {"errors": ["no handler for route \"x\". route entry not found."]}
        if (method, path) == ("POST", "/v1/auth/approle/login"):
            if (body.get("role_id"), body.get("secret_id")) != self.role:
                return 400, {"errors": ["invalid role or secret ID"]}
            self.logins += 1
            return 200, {"auth": {"client_token": self.issue(), "lease_duration": self.ttl, "renewable": self.renewable}}
        token = headers.get("X-Vault-Token")
        end = self.tokens.get(token, 0)
        if end is not None and end <= time.monotonic():
            return 403, {"errors": [DENIED]}
        if (method, path) == ("GET", "/v1/auth/token/lookup-self"):
            left = 0 if end is None else int(end - time.monotonic())
            return 200, {"data": {"id": token, "ttl": left, "renewable": end is not None and self.renewable}}
        if (method, path) == ("POST", "/v1/auth/token/renew-self"):
            self.renewals += 1
            self.tokens[token] = time.monotonic() + self.ttl
            return 200, {"auth": {"client_token": token, "lease_duration": self.ttl, "renewable": self.renewable}}
        if method != "GET":
            return 405, {"errors": ["unsupported operation"]}
        return self._secret(path.removeprefix("/v1/"))

    def _secret(self, path):
        mounts = {"kv/": "1", "secret/": "2", "team/apps/": "2", "database/": None}
        if path.startswith("sys/internal/ui/mounts/"):
            wanted = path.removeprefix("sys/internal/ui/mounts/")
            for mount, version in mounts.items():
                if wanted.startswith(mount):
                    return 200, {"data": {"path": mount, "type": "kv", "options": {"version": version} if version else None}}
            return 403, {"errors": ["preflight capability check returned 403, please ensure client's policies grant access to path \"x\""]}
        if path == "database/creds/hub":
            return 200, {"lease_id": path + "/1", "lease_duration": 60, "renewable": True, "data": {"username": "v-1", "password": "p-1"}}
        if path in self.v1:
            return 200, {"lease_id": "", "lease_duration": 2764800, "renewable": False, "data": self.v1[path]}
        for mount in ("secret/", "team/apps/"):
            if path.startswith(mount + "data/"):
                name = mount + path.removeprefix(mount + "data/")
                if name in self.deleted:
                    return 404, {"data": {"data": None, "metadata": {"deletion_time": "2026-11-26T09:14:02Z", "version": 3}}}
                if name in self.v2:
                    return 200, {"lease_duration": 0, "data": {"data": self.v2[name], "metadata": {"version": 1}}}
                return 404, {"errors": []}
            if path.startswith(mount):
                return 404, {"errors": [], "warnings": ["Invalid path for a versioned K/V secrets engine."]}
        return 404, {"errors": []}
