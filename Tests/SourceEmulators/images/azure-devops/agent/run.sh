#!/usr/bin/env python3
"""A stand-in for the agent of Azure Pipelines with `--once`: it reads the same files, proves itself by its key, takes one job and ends."""

import base64
import hashlib
import json
import os
import subprocess
import sys
import time
import urllib.error
import urllib.parse
import urllib.request

HERE = os.path.dirname(os.path.abspath(__file__))
assert sys.argv[1:] == ["--once"], "only --once is known here"


def read(name):
    with open(os.path.join(HERE, name), encoding="utf-8-sig") as file:
        return json.load(file)


def number(text):
    return int.from_bytes(base64.b64decode(text), "big")


def unpadded(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


settings, credentials, key = read(".agent"), read(".credentials")["data"], read(".credentials_rsaparams")


def send(method, url, body=None, headers=None, form=None):
    data = urllib.parse.urlencode(form).encode() if form else body if isinstance(body, bytes) else json.dumps(body).encode() if body else None
    kind = "application/x-www-form-urlencoded" if form else "application/json"
    request = urllib.request.Request(url, data=data, headers={"Content-Type": kind, **(headers or {})}, method=method)
    with urllib.request.urlopen(request, timeout=10) as response:
        content = response.read()
        return json.loads(content) if content else None


def assertion():
    """RFC 7523, signed by RS256 (RFC 7518, 3.3)."""
    now = int(time.time())
    claims = {"sub": credentials["clientId"], "iss": credentials["clientId"], "aud": credentials["authorizationUrl"], "nbf": now, "exp": now + 300,
              "jti": base64.b64encode(os.urandom(12)).decode()}
    text = unpadded(b'{"alg":"RS256","typ":"JWT"}') + "." + unpadded(json.dumps(claims).encode())
    modulus = number(key["modulus"])
    size = (modulus.bit_length() + 7) // 8
    digest = bytes.fromhex("3031300d060960864801650304020105000420") + hashlib.sha256(text.encode()).digest()
    block = b"\0\1" + b"\xff" * (size - len(digest) - 3) + b"\0" + digest
    return text + "." + unpadded(pow(int.from_bytes(block, "big"), number(key["d"]), modulus).to_bytes(size, "big"))


token = send("POST", credentials["authorizationUrl"], form={
    "grant_type": "client_credentials", "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
    "client_assertion": assertion()})["access_token"]
bearer = {"Authorization": f"Bearer {token}"}
server = settings["serverUrl"].rstrip("/")
pool = f"{server}/_apis/distributedtask/pools/{settings['poolId']}"
version = "api-version=5.1-preview"

session = send("POST", f"{pool}/sessions?{version}", {"ownerName": "stand-in", "agent": {"id": settings["agentId"], "name": settings["agentName"]}},
               bearer)["sessionId"]
message = None
while not message:
    try:
        message = send("GET", f"{pool}/messages?sessionId={session}&{version}", headers=bearer)
    except urllib.error.HTTPError as error:
        sys.exit(f"the session is over: {error.code}")
    if not message:
        time.sleep(0.2)
send("DELETE", f"{pool}/messages/{message['messageId']}?sessionId={session}&{version}", headers=bearer)
job = json.loads(message["body"])
request = f"{pool}/jobrequests/{job['requestId']}?lockToken=0&{version}"
send("PATCH", request, {"requestId": job["requestId"]}, bearer)
print(f"Running job: {job['jobDisplayName']}", flush=True)
result = subprocess.run(["/bin/sh", "-e", "-c", "\n".join(step["inputs"]["script"] for step in job["steps"])], stdout=subprocess.PIPE,
                        stderr=subprocess.STDOUT, check=False)
sys.stdout.buffer.write(result.stdout)
plan = job["plan"]
send("POST", f"{server}/{plan['scopeIdentifier']}/_apis/distributedtask/hubs/build/plans/{plan['planId']}/logs/1?{version}",
     result.stdout or b"\n", bearer)
outcome = "succeeded" if result.returncode == 0 else "failed"
send("PATCH", request, {"requestId": job["requestId"], "result": outcome}, bearer)
send("DELETE", f"{pool}/sessions/{session}?{version}", headers=bearer)
print(f"Job {job['jobDisplayName']} completed with result: {outcome}", flush=True)
