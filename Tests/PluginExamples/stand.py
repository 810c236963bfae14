"""An emulator for tests in other languages: `stand.py slack|vault` says its port, then each request, a line of JSON each, until standard input ends."""

import json
import sys

from harness import Server
from vault_emulator import Vault


def say(value):
    print(json.dumps(value), flush=True)


def slack(method, path, headers, body):
    say({"path": path, "body": json.loads(body)})
    return 200, {}, b"ok"


if __name__ == "__main__":
    if sys.argv[1] == "slack":
        server = Server(slack)
        say({"port": server.port})
    else:
        server = Vault()
        say({"port": server.port})
    for line in sys.stdin:
        # For a vault: another value of secret/hub#token.
        server.v2["secret/hub"]["token"] = line.strip()
        say({"token": line.strip()})
