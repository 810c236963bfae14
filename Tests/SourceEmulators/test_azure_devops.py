import base64
import json
import threading
import unittest

from azure_devops import SHA, TOKEN, AzureDevOps
from host import Host, Refusal


class AzureDevOpsTests(unittest.TestCase):
    def setUp(self):
        self.azure = AzureDevOps()
        self.host = Host("azure-devops", "azure_devops.py", {
            "url": self.azure.url, "token": TOKEN, "pool": "RunnerHub", "webhook-password": "s3cret", "poll-seconds": 0.1})

    def tearDown(self):
        self.host.close()
        self.azure.close()

    def register(self, job, name="rh-1"):
        return self.host.ask("source/register", {
            "name": name, "scope": "RunnerHub", "labels": job["labels"],
            "job": {"id": job["id"], "run": job["run"], "name": job["name"], "repository": "shop", "labels": job["labels"]}})

    def test_a_job_is_found_run_and_reported(self):
        number = self.azure.control_job(tags=["docker"], script="echo hello")["id"]
        job = self.host.hears(lambda job: job["id"] == number and job["status"] == "queued")
        self.assertEqual((job["labels"], job["scope"], job["commit"], job["branch"]), (["runnerhub", "docker"], "RunnerHub", SHA, "main"))
        registration = self.register(job)
        self.assertEqual([(file["path"], file["mode"]) for file in registration["files"]],
                         [("agent/.agent", 0o600), ("agent/.credentials", 0o600), ("agent/.credentials_rsaparams", 0o600)])
        self.assertFalse(any(TOKEN in base64.b64decode(file["contents"]).decode() for file in registration["files"]), "the token stays here")
        result = self.host.run_runner(registration, "azure-devops")
        self.assertEqual(result.returncode, 0, result.stdout)
        ended = self.host.hears(lambda job: job["id"] == number and job["status"] == "completed")
        self.assertEqual((ended["conclusion"], ended["runner"]), ("success", "rh-1"))
        self.assertEqual(self.azure.requests[number]["log"], "hello\n")
        self.host.ask("source/report", {"job": {"id": number, "name": "RunnerHub / build", "commit": SHA}, "repository": "shop",
                                        "status": "completed", "conclusion": "success", "title": "Success in 1 s", "summary": ""})
        self.assertEqual([(status["state"], status["name"]) for status in self.azure.statuses], [("succeeded", "RunnerHub / build")])
        wish = {"id": registration["id"], "scope": "RunnerHub", "repository": "shop"}
        self.assertEqual(self.host.ask("source/remove", wish), {"outcome": "removed"})
        self.assertEqual(self.host.ask("source/remove", wish), {"outcome": "absent"})

    def test_a_failing_script_is_a_failed_job_and_a_busy_agent_is_left(self):
        number = self.azure.control_job(script="sleep 0.5; exit 1")["id"]
        job = self.host.hears(lambda job: job["id"] == number)
        registration = self.register(job)
        runner = threading.Thread(target=lambda: self.host.run_runner(registration, "azure-devops"))
        runner.start()
        self.host.hears(lambda job: job["id"] == number and job["status"] == "in_progress")
        self.assertEqual(self.host.ask("source/remove", {"name": "rh-1", "scope": "RunnerHub", "repository": "shop"}), {"outcome": "busy"})
        self.assertEqual(self.host.hears(lambda job: job["id"] == number and job["status"] == "completed")["conclusion"], "failure")
        runner.join(10)
        self.assertEqual(self.host.ask("source/remove", {"name": "rh-1", "scope": "RunnerHub", "repository": "shop"}), {"outcome": "removed"})

    def test_a_name_that_is_taken_is_said_to_exist(self):
        number = self.azure.control_job()["id"]
        job = self.host.hears(lambda job: job["id"] == number)
        self.register(job)
        with self.assertRaises(Refusal) as refusal:
            self.register(job)
        self.assertEqual(refusal.exception.code, -32005)

    def test_a_service_hook_is_taken_with_its_password_only_and_tells_each_change_once(self):
        number = self.azure.control_job()["id"]
        body = json.dumps({"eventType": "ms.vss-pipelines.job-state-changed-event", "resource": {}})
        forged = self.host.ask("source/delivery", {"headers": {"authorization": "Basic eDp5"}, "body": body})
        self.assertEqual((forged["accepted"], forged["jobs"]), (False, []))
        right = {"authorization": "Basic " + base64.b64encode(b"runnerhub:s3cret").decode()}
        taken = self.host.ask("source/delivery", {"headers": right, "body": body})
        self.assertEqual([(job["id"], job["transition"]) for job in taken["jobs"]], [(number, f"{number}/queued")])
        self.assertEqual(self.host.ask("source/delivery", {"headers": right, "body": body})["jobs"], [])

    def test_a_run_is_cancelled_and_code_of_a_fork_is_said_to_be(self):
        number = self.azure.control_job(fork=True)["id"]
        job = self.host.hears(lambda job: job["id"] == number)
        self.assertNotEqual(job["headRepository"], job["repository"]["id"])
        self.host.ask("source/cancel", {"run": job["run"], "repository": "shop"})
        self.assertEqual(self.host.hears(lambda job: job["id"] == number and job["status"] == "completed")["conclusion"], "cancelled")

    def test_refusals_of_azure_become_those_of_the_protocol(self):
        number = self.azure.control_job()["id"]
        job = self.host.hears(lambda job: job["id"] == number)
        for status, code, data in [(401, -32004, None), (429, -32006, {"retryAfter": 7}), (503, -32003, None), (404, -32001, None)]:
            with self.subTest(status=status):
                self.azure.control_fault("POST .*/agents$", status, headers={"Retry-After": "7"} if status == 429 else None)
                with self.assertRaises(Refusal) as refusal:
                    self.register(job)
                self.assertEqual((refusal.exception.code, refusal.exception.data), (code, data))


if __name__ == "__main__":
    unittest.main()
