"""Azure DevOps as RunnerHub and the pipelines agent see it: agent pools, job requests, agents, sessions and messages, builds, commit statuses.

Shapes after https://learn.microsoft.com/rest/api/azure/devops/ (distributedtask, build, git) and the agent's own client. Messages are not encrypted.
"""

import base64
import datetime
import hashlib
import json
import secrets
import uuid

from emulation import Answer, Emulator, route, serve

TOKEN = "pat-emulated"
SHA = "1f2e3d4c5b6a79880f1e2d3c4b5a69788f7e6d5c"
PROJECT = "6ce954b1-ce1f-45d1-b94d-e6bf2464ba2c"
REPOSITORY = "278d5cd2-584d-4b63-824a-2ba458937249"
POOL = 9
PREFIX = bytes.fromhex("3031300d060960864801650304020105000420")


def now():
    return datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.%f0Z")


def unpadded(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


class AzureDevOps(Emulator):
    def __init__(self, port=0):
        self.requests = {}
        self.agents = {}
        self.sessions = {}
        self.statuses = []
        self.last = {"request": 500, "build": 3000, "agent": 70, "message": 0}
        super().__init__(port)

    def authorise(self, call):
        if call.headers.get("Authorization") != "Basic " + base64.b64encode(f":{TOKEN}".encode()).decode():
            raise Answer(401, "<html>Access Denied</html>", {"Content-Type": "text/html"})
        if "api-version" not in call.query:
            raise Answer(400, {"message": "No api-version was supplied for the request."})

    @staticmethod
    def listed(items):
        return {"count": len(items), "value": items}

    def missing(self, what):
        return Answer(404, {"typeKey": f"{what}NotFoundException", "message": f"{what} was not found"})

    # Control

    def control_job(self, name="build", tags=(), script="true", fork=False):
        self.last["request"] += 1
        self.last["build"] += 1
        request = {"requestId": self.last["request"], "queueTime": now(), "jobId": str(uuid.uuid4()), "planId": str(uuid.uuid4()),
                   "scopeId": PROJECT, "planType": "Build", "poolId": POOL, "jobName": name,
                   "demands": [*tags, "Agent.Version -gtVersion 2.163.1"],
                   "definition": {"id": 12, "name": "shop-ci"}, "owner": {"id": self.last["build"], "name": "20261126.1"},
                   "script": script, "log": "", "fork": fork, "agent": None}
        self.requests[request["requestId"]] = request
        self.changed_state(request)
        self.dispatch()
        return {"id": request["requestId"]}

    def control_state(self):
        return {
            "jobs": {str(number): {"status": request.get("result") or ("running" if request.get("receiveTime") else "pending"),
                                   "trace": request["log"]} for number, request in self.requests.items()},
            "runners": [agent["name"] for agent in self.agents.values()], "statuses": self.statuses,
        }

    def changed_state(self, request):
        state = "completed" if request.get("result") else "running" if request.get("receiveTime") else "waiting"
        password = self.hook["token"] if self.hook else ""
        self.deliver(
            {"subscriptionId": str(uuid.uuid4()), "notificationId": 1, "id": str(uuid.uuid4()),
             "eventType": "ms.vss-pipelines.job-state-changed-event", "publisherId": "pipelines", "message": None, "detailedMessage": None,
             "resource": {"job": {"id": request["jobId"], "name": request["jobName"], "state": state, "result": request.get("result")},
                          "run": {"id": request["owner"]["id"]}}, "resourceVersion": "5.1-preview.1",
             "resourceContainers": {"project": {"id": PROJECT}}, "createdDate": now()},
            {"Authorization": "Basic " + base64.b64encode(f"runnerhub:{password}".encode()).decode()})

    def shown(self, request):
        hidden = ("script", "log", "fork", "agent", "token")
        shown = {name: value for name, value in request.items() if name not in hidden}
        agent = self.agents.get(request["agent"]) or request.get("agent_was")
        if agent:
            shown["reservedAgent"] = {"id": agent["id"], "name": agent["name"], "version": "3.248.0", "enabled": True, "status": "online"}
        shown.pop("agent_was", None)
        return shown

    def dispatch(self):
        for request in self.requests.values():
            if request["agent"] or request.get("result"):
                continue
            wanted = {demand.lower() for demand in request["demands"] if not demand.startswith("Agent.")}
            for session in self.sessions.values():
                agent = session["agent"]
                if not agent["busy"] and wanted <= {name.lower() for name in agent["capabilities"]}:
                    self.last["message"] += 1
                    request.update(agent=agent["id"], agent_was=agent, assignTime=now())
                    agent["busy"] = request["requestId"]
                    session["messages"].append({"messageId": self.last["message"], "messageType": "PipelineAgentJobRequest", "body": json.dumps({
                        "messageType": "PipelineAgentJobRequest", "requestId": request["requestId"], "jobId": request["jobId"],
                        "jobDisplayName": request["jobName"], "plan": {"planId": request["planId"], "scopeIdentifier": PROJECT, "planType": "Build"},
                        "steps": [{"type": "task", "displayName": "script", "inputs": {"script": request["script"]}}],
                        "resources": {"endpoints": [{"name": "SystemVssConnection", "url": self.url + "/"}]}})})
                    break

    # Pools: https://learn.microsoft.com/rest/api/azure/devops/distributedtask/

    @route("GET", r"/_apis/distributedtask/pools")
    def pools(self, call):
        self.authorise(call)
        pools = [{"id": POOL, "name": "RunnerHub", "isHosted": False, "poolType": "automation"}]
        return self.listed([pool for pool in pools if call.one("poolName", pool["name"]) == pool["name"]])

    @route("GET", r"/_apis/distributedtask/pools/9/jobrequests")
    def job_requests(self, call):
        self.authorise(call)
        newest = sorted(self.requests.values(), key=lambda request: -request["requestId"])
        ended = [request for request in newest if request.get("result")][:int(call.one("completedRequestCount", "0"))]
        return self.listed([self.shown(request) for request in newest if not request.get("result")] + [self.shown(request) for request in ended])

    @route("GET", r"/_apis/distributedtask/pools/9/jobrequests/(?P<number>\d+)")
    def job_request(self, call, number):
        self.authorise(call)
        if int(number) not in self.requests:
            raise self.missing("TaskAgentJob")
        return self.shown(self.requests[int(number)])

    # Agents

    def shown_agent(self, agent):
        return {"id": agent["id"], "name": agent["name"], "version": "3.248.0", "enabled": True, "maxParallelism": 1,
                "status": "online" if any(session["agent"] is agent for session in self.sessions.values()) else "offline",
                "authorization": {"clientId": agent["client"], "authorizationUrl": f"{self.url}/_apis/oauth2/token"}}

    @route("POST", r"/_apis/distributedtask/pools/9/agents")
    def add_agent(self, call):
        self.authorise(call)
        body = call.json
        if any(agent["name"].lower() == body["name"].lower() for agent in self.agents.values()):
            raise Answer(409, {"typeKey": "TaskAgentExistsException", "message": f"Pool 9 already contains an agent with name {body['name']}."})
        key = body["authorization"]["publicKey"]
        self.last["agent"] += 1
        agent = {"id": self.last["agent"], "name": body["name"], "client": str(uuid.uuid4()), "busy": None, "capabilities": {},
                 "modulus": int.from_bytes(base64.b64decode(key["modulus"]), "big"),
                 "exponent": int.from_bytes(base64.b64decode(key["exponent"]), "big")}
        self.agents[agent["id"]] = agent
        return self.shown_agent(agent)

    def agent(self, number):
        if int(number) not in self.agents:
            raise self.missing("TaskAgent")
        return self.agents[int(number)]

    @route("GET", r"/_apis/distributedtask/pools/9/agents")
    def list_agents(self, call):
        self.authorise(call)
        return self.listed([self.shown_agent(agent) for agent in self.agents.values() if call.one("agentName", agent["name"]) == agent["name"]])

    @route("GET", r"/_apis/distributedtask/pools/9/agents/(?P<number>\d+)")
    def get_agent(self, call, number):
        self.authorise(call)
        agent = self.agent(number)
        shown = self.shown_agent(agent)
        if agent["busy"] and call.one("includeAssignedRequest") == "true":
            shown["assignedRequest"] = self.shown(self.requests[agent["busy"]])
        return shown

    @route("PUT", r"/_apis/distributedtask/pools/9/agents/(?P<number>\d+)/usercapabilities")
    def set_capabilities(self, call, number):
        self.authorise(call)
        self.agent(number)["capabilities"] = call.json
        return self.shown_agent(self.agent(number))

    @route("DELETE", r"/_apis/distributedtask/pools/9/agents/(?P<number>\d+)")
    def delete_agent(self, call, number):
        self.authorise(call)
        agent = self.agent(number)
        if agent["busy"]:
            raise Answer(400, {"typeKey": "TaskAgentJobStillRunningException", "message": "Agent is running a job"})
        del self.agents[agent["id"]]
        self.sessions = {key: session for key, session in self.sessions.items() if session["agent"] is not agent}
        return 204, None, {}

    # What the agent asks: a token for its key, a session, messages, and the end of a job

    @route("POST", r"/_apis/oauth2/token")
    def token(self, call):
        form = call.form
        if form.get("client_assertion_type") != "urn:ietf:params:oauth:client-assertion-type:jwt-bearer":
            raise Answer(400, {"error": "invalid_request"})
        head, claims, signature = form["client_assertion"].split(".")
        agent = next((agent for agent in self.agents.values() if agent["client"] == json.loads(unpadded(claims))["sub"]), None)
        if not agent:
            raise Answer(400, {"error": "invalid_client"})
        size = (agent["modulus"].bit_length() + 7) // 8
        found = pow(int.from_bytes(unpadded(signature), "big"), agent["exponent"], agent["modulus"]).to_bytes(size, "big")
        digest = PREFIX + hashlib.sha256(f"{head}.{claims}".encode()).digest()
        if found != b"\0\1" + b"\xff" * (size - len(digest) - 3) + b"\0" + digest:
            raise Answer(400, {"error": "invalid_client", "error_description": "the signature is wrong"})
        agent["token"] = secrets.token_hex(16)
        return {"access_token": agent["token"], "token_type": "bearer", "expires_in": 3000}

    def as_agent(self, call):
        given = (call.headers.get("Authorization") or "").removeprefix("Bearer ")
        agent = next((agent for agent in self.agents.values() if agent.get("token") and agent["token"] == given), None)
        if not agent:
            raise Answer(401, {"message": "the token is not known"})
        return agent

    @route("POST", r"/_apis/distributedtask/pools/9/sessions")
    def open_session(self, call):
        agent = self.as_agent(call)
        key = str(uuid.uuid4())
        self.sessions[key] = {"agent": agent, "messages": []}
        self.dispatch()
        return {"sessionId": key, "ownerName": call.json["ownerName"], "agent": self.shown_agent(agent)}

    @route("DELETE", r"/_apis/distributedtask/pools/9/sessions/(?P<key>[^/]+)")
    def close_session(self, call, key):
        self.as_agent(call)
        self.sessions.pop(key, None)
        return 204, None, {}

    @route("GET", r"/_apis/distributedtask/pools/9/messages")
    def message(self, call):
        self.as_agent(call)
        session = self.sessions.get(call.one("sessionId"))
        if not session:
            raise self.missing("TaskAgentSession")
        self.dispatch()
        if not session["messages"]:
            # The real one waits for 50 s before it says so.
            return 202, None, {}
        return session["messages"][0]

    @route("DELETE", r"/_apis/distributedtask/pools/9/messages/(?P<number>\d+)")
    def delete_message(self, call, number):
        self.as_agent(call)
        session = self.sessions[call.one("sessionId")]
        session["messages"] = [message for message in session["messages"] if message["messageId"] != int(number)]
        return 204, None, {}

    @route("PATCH", r"/_apis/distributedtask/pools/9/jobrequests/(?P<number>\d+)")
    def update_request(self, call, number):
        """Renews the lock, which says that the agent has received it; with a result: the end."""
        agent = self.as_agent(call)
        request = self.requests[int(number)]
        if request["agent"] != agent["id"]:
            raise Answer(403, {"message": "another agent's job"})
        if "receiveTime" not in request:
            request["receiveTime"] = now()
            self.changed_state(request)
        if call.json.get("result"):
            request.update(result=call.json["result"], finishTime=now())
            agent["busy"] = None
            self.changed_state(request)
        return self.shown(request)

    @route("POST", r"/(?P<project>[^/]+)/_apis/distributedtask/hubs/build/plans/(?P<plan>[^/]+)/logs/1")
    def append_log(self, call, project, plan):
        self.as_agent(call)
        request = next(request for request in self.requests.values() if request["planId"] == plan)
        request["log"] += call.body.decode("utf-8", "replace")
        return {"id": 1}

    # Projects, builds, statuses

    @route("GET", r"/_apis/projects/(?P<key>[^/]+)")
    def get_project(self, call, key):
        self.authorise(call)
        if key not in (PROJECT, "shop"):
            raise self.missing("Project")
        return {"id": PROJECT, "name": "shop", "state": "wellFormed", "visibility": "private"}

    def build_of(self, number):
        request = next((request for request in self.requests.values() if request["owner"]["id"] == int(number)), None)
        if not request:
            raise self.missing("Build")
        return request

    @route("GET", r"/(?P<project>[^/]+)/_apis/build/builds/(?P<number>\d+)")
    def get_build(self, call, project, number):
        self.authorise(call)
        request = self.build_of(number)
        return {"id": int(number), "buildNumber": "20261126.1", "status": "completed" if request.get("result") else "inProgress",
                "sourceVersion": SHA, "sourceBranch": "refs/heads/main", "reason": "pullRequest" if request["fork"] else "individualCI",
                "triggerInfo": {"pr.isFork": "True"} if request["fork"] else {}, "requestedFor": {"uniqueName": "ada@acme.test"},
                "repository": {"id": REPOSITORY, "type": "TfsGit", "name": "shop"}, "project": {"id": PROJECT, "name": "shop"},
                "_links": {"web": {"href": f"https://dev.azure.test/acme/shop/_build/results?buildId={number}"}}}

    @route("PATCH", r"/(?P<project>[^/]+)/_apis/build/builds/(?P<number>\d+)")
    def update_build(self, call, project, number):
        self.authorise(call)
        request = self.build_of(number)
        if call.json.get("status") == "cancelling" and not request.get("result"):
            request.update(result="canceled", finishTime=now())
            self.changed_state(request)
        return {"id": int(number), "status": "cancelling"}

    @route("POST", r"/(?P<project>[^/]+)/_apis/git/repositories/(?P<repository>[^/]+)/commits/(?P<sha>[0-9a-f]{40})/statuses")
    def add_status(self, call, project, repository, sha):
        self.authorise(call)
        body = call.json
        if body.get("state") not in ("notSet", "pending", "succeeded", "failed", "error", "notApplicable") or "context" not in body:
            raise Answer(400, {"message": "the status is not valid"})
        status = {"id": len(self.statuses) + 1, "sha": sha, "name": body["context"]["name"], "state": body["state"], "description": body.get("description"),
                  "target_url": body.get("targetUrl")}
        self.statuses.append(status)
        return 201, status, {}


if __name__ == "__main__":
    serve(AzureDevOps)
