"""The host's side of the plugin protocol for tests of the example plugins, and a small HTTP server for emulators."""

import json
import os
import pathlib
import subprocess
import tempfile
import threading
import unittest
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

PLUGINS = pathlib.Path(__file__).resolve().parents[2] / "plugins"


class Refused(Exception):
    """An error that a plugin answered with."""

    def __init__(self, error):
        super().__init__(f"{error['code']}: {error['message']}")
        self.code, self.message, self.data = error["code"], error["message"], error.get("data")


class Running:
    """One process of a plugin."""

    def __init__(self, command, folder, directory):
        self._process = subprocess.Popen(
            command, cwd=folder, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            # Python ignores SIGXFSZ, and what it starts does so too: a file that may not grow is an error, not the end.
            env={"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8"}, restore_signals=False)
        self.directory, self.log, self._last = directory, [], 0
        self._reader = threading.Thread(target=self._read_log, daemon=True)
        self._reader.start()

    def _read_log(self):
        for line in self._process.stderr:
            self.log.append(line.decode(errors="replace"))

    def say(self, data):
        self._process.stdin.write(data + b"\n")
        self._process.stdin.flush()

    def hear(self):
        line = self._process.stdout.readline()
        assert line.endswith(b"\n"), f"the plugin ended: {''.join(self.log)}"
        return json.loads(line)

    def call(self, method, parameters=None):
        self._last += 1
        self.say(json.dumps({"jsonrpc": "2.0", "id": self._last, "method": method, "params": parameters or {}}).encode())
        answer = self.hear()
        assert answer["jsonrpc"] == "2.0" and answer["id"] == self._last, answer
        if "error" in answer:
            raise Refused(answer["error"])
        return answer["result"]

    def initialize(self, configuration, abilities=()):
        return self.call("initialize", {
            "protocolVersions": ["1"], "host": {"name": "test", "version": "0"}, "name": "test", "kind": "test",
            "configuration": configuration, "directory": self.directory, "abilities": list(abilities)})

    def kill(self):
        self._process.kill()
        self._process.wait()
        self._reader.join()
        for stream in (self._process.stdin, self._process.stdout, self._process.stderr):
            stream.close()

    def end(self):
        """As the host ends a plugin. Its exit code."""
        self.call("shutdown")
        self._process.stdin.close()
        code = self._process.wait(timeout=5)
        self._reader.join()
        self._process.stdout.close()
        self._process.stderr.close()
        return code


class PluginCase(unittest.TestCase):
    """Starts plugins, and ends what a test leaves."""

    plugin = ""
    command = []

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.directory = folder.name

    def run_plugin(self, configuration=None, abilities=()):
        running = Running(self.command, PLUGINS / self.plugin, self.directory)
        self.addCleanup(lambda: running._process.poll() is None and running.kill())
        if configuration is not None:
            self.assertEqual(running.initialize(configuration, abilities), {"protocolVersion": "1", "version": "1.0.0"})
        return running

    def refused(self, code, work):
        with self.assertRaises(Refused) as caught:
            work()
        self.assertEqual(caught.exception.code, code, caught.exception.message)
        return caught.exception


class Server:
    """An HTTP server on a port of its own: `answer(method, path, headers, body)` gives `(status, headers, body)`."""

    def __init__(self, answer, context=None):
        outer = self
        self.requests = []

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def _serve(self):
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                outer.requests.append((self.command, self.path, dict(self.headers), body))
                status, headers, data = answer(self.command, self.path, self.headers, body)
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            do_GET = do_POST = do_PUT = _serve

            def log_message(self, *arguments):
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        if context:
            self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
        self.port = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()

    def close(self):
        self._server.shutdown()
        self._server.server_close()


def certificate(folder):
    """A key and a certificate of 127.0.0.1 and localhost that vouches for itself: one PEM file."""
    path = os.path.join(folder, "server.pem")
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2", "-subj", "/CN=localhost",
         "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1", "-keyout", path, "-out", path + ".crt"],
        check=True, capture_output=True)
    with open(path, "a", encoding="ascii") as whole, open(path + ".crt", encoding="ascii") as part:
        whole.write(part.read())
    return path, path + ".crt"
