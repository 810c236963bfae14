#!/usr/bin/env python3
"""Azure Pipelines as a source of jobs for RunnerHub: see README.md beside this file."""

import hmac
import json
import re
import urllib.parse

from keys import new_key
from protocol import FORBIDDEN, INVALID, NOT_FOUND, Failure
from web import Poller, Source, Web, runner_file

RESULTS = {"succeeded": "success", "succeededWithIssues": "success", "failed": "failure", "canceled": "cancelled", "skipped": "skipped",
           "abandoned": "failure"}
STATES = {("queued", None): "pending", ("in_progress", None): "pending", ("completed", "success"): "succeeded",
          ("completed", "skipped"): "notApplicable", ("completed", "neutral"): "notApplicable", ("completed", "cancelled"): "error"}
VERSION = {"api-version": "7.1-preview.1"}


class AzureDevOps(Source):
    def start(self, configuration, parameters):
        self.url = configuration["url"].rstrip("/")
        # Any user name does with a personal access token.
        self.web = Web(self.url, {"Authorization": Web.basic("", configuration["token"])})
        self.pool_name = configuration["pool"]
        self.webhook_password = configuration.get("webhook-password", "")
        self.folder = configuration.get("agent-folder", "agent")
        self.pool_id = None
        self.projects = {}
        self.builds = {}
        self.told_transitions = {}
        self.poller = Poller(self, configuration.get("poll-seconds", 10), self.open_jobs, lambda told: self.job(told["id"]))
        self.poller.start()

    # The platform

    def call(self, method, path, query=None, **more):
        return self.web.call(method, path, query={**VERSION, **(query or {})}, **more)[1]

    @property
    def pool(self):
        """The address of the pool's things."""
        if self.pool_id is None:
            found = self.call("GET", "/_apis/distributedtask/pools", {"poolName": self.pool_name})["value"]
            if not found:
                raise Failure(NOT_FOUND, f"agent pool {self.pool_name}: it is not there, or the token may not see it")
            self.pool_id = found[0]["id"]
        return f"/_apis/distributedtask/pools/{self.pool_id}"

    def requests(self, completed=0):
        return self.call("GET", f"{self.pool}/jobrequests", {"completedRequestCount": completed})["value"]

    def open_jobs(self):
        return [self.told(request) for request in self.requests() if not request.get("result")]

    def job(self, number):
        try:
            return self.told(self.call("GET", f"{self.pool}/jobrequests/{number}"))
        except Failure as error:
            if error.code == NOT_FOUND:
                return None
            raise

    def project(self, project_id):
        if project_id not in self.projects:
            self.projects[project_id] = self.call("GET", f"/_apis/projects/{project_id}")
        return self.projects[project_id]

    def build(self, project_id, number):
        """The run that a job belongs to: what triggered it and its commit, which do not change."""
        key = (project_id, number)
        if key not in self.builds:
            if len(self.builds) > 2000:
                self.builds.clear()
            self.builds[key] = self.call("GET", f"/{project_id}/_apis/build/builds/{number}")
        return self.builds[key]

    def told(self, request):
        project, build = self.project(request["scopeId"]), self.build(request["scopeId"], request["owner"]["id"])
        labels = [self.pool_name.lower(), *filter(None, map(label_of, request.get("demands") or []))]
        repository = {"id": number_of(project["id"]), "name": project["name"], "private": project.get("visibility") != "public"}
        agent = (request.get("reservedAgent") or {}).get("name")
        told = {
            "id": request["requestId"], "run": request["owner"]["id"], "name": request.get("jobName") or request["definition"]["name"],
            "workflow": request["definition"]["name"], "labels": labels, "scope": self.pool_name, "repository": repository,
            "commit": build.get("sourceVersion") or "", "branch": (build.get("sourceBranch") or "").removeprefix("refs/heads/"),
            "url": build.get("_links", {}).get("web", {}).get("href"), "event": build.get("reason") or "unknown",
            "actor": (build.get("requestedFor") or {}).get("uniqueName"),
            "createdAt": time_of(request.get("queueTime")), "startedAt": time_of(request.get("receiveTime")),
            "completedAt": time_of(request.get("finishTime")),
        }
        if (build.get("triggerInfo") or {}).get("pr.isFork", "False") != "True":
            told["headRepository"] = repository["id"]
        else:
            told["headRepository"] = number_of(project["id"] + " fork")
        if request.get("result"):
            told.update(status="completed", conclusion=RESULTS.get(request["result"], "neutral"))
        elif request.get("receiveTime") and agent:
            told.update(status="in_progress")
        else:
            told.update(status="queued")
        if agent and told["status"] != "queued":
            told["runner"] = agent
        told["transition"] = f"{request['requestId']}/{told['status']}"
        return {name: value for name, value in told.items() if value is not None}

    # What the host asks

    def source_register(self, wish):
        public, private = new_key()
        labels = [label for label in wish["labels"] if label != self.pool_name.lower()]
        agent = self.call("POST", f"{self.pool}/agents", json_body={
            "name": wish["name"], "version": "3.248.0", "osDescription": "Linux", "maxParallelism": 1, "enabled": True,
            "authorization": {"publicKey": public}, "systemCapabilities": {"Agent.Name": wish["name"], "Agent.OS": "Linux"},
        })
        # Those of the system are the agent's own affair: it writes them anew when it connects.
        capabilities = dict(label.split("=", 1) if "=" in label else (label, "true") for label in labels)
        try:
            self.call("PUT", f"{self.pool}/agents/{agent['id']}/usercapabilities", json_body=capabilities)
        except Failure:
            self.call("DELETE", f"{self.pool}/agents/{agent['id']}")
            raise
        settings = {"agentId": agent["id"], "agentName": wish["name"], "poolId": self.pool_id, "poolName": self.pool_name, "serverUrl": self.url + "/",
                    "workFolder": "_work"}
        credentials = {"scheme": "OAuth", "data": {"clientId": agent["authorization"]["clientId"],
                                                   "authorizationUrl": agent["authorization"]["authorizationUrl"]}}
        contents = {".agent": settings, ".credentials": credentials, ".credentials_rsaparams": private}
        return {
            "id": agent["id"], "files": [runner_file(f"{self.folder}/{name}", json.dumps(content)) for name, content in contents.items()],
            "command": [f"./{self.folder}/run.sh", "--once"], "environment": {},
        }

    def source_remove(self, wish):
        number = wish.get("id")
        if not number:
            found = self.call("GET", f"{self.pool}/agents", {"agentName": wish["name"]})["value"]
            if not found:
                return {"outcome": "absent"}
            number = found[0]["id"]
        try:
            if self.call("GET", f"{self.pool}/agents/{number}", {"includeAssignedRequest": "true"}).get("assignedRequest"):
                return {"outcome": "busy"}
            self.call("DELETE", f"{self.pool}/agents/{number}")
        except Failure as error:
            if error.code == NOT_FOUND:
                return {"outcome": "absent"}
            raise
        return {"outcome": "removed"}

    def source_job(self, wish):
        job = self.job(wish["id"])
        if job is None:
            raise Failure(NOT_FOUND, f"job request {wish['id']} of pool {self.pool_name}")
        return {"job": job}

    def source_open(self, _):
        return {"jobs": self.open_jobs()}

    def source_cancel(self, wish):
        # The name of a project does as well as its id.
        project = urllib.parse.quote(wish["repository"], safe="")
        self.call("PATCH", f"/{project}/_apis/build/builds/{wish['run']}", json_body={"status": "cancelling"})
        return {}

    def source_report(self, wish):
        """A status of the commit, where the code is in Azure Repos. The timeline of a run is written by its agents alone."""
        request = self.call("GET", f"{self.pool}/jobrequests/{wish['job']['id']}")
        repository = self.build(request["scopeId"], request["owner"]["id"]).get("repository") or {}
        if repository.get("type") != "TfsGit" or not wish["job"]["commit"]:
            return {}
        status = {"state": STATES.get((wish["status"], wish.get("conclusion")), "failed"), "description": wish["title"][:500],
                  "context": {"name": wish["job"]["name"], "genre": "runnerhub"}}
        if wish.get("url"):
            status["targetUrl"] = wish["url"]
        self.call("POST", f"/{request['scopeId']}/_apis/git/repositories/{repository['id']}/commits/{wish['job']['commit']}/statuses",
                  json_body=status)
        return {}

    def source_delivery(self, message):
        if not self.webhook_password:
            raise Failure(FORBIDDEN, "webhook-password is not configured: service hooks are not taken")
        given = message["headers"].get("authorization", "")
        if not hmac.compare_digest(given.encode(), Web.basic("runnerhub", self.webhook_password).encode()):
            return {"accepted": False, "reason": "user name runnerhub and the configured password are expected", "jobs": []}
        try:
            event = json.loads(message["body"])
        except ValueError:
            raise Failure(INVALID, "the body is no JSON") from None
        if not isinstance(event, dict) or event.get("eventType") != "ms.vss-pipelines.job-state-changed-event":
            return {"accepted": True, "jobs": []}
        # The event names a job by another id than the pool does: the pool is asked for what has changed.
        news = [job for job in map(self.told, self.requests(completed=25)) if self.told_transitions.get(job["id"]) != job["transition"]]
        self.told_transitions.update({job["id"]: job["transition"] for job in news})
        while len(self.told_transitions) > 5000:
            self.told_transitions.pop(next(iter(self.told_transitions)))
        return {"accepted": True, "jobs": news}


def label_of(demand):
    """A demand as a label: `docker` as it is, `Agent.OS -equals Linux` as `agent.os=linux`; others are for Azure to judge."""
    if isinstance(demand, dict):
        demand = demand["name"] + (f" -equals {demand['value']}" if demand.get("value") else "")
    found = re.fullmatch(r"(\S+)(?: -equals (\S+))?", demand)
    if not found or "," in demand:
        return None
    return found.group(1).lower() + (f"={found.group(2).lower()}" if found.group(2) else "")


def number_of(text):
    """A number from 1 on that a text always has (FNV-1a), where Azure DevOps has a GUID."""
    value = 0xCBF29CE484222325
    for byte in text.encode():
        value = (value ^ byte) * 0x100000001B3 % 2**64
    return value % 2**62 + 1


def time_of(text):
    """RFC 3339 with milliseconds; Azure DevOps tells up to seven digits."""
    return re.sub(r"(\.\d{3})\d+Z$", r"\1Z", text) if text and text.endswith("Z") else None


if __name__ == "__main__":
    AzureDevOps().run()
