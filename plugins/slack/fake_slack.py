"""For test_slack.yaml: takes every message, as Slack does."""

import os
from http.server import BaseHTTPRequestHandler, HTTPServer


class Slack(BaseHTTPRequestHandler):
    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        is_known = self.path == "/services/T0/B0/known"
        self.send_response(200 if is_known else 404)
        self.end_headers()
        self.wfile.write(b"ok" if is_known else b"no_service")

    def log_message(self, *arguments):
        pass


HTTPServer(("127.0.0.1", int(os.environ["PORT"])), Slack).serve_forever()
