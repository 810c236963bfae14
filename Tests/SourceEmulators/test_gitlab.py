import json
import unittest

from gitlab import SHA, TOKEN, GitLab
from host import Host, Refusal


class GitLabTests(unittest.TestCase):
    def setUp(self):
        self.gitlab = GitLab()
        self.host = Host("gitlab", "gitlab.py", {
            "url": self.gitlab.url, "token": TOKEN, "webhook-token": "s3cret", "projects": ["acme/shop"], "poll-seconds": 0.1,
            "runner": "./gitlab-runner", "wait-seconds": 5})

    def tearDown(self):
        self.host.close()
        self.gitlab.close()

    def register(self, job, name="rh-1"):
        return self.host.ask("source/register", {
            "name": name, "scope": "acme/shop", "labels": sorted(label.lower() for label in job["labels"]),
            "job": {"id": job["id"], "run": job["run"], "name": job["name"], "repository": "acme/shop", "labels": job["labels"]}})

    def test_a_job_is_found_run_and_reported(self):
        number = self.gitlab.control_job(tags=["Docker", "linux"], script="echo hello from $0")["id"]
        job = self.host.hears(lambda job: job["id"] == number and job["status"] == "queued")
        self.assertEqual(job["labels"], ["Docker", "linux"])
        self.assertEqual(job["repository"], {"id": 7, "name": "acme/shop", "private": True, "defaultBranch": "main"})
        self.assertEqual((job["commit"], job["headRepository"], job["transition"]), (SHA, 7, f"{number}/pending"))
        registration = self.register(job)
        self.assertEqual(self.gitlab.runners[registration["id"]]["tags"], ["Docker", "linux"])
        secret = self.gitlab.runners[registration["id"]]["token"]
        self.assertNotIn(secret, json.dumps(registration["command"]) + json.dumps(registration["environment"]))
        self.assertTrue(all(file["mode"] == 0o600 for file in registration["files"]))
        result = self.host.run_runner(registration, "gitlab")
        self.assertEqual(result.returncode, 0, result.stdout)
        ended = self.host.hears(lambda job: job["id"] == number and job["status"] == "completed")
        self.assertEqual((ended["conclusion"], ended["runner"]), ("success", "rh-1"))
        self.assertIn(b"hello from", self.gitlab.jobs[number]["trace"])
        self.assertEqual(self.host.ask("source/remove", {"id": registration["id"], "scope": "acme/shop", "repository": "acme/shop"}),
                         {"outcome": "removed"})
        self.assertEqual(self.gitlab.runners, {})
        report = {"job": {"id": number, "name": "RunnerHub / build", "commit": SHA}, "repository": "acme/shop", "status": "completed",
                  "conclusion": "success", "title": "Success in 1 s", "summary": "", "url": "http://hub.test/jobs/gitlab-101"}
        self.host.ask("source/report", report)
        self.host.ask("source/report", report)
        self.assertEqual([status["state"] for status in self.gitlab.statuses], ["success"])

    def test_a_failing_script_is_a_failed_job(self):
        number = self.gitlab.control_job(tags=["linux"], script="exit 3")["id"]
        job = self.host.hears(lambda job: job["id"] == number)
        self.host.run_runner(self.register(job), "gitlab")
        self.assertEqual(self.host.hears(lambda job: job["id"] == number and job["status"] == "completed")["conclusion"], "failure")

    def test_a_job_without_tags_has_the_label_of_those(self):
        number = self.gitlab.control_job()["id"]
        job = self.host.hears(lambda job: job["id"] == number)
        self.assertEqual(job["labels"], ["untagged"])
        self.assertTrue(self.gitlab.runners[self.register(job)["id"]]["run_untagged"])

    def test_a_webhook_is_taken_with_its_token_only_and_read_by_the_api(self):
        number = self.gitlab.control_job(tags=["linux"])["id"]
        body = json.dumps({"object_kind": "build", "project_id": 7, "build_id": number, "build_status": "success"})
        forged = self.host.ask("source/delivery", {"headers": {"x-gitlab-token": "guess"}, "body": body})
        self.assertEqual((forged["accepted"], forged["jobs"]), (False, []))
        taken = self.host.ask("source/delivery", {"headers": {"x-gitlab-token": "s3cret"}, "body": body})
        self.assertEqual([(job["id"], job["status"]) for job in taken["jobs"]], [(number, "queued")], "the event may lie, the API does not")
        other = self.host.ask("source/delivery", {"headers": {"x-gitlab-token": "s3cret"}, "body": '{"object_kind":"push"}'})
        self.assertEqual(other, {"accepted": True, "jobs": []})
        with self.assertRaises(Refusal) as refusal:
            self.host.ask("source/delivery", {"headers": {"x-gitlab-token": "s3cret"}, "body": "no json"})
        self.assertEqual(refusal.exception.code, -32002)

    def test_pages_of_open_jobs_are_all_read(self):
        for _ in range(130):
            self.gitlab.control_job(tags=["linux"])
        self.assertEqual(len(self.host.ask("source/open", {})["jobs"]), 130)

    def test_a_busy_runner_is_left_and_one_whose_id_is_lost_is_found_by_name(self):
        number = self.gitlab.control_job(tags=["linux"])["id"]
        registration = self.register(self.host.hears(lambda job: job["id"] == number))
        self.gitlab.jobs[number].update(status="running", runner_id=registration["id"])
        wish = {"name": "rh-1", "scope": "acme/shop", "repository": "acme/shop"}
        self.assertEqual(self.host.ask("source/remove", wish), {"outcome": "busy"})
        self.gitlab.jobs[number]["status"] = "success"
        self.assertEqual(self.host.ask("source/remove", wish), {"outcome": "removed"})
        self.assertEqual(self.host.ask("source/remove", wish), {"outcome": "absent"})

    def test_a_pipeline_is_cancelled(self):
        number = self.gitlab.control_job(tags=["linux"])["id"]
        job = self.host.hears(lambda job: job["id"] == number)
        self.host.ask("source/cancel", {"run": job["run"], "repository": "acme/shop"})
        self.assertEqual(self.host.hears(lambda job: job["id"] == number and job["status"] == "completed")["conclusion"], "cancelled")

    def test_refusals_of_gitlab_become_those_of_the_protocol(self):
        for status, code in [(401, -32004), (403, -32004), (404, -32001), (409, -32005), (429, -32006), (502, -32003), (422, -32002)]:
            with self.subTest(status=status):
                self.gitlab.control_fault("POST /api/v4/projects/7/pipelines", status, headers={"Retry-After": "7"} if status == 429 else None)
                with self.assertRaises(Refusal) as refusal:
                    self.host.ask("source/cancel", {"run": 901, "repository": "acme/shop"})
                self.assertEqual(refusal.exception.code, code)
                if status == 429:
                    self.assertEqual(refusal.exception.data, {"retryAfter": 7})

    def test_code_of_a_merge_request_may_be_a_forks(self):
        number = self.gitlab.control_job(tags=["linux"], source="merge_request_event")["id"]
        self.assertNotIn("headRepository", self.host.hears(lambda job: job["id"] == number))


if __name__ == "__main__":
    unittest.main()
