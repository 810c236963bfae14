"""For test_vault.yaml: one secret of a KV 2 engine. The emulator that the plugin is tested against in earnest is Tests/PluginExamples/vault_emulator.py."""

import json
import os
from http.server import BaseHTTPRequestHandler, HTTPServer

ANSWERS = {
    "/v1/sys/health": {"initialized": True, "sealed": False},
    "/v1/auth/token/lookup-self": {"data": {"ttl": 0, "renewable": False}},
    "/v1/secret/data/hub": {"lease_duration": 0, "data": {"data": {"token": "t-1"}, "metadata": {"version": 1}}},
}


class Vault(BaseHTTPRequestHandler):
    def do_GET(self):
        path = self.path.split("?")[0]
        if path.startswith("/v1/sys/internal/ui/mounts/"):
            status, answer = 200, {"data": {"path": "secret/", "options": {"version": "2"}}}
            if not path.endswith("/secret/hub"):
                status, answer = 403, {"errors": ["permission denied"]}
        elif path in ANSWERS and (path.endswith("health") or self.headers["X-Vault-Token"] == "root"):
            status, answer = 200, ANSWERS[path]
        else:
            status, answer = 403, {"errors": ["permission denied"]}
        self.send_response(status)
        self.end_headers()
        self.wfile.write(json.dumps(answer).encode())

    def log_message(self, *arguments):
        pass


HTTPServer(("127.0.0.1", int(os.environ["PORT"])), Vault).serve_forever()
