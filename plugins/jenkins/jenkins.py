#!/usr/bin/env python3
"""Jenkins as a source of jobs for RunnerHub: see README.md beside this file."""

import html
import json
import re
import urllib.parse
from datetime import datetime, timezone

from protocol import EXISTS, INVALID, NOT_FOUND, Failure
from web import Poller, Source, Web, runner_file

# Why an item of the queue waits, as Jenkins says it in English (core/src/main/resources/hudson/model/Messages.properties). Its JSON has the label nowhere else.
WAITS = re.compile(r"(?:no nodes with the label|nodes of label|next available executor on|doesn.t have label) [‘'\"](.+?)[’'\"]")
RESULTS = {"SUCCESS": "success", "FAILURE": "failure", "UNSTABLE": "failure", "ABORTED": "cancelled", "NOT_BUILT": "skipped"}
ITEM = "id,why,blocked,buildable,stuck,cancelled,inQueueSince,url,task[name,url,fullDisplayName],executable[number,url]"
BUILD = "number,url,queueId,building,result,timestamp,duration,builtOn,fullDisplayName"
COMPUTERS = ("computer[displayName,offline,temporarilyOffline,idle,"
             "executors[currentExecutable[number,url,queueId,fullDisplayName,timestamp]]]")
MARK = "RunnerHub: "


class Jenkins(Source):
    def start(self, configuration, parameters):
        self.url = configuration["url"].rstrip("/")
        self.web = Web(self.url, {"Authorization": Web.basic(configuration["user"], configuration["token"]), "Accept-Language": "en"})
        self.labels = set(configuration["labels"])
        self.home = configuration.get("agent-home", "/home/runner")
        self.java = configuration.get("command", ["java", "-jar", "/usr/share/jenkins/agent.jar"])
        self.known = {}
        self.shown = set()
        self.poller = Poller(self, configuration.get("poll-seconds", 5), self.open_jobs, lambda told: self.job(told["id"]))
        self.poller.start()

    # The platform

    def get(self, path, tree):
        return self.web.call("GET", f"{path}/api/json", query={"tree": tree})[1]

    def open_jobs(self):
        """What waits for an executor, and what an agent of ours works on."""
        jobs = {}
        for item in self.get("/queue", f"items[{ITEM}]")["items"]:
            told = self.waiting(item)
            if told:
                jobs[told["id"]] = told
        for name, executable in self.working():
            self.take_no_more(name)
            told = self.running(executable, name)
            if told:
                jobs[told["id"]] = told
        return list(jobs.values())

    def working(self):
        """Our agents that are at work, and on what."""
        for computer in self.get("/computer", COMPUTERS)["computer"]:
            for executor in computer.get("executors") or []:
                executable = executor.get("currentExecutable")
                if executable and computer["displayName"].startswith("rh-"):
                    yield computer["displayName"], executable

    def waiting(self, item):
        if not item.get("buildable"):
            return None
        labels = self.labels_of(item)
        if not labels or not set(labels) <= self.labels:
            return None
        return self.told(item["id"], item["task"], labels, "queued", item["inQueueSince"], f"{item['id']}/queued")

    def labels_of(self, item):
        """The labels of `a && b`. Other expressions are one label, which no pool has: they are left to Jenkins."""
        known = self.known.get(item["id"])
        if known:
            return known["labels"]
        found = WAITS.search(html.unescape(item.get("why") or ""))
        if not found:
            return None
        return [part.strip().strip('"').lower() for part in found.group(1).split("&&")]

    def told(self, number, task, labels, status, since, transition):
        path = urllib.parse.urlsplit(task["url"]).path.strip("/")
        name = "/".join(urllib.parse.unquote(part) for part in path.split("/job/")).removeprefix("job/") or task["name"]
        told = {
            # An item of the queue is one piece of work on one executor, a build may have several: the item is the job.
            "id": number, "run": number, "name": task.get("fullDisplayName") or task["name"], "labels": labels, "scope": "controller",
            "repository": {"id": number_of(name), "name": name, "private": True}, "status": status, "commit": "",
            "url": urllib.parse.urljoin(self.url + "/", task["url"]), "createdAt": time_of(since), "transition": transition,
        }
        self.known[number] = {"labels": labels, "task": task, "since": since}
        return told

    def running(self, executable, node):
        """A job from what an executor works on. Jenkins keeps the item's number in the build; a part of a pipeline has none of its own."""
        number = executable.get("queueId") or self.item_on(executable)
        known = self.known.get(number)
        if known is None:
            return None
        known.update(node=node, build=executable["url"], number=executable.get("number"))
        told = self.told(number, known["task"], known["labels"], "in_progress", known["since"], f"{number}/in_progress")
        self.known[number].update(node=node, build=executable["url"], number=executable.get("number"))
        told["runner"] = node
        return told

    def item_on(self, executable):
        for number, known in self.known.items():
            if known.get("build") == executable["url"]:
                return number
        return None

    def job(self, number):
        """A job as it stands now, from the queue, or from the build that came out of it; None: Jenkins has forgotten both."""
        known = self.known.get(number)
        item = None
        try:
            # An item stays to be asked for some minutes after it has left the queue.
            item = self.get(f"/queue/item/{number}", ITEM)
        except Failure as error:
            if error.code != NOT_FOUND:
                raise
        build = (item or {}).get("executable") or (known and known.get("build") and {"url": known["build"]})
        if item and item.get("cancelled"):
            return self.ended(number, item["task"], None, "cancelled")
        if not build:
            if item and item.get("buildable"):
                return self.waiting(item)
            return None
        try:
            found = self.get(urllib.parse.urlsplit(build["url"]).path.rstrip("/").removeprefix(urllib.parse.urlsplit(self.url).path), BUILD)
        except Failure as error:
            if error.code == NOT_FOUND:
                return None
            raise
        task = item["task"] if item else known["task"]
        node = (known or {}).get("node") or found.get("builtOn") or None
        if found["building"]:
            told = self.told(number, task, (known or {}).get("labels") or [], "in_progress", found["timestamp"], f"{number}/in_progress")
            self.known[number].update(node=node, build=found["url"], number=found["number"])
            if node:
                told["runner"] = node
            return told
        return self.ended(number, task, node, RESULTS.get(found["result"], "neutral"), found)

    def ended(self, number, task, node, conclusion, build=None):
        labels = (self.known.get(number) or {}).get("labels") or []
        told = self.told(number, task, labels, "completed", (build or {}).get("timestamp") or 0, f"{number}/completed")
        told["conclusion"] = conclusion
        if node:
            told["runner"] = node
        if build:
            self.known[number].update(node=node, build=build["url"], number=build["number"])
            told["startedAt"] = time_of(build["timestamp"])
            told["completedAt"] = time_of(build["timestamp"] + build["duration"])
        self.trim()
        return told

    def trim(self):
        while len(self.known) > 5000:
            self.known.pop(next(iter(self.known)))

    def take_no_more(self, node):
        """One build an agent: temporarily offline, it ends what it has and gets no other."""
        if node in self.shown:
            return
        state = self.get(f"/computer/{node}", "temporarilyOffline")
        if not state["temporarilyOffline"]:
            self.web.call("POST", f"/computer/{node}/toggleOffline", form={"offlineMessage": MARK + "one build an agent"}, expect=(200, 302))
        self.shown.add(node)

    # What the host asks

    def source_register(self, wish):
        name = wish["name"]
        node = {
            "name": name, "nodeDescription": "made by RunnerHub for one build", "numExecutors": "1", "remoteFS": self.home,
            "labelString": " ".join(wish["labels"]), "mode": "EXCLUSIVE", "": ["hudson.slaves.JNLPLauncher", "hudson.slaves.RetentionStrategy$Always"],
            "launcher": {"stapler-class": "hudson.slaves.JNLPLauncher", "$class": "hudson.slaves.JNLPLauncher", "webSocket": True,
                         "workDirSettings": {"disabled": False, "workDirPath": "", "internalDir": "remoting", "failIfWorkDirIsMissing": False}},
            "retentionStrategy": {"stapler-class": "hudson.slaves.RetentionStrategy$Always", "$class": "hudson.slaves.RetentionStrategy$Always"},
            "nodeProperties": {"stapler-class-bag": "true"}, "type": "hudson.slaves.DumbSlave",
        }
        try:
            self.web.call("POST", "/computer/doCreateItem", query={"name": name, "type": "hudson.slaves.DumbSlave"},
                          form={"name": name, "type": "hudson.slaves.DumbSlave", "json": json.dumps(node)}, expect=(200, 302), text=True)
        except Failure as error:
            # Jenkins answers 400 with a page for a name that is taken.
            if error.code == INVALID and "already exists" in str(error):
                raise Failure(EXISTS, f"agent {name} exists already") from None
            raise
        secret = self.secret(name)
        return {
            # Agents have names, no numbers; the host wants one.
            "id": number_of(name), "files": [runner_file("agent-secret", secret)], "environment": {},
            "command": [*self.java, "-url", self.url + "/", "-name", name, "-secret", "@agent-secret", "-workDir", ".", "-webSocket", "-noReconnect"],
        }

    def secret(self, name):
        text = self.web.call("GET", f"/computer/{name}/jenkins-agent.jnlp", text=True)[1]
        found = re.search(r"<application-desc[^>]*>\s*<argument>([0-9a-f]+)</argument>", text)
        if not found:
            raise Failure(INVALID, f"the start file of agent {name} holds no secret: the user needs Agent/Connect")
        return found.group(1)

    def source_remove(self, wish):
        name = wish.get("name") or self.name_of(wish["id"])
        if not name:
            return {"outcome": "absent"}
        try:
            if not self.get(f"/computer/{name}", "idle")["idle"]:
                return {"outcome": "busy"}
            self.web.call("POST", f"/computer/{name}/doDelete", expect=(200, 302), text=True)
        except Failure as error:
            if error.code == NOT_FOUND:
                return {"outcome": "absent"}
            raise
        self.shown.discard(name)
        return {"outcome": "removed"}

    def name_of(self, number):
        for computer in self.get("/computer", "computer[displayName]")["computer"]:
            if computer["displayName"].startswith("rh-") and number_of(computer["displayName"]) == number:
                return computer["displayName"]
        return None

    def source_job(self, wish):
        job = self.job(wish["id"])
        if job is None:
            raise Failure(NOT_FOUND, f"item {wish['id']} of the queue, or its build")
        return {"job": job}

    def source_open(self, _):
        return {"jobs": self.open_jobs()}

    def source_cancel(self, wish):
        self.web.call("POST", "/queue/cancelItem", query={"id": wish["run"]}, expect=(200, 204, 302, 404), text=True)
        build = (self.known.get(wish["run"]) or {}).get("build")
        if build:
            path = urllib.parse.urlsplit(build).path.removeprefix(urllib.parse.urlsplit(self.url).path)
            self.web.call("POST", path.rstrip("/") + "/stop", expect=(200, 302), text=True)
        return {}

    def source_report(self, wish):
        """The description of the build, once there is one: Jenkins has no place for the status of what only waits."""
        build = (self.known.get(wish["job"]["id"]) or {}).get("build")
        if not build:
            self.job(wish["job"]["id"])
            build = (self.known.get(wish["job"]["id"]) or {}).get("build")
        if build:
            path = urllib.parse.urlsplit(build).path.removeprefix(urllib.parse.urlsplit(self.url).path)
            text = MARK + wish["title"] + (f" {wish['url']}" if wish.get("url") else "")
            self.web.call("POST", path.rstrip("/") + "/submitDescription", form={"description": text}, expect=(200, 302), text=True)
        return {}

    def source_delivery(self, _):
        return {"accepted": False, "reason": "Jenkins is polled: there is nothing to send here", "jobs": []}


def number_of(text):
    """A number from 1 on that a name always has (FNV-1a), where Jenkins has none."""
    value = 0xCBF29CE484222325
    for byte in text.encode():
        value = (value ^ byte) * 0x100000001B3 % 2**64
    return value % 2**62 + 1


def time_of(milliseconds):
    if not milliseconds:
        return None
    return datetime.fromtimestamp(milliseconds / 1000, timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")


if __name__ == "__main__":
    Jenkins().run()
