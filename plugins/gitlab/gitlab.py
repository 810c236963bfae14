#!/usr/bin/env python3
"""GitLab CI as a source of jobs for RunnerHub: see README.md beside this file."""

import hmac
import json
import urllib.parse

from protocol import FORBIDDEN, INVALID, NOT_FOUND, Failure
from web import Poller, Source, Web, runner_file

# GitLab's words for the state of a job (https://docs.gitlab.com/ee/api/jobs.html) and ours. Those that are left out are nobody's demand yet.
STATES = {
    "pending": ("queued", None), "preparing": ("waiting", None), "waiting_for_resource": ("waiting", None),
    "running": ("in_progress", None), "canceling": ("in_progress", None), "success": ("completed", "success"),
    "failed": ("completed", "failure"), "canceled": ("completed", "cancelled"), "skipped": ("completed", "skipped"),
}
OPEN = ["pending", "running", "preparing", "waiting_for_resource"]
REPORTS = {("queued", None): "pending", ("in_progress", None): "running", ("completed", "success"): "success",
           ("completed", "cancelled"): "canceled", ("completed", "skipped"): "success", ("completed", "neutral"): "success"}


class GitLab(Source):
    def start(self, configuration, parameters):
        self.url = configuration["url"].rstrip("/")
        self.web = Web(self.url + "/api/v4", {"PRIVATE-TOKEN": configuration["token"]})
        self.webhook_token = configuration.get("webhook-token", "")
        self.paths = configuration["projects"]
        self.untagged = configuration.get("untagged-label", "untagged")
        self.program = configuration.get("runner", "gitlab-runner")
        self.executor = configuration.get("executor", "shell")
        self.patience = configuration.get("wait-seconds", 600)
        self.projects = {}
        self.poller = Poller(self, configuration.get("poll-seconds", 15), self.open_jobs, self.one_job)
        self.poller.start()

    # The platform

    def project(self, path):
        """A project by its path or id. What it is called and who may see it changes seldom: kept until the next start."""
        key = str(path)
        if key not in self.projects:
            found = self.web.call("GET", f"/projects/{urllib.parse.quote(key, safe='')}")[1]
            self.projects[key] = self.projects[str(found["id"])] = found
        return self.projects[key]

    def pages(self, path, query=None):
        """All pages of a list (https://docs.gitlab.com/ee/api/rest/index.html#pagination)."""
        page = "1"
        while page:
            _, found, headers = self.web.call("GET", path, query={**(query or {}), "per_page": 100, "page": page})
            yield from found
            page = headers.get("X-Next-Page")

    def open_jobs(self):
        for path in self.paths:
            project = self.project(path)
            for job in self.pages(f"/projects/{project['id']}/jobs", {"scope[]": OPEN}):
                told = self.told(job, project)
                if told:
                    yield told

    def one_job(self, told):
        return self.job(told["repository"]["id"], told["id"])

    def job(self, project_id, job_id):
        try:
            job = self.web.call("GET", f"/projects/{project_id}/jobs/{job_id}")[1]
        except Failure as error:
            if error.code == NOT_FOUND:
                return None
            raise
        return self.told(job, self.project(project_id))

    def told(self, job, project):
        """A job of the jobs API as the host knows jobs; None: it waits for nobody."""
        if job["status"] not in STATES:
            return None
        status, conclusion = STATES[job["status"]]
        pipeline = job.get("pipeline") or {}
        event = pipeline.get("source") or "unknown"
        private = project.get("visibility") != "public"
        told = {
            "id": job["id"], "run": pipeline["id"], "name": job["name"], "workflow": job.get("stage"),
            "labels": job.get("tag_list") or [self.untagged], "status": status,
            "repository": {"id": project["id"], "name": project["path_with_namespace"], "private": private,
                           "defaultBranch": project.get("default_branch")},
            "commit": (job.get("commit") or {}).get("id") or pipeline.get("sha") or "", "branch": job.get("ref"),
            "url": job.get("web_url"), "event": event, "actor": (job.get("user") or {}).get("username"),
            "runner": (job.get("runner") or {}).get("description"),
            "createdAt": time_of(job.get("created_at")), "startedAt": time_of(job.get("started_at")),
            "completedAt": time_of(job.get("finished_at")), "transition": f"{job['id']}/{job['status']}",
        }
        if conclusion:
            told["conclusion"] = conclusion
        # A member can run the pipeline of a fork's merge request in the parent project: then the code is the fork's.
        if event not in ("merge_request_event", "external_pull_request_event", "unknown"):
            told["headRepository"] = project["id"]
        return {name: value for name, value in told.items() if value is not None}

    # What the host asks

    def source_register(self, wish):
        job = wish.get("job") or {}
        project = self.project(wish["scope"])
        # As they are spelt: GitLab tells Docker from docker.
        tags = [tag for tag in job.get("labels") or wish["labels"] if tag != self.untagged]
        _, runner, _ = self.web.call("POST", "/user/runners", expect=(201,), json_body={
            "runner_type": "project_type", "project_id": project["id"], "description": wish["name"],
            "tag_list": tags, "run_untagged": not tags, "locked": True, "access_level": "not_protected",
        })
        text = "\n".join([
            "concurrent = 1", "check_interval = 1", "[[runners]]", f"  name = {json.dumps(wish['name'])}",
            f"  url = {json.dumps(self.url)}", f"  id = {runner['id']}", f"  token = {json.dumps(runner['token'])}",
            f"  executor = {json.dumps(self.executor)}", "  limit = 1", "",
        ])
        return {
            "id": runner["id"], "files": [runner_file("gitlab/config.toml", text)], "environment": {},
            "command": [self.program, "run-single", "--config", "gitlab/config.toml", "--runner", wish["name"], "--max-builds", "1",
                        "--wait-timeout", str(self.patience)],
        }

    def source_remove(self, wish):
        if wish.get("id"):
            return {"outcome": self.remove(wish["id"])}
        try:
            project = self.project(wish["scope"])
        except Failure as error:
            if error.code == NOT_FOUND:
                return {"outcome": "absent"}
            raise
        outcome = "absent"
        for runner in list(self.pages(f"/projects/{project['id']}/runners", {"type": "project_type"})):
            if runner.get("description") == wish["name"]:
                outcome = self.remove(runner["id"])
        return {"outcome": outcome}

    def remove(self, runner_id):
        try:
            if self.web.call("GET", f"/runners/{runner_id}/jobs", query={"status": "running"})[1]:
                return "busy"
            self.web.call("DELETE", f"/runners/{runner_id}")
            return "removed"
        except Failure as error:
            if error.code == NOT_FOUND:
                return "absent"
            raise

    def source_job(self, wish):
        job = self.job(self.project(wish["repository"])["id"], wish["id"])
        if job is None:
            raise Failure(NOT_FOUND, f"job {wish['id']} of {wish['repository']}")
        return {"job": job}

    def source_open(self, _):
        return {"jobs": list(self.open_jobs())}

    def source_cancel(self, wish):
        project = self.project(wish["repository"])
        self.web.call("POST", f"/projects/{project['id']}/pipelines/{wish['run']}/cancel")
        return {}

    def source_report(self, wish):
        """A commit status, which GitLab shows in the pipeline beside its own jobs."""
        project = self.project(wish["repository"])
        state = REPORTS.get((wish["status"], wish.get("conclusion")), "failed")
        body = {"state": state, "name": wish["job"]["name"], "description": wish["title"][:255]}
        if wish.get("url"):
            body["target_url"] = wish["url"]
        try:
            self.web.call("POST", f"/projects/{project['id']}/statuses/{wish['job']['commit']}", json_body=body)
        except Failure as error:
            # Told before: GitLab refuses a status that it has already.
            if error.code != INVALID or "Cannot transition status" not in str(error):
                raise
        return {}

    def source_delivery(self, message):
        given = message["headers"].get("x-gitlab-token", "")
        if not self.webhook_token:
            raise Failure(FORBIDDEN, "webhook-token is not configured: webhooks are not taken")
        if not hmac.compare_digest(given.encode(), self.webhook_token.encode()):
            return {"accepted": False, "reason": "X-Gitlab-Token is not the token of this hook", "jobs": []}
        try:
            event = json.loads(message["body"])
        except ValueError:
            raise Failure(INVALID, "the body is no JSON") from None
        if not isinstance(event, dict) or event.get("object_kind") != "build":
            return {"accepted": True, "jobs": []}
        project_id, job_id = event.get("project_id"), event.get("build_id")
        if not isinstance(project_id, int) or not isinstance(job_id, int):
            raise Failure(INVALID, "a job event without project_id or build_id")
        # An event has no tags and may come late: the job is asked for as it stands now.
        job = self.job(project_id, job_id)
        wanted = job and (job["repository"]["name"] in self.paths or project_id in self.paths)
        return {"accepted": True, "jobs": [job] if wanted else []}


def time_of(text):
    """RFC 3339 in UTC, which GitLab's API speaks unless it was told another zone."""
    return text if text and text.endswith("Z") else None


if __name__ == "__main__":
    GitLab().run()
