"""A Jenkins controller as RunnerHub sees it: queue, computers, builds of freestyle projects, and their descriptions.

Shapes after the exported beans of Jenkins (Queue.Item, Computer, Run) and its forms (`doCreateItem`, `toggleOffline`, `doDelete`). The wire between
controller and agent.jar (Remoting over a WebSocket) is not emulated: the stand-in agent speaks a plain HTTP in its place, below `/emulated/`.
"""

import base64
import html
import json
import secrets
import time

from emulation import Answer, Emulator, route, serve

USER, TOKEN = "runnerhub", "11emulated"
FOUND = {"Location": "/"}


class Jenkins(Emulator):
    def __init__(self, port=0):
        self.items = {}
        self.agents = {}
        self.builds = {}
        self.last_item = 10
        super().__init__(port)

    def authorise(self, call):
        given = call.headers.get("Authorization") or ""
        if given != "Basic " + base64.b64encode(f"{USER}:{TOKEN}".encode()).decode():
            raise Answer(401, "<html>Unauthorized</html>", {"Content-Type": "text/html"})

    # Control

    def control_job(self, name="build", tags=(), script="true"):
        """Queues a build of a project that is tied to a label expression."""
        self.last_item += 1
        self.items[self.last_item] = {"id": self.last_item, "project": name, "labels": list(tags), "script": script,
                                      "since": int(time.time() * 1000), "build": None, "cancelled": False}
        return {"id": self.last_item}

    def control_state(self):
        return {
            "jobs": {str(number): {"status": self.status(item), "trace": item["build"]["log"] if item["build"] else "",
                                   "description": item["build"]["description"] if item["build"] else None}
                     for number, item in self.items.items()},
            "runners": list(self.agents),
        }

    def status(self, item):
        if item["cancelled"]:
            return "cancelled"
        if not item["build"]:
            return "pending"
        return "running" if item["build"]["building"] else item["build"]["result"]

    def dispatch(self):
        """Gives what waits to idle agents that are online and have the labels."""
        for item in self.items.values():
            if item["build"] or item["cancelled"]:
                continue
            for agent in self.agents.values():
                if agent["online"] and not agent["offline"] and not agent["build"] and set(item["labels"]) <= set(agent["labels"]):
                    number = sum(1 for build in self.builds.values() if build["project"] == item["project"]) + 1
                    build = {"project": item["project"], "number": number, "item": item, "building": True, "result": None, "node": agent["name"],
                             "start": int(time.time() * 1000), "duration": 0, "log": "", "description": None}
                    item["build"] = agent["build"] = self.builds[(item["project"], number)] = build
                    break

    # Shapes

    def build_url(self, build):
        return f"{self.url}/job/{build['project']}/{build['number']}/"

    def shown_item(self, item):
        why = None
        if not item["build"]:
            label = html.escape("&&".join(item["labels"]), quote=False)
            fits = [agent for agent in self.agents.values() if set(item["labels"]) <= set(agent["labels"])]
            why = f"Waiting for next available executor on ‘{label}’" if fits else f"There are no nodes with the label ‘{label}’"
        shown = {
            "_class": "hudson.model.Queue$BuildableItem" if not item["build"] else "hudson.model.Queue$LeftItem", "id": item["id"],
            "blocked": False, "buildable": not item["build"] and not item["cancelled"], "stuck": False, "inQueueSince": item["since"],
            "why": why, "url": f"queue/item/{item['id']}/",
            "task": {"_class": "hudson.model.FreeStyleProject", "name": item["project"], "url": f"{self.url}/job/{item['project']}/",
                     "fullDisplayName": item["project"]},
        }
        if item["build"] or item["cancelled"]:
            shown["cancelled"] = item["cancelled"]
            shown["executable"] = item["build"] and {"_class": "hudson.model.FreeStyleBuild", "number": item["build"]["number"],
                                                     "url": self.build_url(item["build"])}
        return shown

    def shown_agent(self, agent):
        build = agent["build"]
        executable = build and {"_class": "hudson.model.FreeStyleBuild", "number": build["number"], "url": self.build_url(build),
                                "queueId": build["item"]["id"], "fullDisplayName": f"{build['project']} #{build['number']}",
                                "timestamp": build["start"]}
        return {"_class": "hudson.slaves.SlaveComputer", "displayName": agent["name"], "idle": build is None,
                "offline": agent["offline"] or not agent["online"], "temporarilyOffline": agent["offline"],
                "executors": [{"currentExecutable": executable}]}

    # Queue

    @route("GET", r"/queue/api/json")
    def queue(self, call):
        self.authorise(call)
        return {"_class": "hudson.model.Queue", "items": [self.shown_item(item) for item in self.items.values()
                                                         if not item["build"] and not item["cancelled"]]}

    @route("GET", r"/queue/item/(?P<number>\d+)/api/json")
    def queue_item(self, call, number):
        self.authorise(call)
        if int(number) not in self.items:
            raise Answer(404, "<html>Not Found</html>", {"Content-Type": "text/html"})
        return self.shown_item(self.items[int(number)])

    @route("POST", r"/queue/cancelItem")
    def cancel_item(self, call):
        self.authorise(call)
        item = self.items.get(int(call.one("id", "0")))
        if not item or item["build"]:
            return 404, None, {}
        item["cancelled"] = True
        return 204, None, {}

    # Computers

    @route("GET", r"/computer/api/json")
    def computers(self, call):
        self.authorise(call)
        built_in = {"_class": "hudson.model.Hudson$MasterComputer", "displayName": "Built-In Node", "idle": True, "offline": False,
                    "temporarilyOffline": False, "executors": []}
        return {"computer": [built_in, *(self.shown_agent(agent) for agent in self.agents.values())]}

    def agent(self, name):
        if name not in self.agents:
            raise Answer(404, "<html>Not Found</html>", {"Content-Type": "text/html"})
        return self.agents[name]

    @route("GET", r"/computer/(?P<name>[^/]+)/api/json")
    def computer(self, call, name):
        self.authorise(call)
        return self.shown_agent(self.agent(name))

    @route("POST", r"/computer/doCreateItem")
    def create(self, call):
        self.authorise(call)
        node = json.loads(call.form["json"])
        if call.one("type") != "hudson.slaves.DumbSlave" or node["name"] != call.one("name"):
            raise Answer(400, "<html>No such type</html>", {"Content-Type": "text/html"})
        if node["name"] in self.agents:
            raise Answer(400, f"<html>Agent called ‘{node['name']}’ already exists</html>", {"Content-Type": "text/html"})
        self.agents[node["name"]] = {"name": node["name"], "labels": node["labelString"].split(), "secret": secrets.token_hex(32),
                                     "executors": int(node["numExecutors"]), "online": False, "offline": False, "build": None}
        return 302, None, FOUND

    @route("GET", r"/computer/(?P<name>[^/]+)/jenkins-agent.jnlp")
    def start_file(self, call, name):
        self.authorise(call)
        agent = self.agent(name)
        return 200, ("<jnlp spec=\"1.0+\"><application-desc main-class=\"hudson.remoting.jnlp.Main\">"
                     f"<argument>{agent['secret']}</argument><argument>{name}</argument><argument>-url</argument>"
                     f"<argument>{self.url}/</argument></application-desc></jnlp>"), {"Content-Type": "application/x-java-jnlp-file"}

    @route("POST", r"/computer/(?P<name>[^/]+)/toggleOffline")
    def toggle(self, call, name):
        self.authorise(call)
        agent = self.agent(name)
        agent["offline"] = not agent["offline"]
        return 302, None, FOUND

    @route("POST", r"/computer/(?P<name>[^/]+)/doDelete")
    def delete(self, call, name):
        self.authorise(call)
        build = self.agent(name)["build"]
        if build:
            build.update(building=False, result="ABORTED")
        del self.agents[name]
        return 302, None, FOUND

    # Builds

    def build(self, project, number):
        found = self.builds.get((project, int(number)))
        if not found:
            raise Answer(404, "<html>Not Found</html>", {"Content-Type": "text/html"})
        return found

    @route("GET", r"/job/(?P<project>[^/]+)/(?P<number>\d+)/api/json")
    def show_build(self, call, project, number):
        self.authorise(call)
        build = self.build(project, number)
        return {"_class": "hudson.model.FreeStyleBuild", "number": build["number"], "url": self.build_url(build), "building": build["building"],
                "result": build["result"], "queueId": build["item"]["id"], "timestamp": build["start"], "duration": build["duration"],
                "builtOn": build["node"], "fullDisplayName": f"{project} #{build['number']}", "description": build["description"]}

    @route("POST", r"/job/(?P<project>[^/]+)/(?P<number>\d+)/submitDescription")
    def describe(self, call, project, number):
        self.authorise(call)
        self.build(project, number)["description"] = call.form["description"]
        return 302, None, FOUND

    @route("POST", r"/job/(?P<project>[^/]+)/(?P<number>\d+)/stop")
    def stop(self, call, project, number):
        self.authorise(call)
        self.build(project, number).update(building=False, result="ABORTED")
        return 302, None, FOUND

    # In place of Remoting

    def with_secret(self, call, name):
        agent = self.agents.get(name)
        if not agent or call.headers.get("X-Agent-Secret") != agent["secret"]:
            raise Answer(403, {"message": "no such agent, or not its secret"})
        return agent

    @route("POST", r"/emulated/agents/(?P<name>[^/]+)/next")
    def next_build(self, call, name):
        agent = self.with_secret(call, name)
        agent["online"] = True
        if not agent["build"]:
            self.dispatch()
        build = agent["build"]
        return {"script": build["item"]["script"]} if build and build["building"] else {}

    @route("POST", r"/emulated/agents/(?P<name>[^/]+)/end")
    def end_build(self, call, name):
        agent = self.with_secret(call, name)
        build, agent["build"] = agent["build"], None
        build.update(building=False, result=call.json["result"], log=call.json["log"], duration=int(time.time() * 1000) - build["start"])
        return {}


if __name__ == "__main__":
    serve(Jenkins)
