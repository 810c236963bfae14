"""GitLab as RunnerHub and gitlab-runner see it: a part of its REST API (projects, jobs, runners, statuses), the runners' own API, and job events.

Shapes and statuses after https://docs.gitlab.com/ee/api/ (jobs, runners, users, commits) and gitlab-runner's `network` package.
"""

import datetime
import secrets
import urllib.parse

from emulation import Answer, Emulator, route, serve

TOKEN = "glpat-emulated"
SHA = "7bd2a33d9fae42b9b3a5ed1c8e3a2a45d3f1c6aa"


def now():
    return datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")


class GitLab(Emulator):
    def __init__(self, port=0):
        self.projects = {7: {"id": 7, "path_with_namespace": "acme/shop", "visibility": "private", "default_branch": "main",
                             "name": "shop", "web_url": "http://gitlab.test/acme/shop"}}
        self.jobs = {}
        self.runners = {}
        self.statuses = []
        self.last = {"job": 100, "pipeline": 900, "runner": 40}
        super().__init__(port)

    # Who asks

    def authorise(self, call):
        given = call.headers.get("PRIVATE-TOKEN") or (call.headers.get("Authorization") or "").removeprefix("Bearer ")
        if given != TOKEN:
            raise Answer(401, {"message": "401 Unauthorized"})

    def project(self, key):
        key = urllib.parse.unquote(key)
        for project in self.projects.values():
            if key in (str(project["id"]), project["path_with_namespace"]):
                return project
        raise Answer(404, {"message": "404 Project Not Found"})

    def page(self, call, items):
        size, number = int(call.one("per_page", "20")), int(call.one("page", "1"))
        part = items[(number - 1) * size:number * size]
        more = number * size < len(items)
        return 200, part, {"X-Page": number, "X-Per-Page": size, "X-Next-Page": number + 1 if more else "", "X-Total": len(items)}

    def shown(self, job):
        project = self.projects[job["project_id"]]
        runner = self.runners.get(job["runner_id"])
        return {
            "id": job["id"], "status": job["status"], "stage": "test", "name": job["name"], "ref": "main", "tag": False,
            "allow_failure": False, "created_at": job["created_at"], "started_at": job["started_at"], "finished_at": job["finished_at"],
            "duration": None, "queued_duration": 0.1, "user": {"id": 1, "username": "ada", "name": "Ada"},
            "commit": {"id": SHA, "short_id": SHA[:8], "title": "Change"},
            "pipeline": {"id": job["pipeline_id"], "iid": 1, "project_id": project["id"], "sha": SHA, "ref": "main",
                         "status": "running", "source": job["source"]},
            "web_url": f"{project['web_url']}/-/jobs/{job['id']}", "project": {"ci_job_token_scope_enabled": False},
            "artifacts": [], "runner": runner and {"id": runner["id"], "description": runner["description"], "active": True,
                                                   "is_shared": False, "runner_type": "project_type", "online": True},
            "tag_list": job["tags"],
        }

    def told(self, job):
        """The event of a change: it has no tags of the job and no image."""
        runner = self.runners.get(job["runner_id"])
        project = self.projects[job["project_id"]]
        self.deliver(
            {
                "object_kind": "build", "ref": "main", "tag": False, "before_sha": "0" * 40, "sha": SHA, "retries_count": 0,
                "build_id": job["id"], "build_name": job["name"], "build_stage": "test", "build_status": job["status"],
                "build_created_at": job["created_at"], "build_started_at": job["started_at"], "build_finished_at": job["finished_at"],
                "build_duration": None, "build_queued_duration": 0.1, "build_allow_failure": False, "build_failure_reason": "unknown_failure",
                "pipeline_id": job["pipeline_id"], "runner": runner and {"id": runner["id"], "description": runner["description"],
                                                                        "runner_type": "project_type", "tags": runner["tags"]},
                "project_id": project["id"], "project_name": "acme / shop", "user": {"id": 1, "username": "ada"},
                "commit": {"id": job["pipeline_id"], "sha": SHA, "message": "Change"}, "repository": {"name": "shop"}, "environment": None,
            },
            {"X-Gitlab-Event": "Job Hook", "X-Gitlab-Token": self.hook["token"] if self.hook else "", "X-Gitlab-Event-UUID": secrets.token_hex(8)})

    def change(self, job, status):
        job["status"] = status
        if status == "running":
            job["started_at"] = now()
        if status in ("success", "failed", "canceled"):
            job["finished_at"] = now()
        self.told(job)

    # Control

    def control_job(self, name="build", tags=(), script="true", project=7, source="push"):
        self.last["job"] += 1
        self.last["pipeline"] += 1
        job = {
            "id": self.last["job"], "pipeline_id": self.last["pipeline"], "project_id": project, "name": name, "tags": list(tags),
            "script": script, "status": "pending", "runner_id": None, "source": source, "token": "glcbt-" + secrets.token_hex(8),
            "trace": b"", "created_at": now(), "started_at": None, "finished_at": None,
        }
        self.jobs[job["id"]] = job
        self.told(job)
        return {"id": job["id"]}

    def control_state(self):
        return {
            "jobs": {str(job["id"]): {"status": job["status"], "runner": job["runner_id"], "trace": job["trace"].decode("utf-8", "replace")}
                     for job in self.jobs.values()},
            "runners": [runner["description"] for runner in self.runners.values()],
            "statuses": self.statuses,
        }

    # REST: https://docs.gitlab.com/ee/api/projects.html, jobs.html

    @route("GET", r"/api/v4/projects/(?P<key>[^/]+)")
    def get_project(self, call, key):
        self.authorise(call)
        return self.project(key)

    @route("GET", r"/api/v4/projects/(?P<key>[^/]+)/jobs")
    def list_jobs(self, call, key):
        self.authorise(call)
        project = self.project(key)
        scopes = call.query.get("scope[]")
        found = [self.shown(job) for job in sorted(self.jobs.values(), key=lambda job: -job["id"])
                 if job["project_id"] == project["id"] and (not scopes or job["status"] in scopes)]
        return self.page(call, found)

    @route("GET", r"/api/v4/projects/(?P<key>[^/]+)/jobs/(?P<number>\d+)")
    def get_job(self, call, key, number):
        self.authorise(call)
        job = self.jobs.get(int(number))
        if not job or job["project_id"] != self.project(key)["id"]:
            raise Answer(404, {"message": "404 Not found"})
        return self.shown(job)

    @route("POST", r"/api/v4/projects/(?P<key>[^/]+)/pipelines/(?P<number>\d+)/cancel")
    def cancel_pipeline(self, call, key, number):
        self.authorise(call)
        jobs = [job for job in self.jobs.values() if job["pipeline_id"] == int(number) and job["project_id"] == self.project(key)["id"]]
        if not jobs:
            raise Answer(404, {"message": "404 Not found"})
        for job in jobs:
            if job["status"] in ("pending", "running"):
                self.change(job, "canceled")
        return {"id": int(number), "status": "canceled"}

    # https://docs.gitlab.com/ee/api/commits.html#set-the-pipeline-status-of-a-commit

    @route("POST", r"/api/v4/projects/(?P<key>[^/]+)/statuses/(?P<sha>[0-9a-f]+)")
    def set_status(self, call, key, sha):
        self.authorise(call)
        self.project(key)
        body = call.json
        if body.get("state") not in ("pending", "running", "success", "failed", "canceled"):
            raise Answer(400, {"error": "state does not have a valid value"})
        last = next((status for status in reversed(self.statuses) if status["name"] == body.get("name") and status["sha"] == sha), None)
        if last and last["state"] == body["state"]:
            raise Answer(400, {"message": f"Cannot transition status via :enqueue from :{body['state']}"})
        status = {"sha": sha, "name": body.get("name"), "state": body["state"], "description": body.get("description"),
                  "target_url": body.get("target_url")}
        self.statuses.append(status)
        return 201, status, {}

    # https://docs.gitlab.com/ee/api/users.html#create-a-runner-linked-to-a-user, runners.html

    @route("POST", r"/api/v4/user/runners")
    def create_runner(self, call):
        self.authorise(call)
        body = call.json
        if body.get("runner_type") not in ("instance_type", "group_type", "project_type"):
            raise Answer(400, {"error": "runner_type does not have a valid value"})
        if body["runner_type"] == "project_type" and body.get("project_id") not in self.projects:
            raise Answer(400, {"error": "project_id is invalid"})
        if not body.get("tag_list") and not body.get("run_untagged"):
            raise Answer(400, {"message": {"tags_list": ["can not be empty when runner is not allowed to pick untagged jobs"]}})
        self.last["runner"] += 1
        runner = {"id": self.last["runner"], "token": "glrt-" + secrets.token_hex(10), "description": body.get("description"),
                  "tags": body.get("tag_list") or [], "run_untagged": body.get("run_untagged", False), "project_id": body["project_id"]}
        self.runners[runner["id"]] = runner
        return 201, {"id": runner["id"], "token": runner["token"], "token_expires_at": None}, {}

    @route("GET", r"/api/v4/projects/(?P<key>[^/]+)/runners")
    def list_runners(self, call, key):
        self.authorise(call)
        project = self.project(key)
        found = [{"id": runner["id"], "description": runner["description"], "runner_type": "project_type", "is_shared": False}
                 for runner in self.runners.values() if runner["project_id"] == project["id"]]
        return self.page(call, found)

    @route("GET", r"/api/v4/runners/(?P<number>\d+)/jobs")
    def runner_jobs(self, call, number):
        self.authorise(call)
        if int(number) not in self.runners:
            raise Answer(404, {"message": "404 Runner Not Found"})
        wanted = call.one("status")
        return self.page(call, [self.shown(job) for job in self.jobs.values()
                                if job["runner_id"] == int(number) and (not wanted or job["status"] == wanted)])

    @route("DELETE", r"/api/v4/runners/(?P<number>\d+)")
    def delete_runner(self, call, number):
        self.authorise(call)
        if int(number) not in self.runners:
            raise Answer(404, {"message": "404 Runner Not Found"})
        del self.runners[int(number)]
        return 204, None, {}

    # The runners' own API

    @route("POST", r"/api/v4/jobs/request")
    def request_job(self, call):
        runner = next((runner for runner in self.runners.values() if runner["token"] == call.json.get("token")), None)
        if not runner:
            raise Answer(403, {"message": "403 Forbidden"})
        for job in sorted(self.jobs.values(), key=lambda job: job["id"]):
            fits = set(job["tags"]) <= set(runner["tags"]) if job["tags"] else runner["run_untagged"]
            if job["status"] == "pending" and job["project_id"] == runner["project_id"] and fits:
                job["runner_id"] = runner["id"]
                self.change(job, "running")
                return 201, {
                    "id": job["id"], "token": job["token"], "allow_git_fetch": True,
                    "job_info": {"id": job["id"], "name": job["name"], "stage": "test", "project_id": job["project_id"], "project_name": "shop"},
                    "variables": [{"key": "CI_JOB_ID", "value": str(job["id"]), "public": True, "masked": False}],
                    "steps": [{"name": "script", "script": [job["script"]], "timeout": 3600, "when": "on_success", "allow_failure": False}],
                    "runner_info": {"timeout": 3600},
                }, {}
        return 204, None, {"X-GitLab-Last-Update": "0"}

    def with_job_token(self, call, number):
        job = self.jobs.get(int(number))
        given = call.headers.get("JOB-TOKEN") or (call.json.get("token") if call.method == "PUT" else None)
        if not job or given != job["token"]:
            raise Answer(403, {"message": "403 Forbidden"})
        return job

    @route("PATCH", r"/api/v4/jobs/(?P<number>\d+)/trace")
    def patch_trace(self, call, number):
        job = self.with_job_token(call, number)
        start = int((call.headers.get("Content-Range") or "0-").split("-")[0])
        if start != len(job["trace"]):
            raise Answer(416, {"message": "416 Range Not Satisfiable"}, {"Range": f"0-{len(job['trace'])}"})
        job["trace"] += call.body
        return 202, None, {"Job-Status": job["status"], "Range": f"0-{len(job['trace'])}"}

    @route("PUT", r"/api/v4/jobs/(?P<number>\d+)")
    def put_job(self, call, number):
        job = self.with_job_token(call, number)
        if job["status"] != "running":
            raise Answer(403, {"message": "403 Forbidden - Job is not running"}, {"Job-Status": job["status"]})
        state = call.json.get("state")
        if state in ("success", "failed"):
            self.change(job, state)
        return 200, None, {"Job-Status": job["status"]}


if __name__ == "__main__":
    serve(GitLab)
