import json
import threading
import unittest

from host import Host, Refusal
from jenkins import TOKEN, USER, Jenkins


class JenkinsTests(unittest.TestCase):
    def setUp(self):
        self.jenkins = Jenkins()
        self.host = Host("jenkins", "jenkins.py", {
            "url": self.jenkins.url, "user": USER, "token": TOKEN, "labels": ["linux", "docker"], "poll-seconds": 0.1, "command": ["./agent"]})

    def tearDown(self):
        self.host.close()
        self.jenkins.close()

    def register(self, job, name="rh-1"):
        return self.host.ask("source/register", {
            "name": name, "scope": "controller", "labels": job["labels"],
            "job": {"id": job["id"], "run": job["run"], "name": job["name"], "repository": job["repository"]["name"], "labels": job["labels"]}})

    def test_a_build_waits_runs_and_ends_and_its_agent_ends_with_the_node(self):
        number = self.jenkins.control_job("shop", ["linux", "docker"], "echo built")["id"]
        job = self.host.hears(lambda job: job["id"] == number and job["status"] == "queued")
        self.assertEqual((sorted(job["labels"]), job["scope"], job["repository"]["name"]), (["docker", "linux"], "controller", "shop"))
        registration = self.register(job)
        secret = self.jenkins.agents["rh-1"]["secret"]
        self.assertNotIn(secret, json.dumps(registration["command"]))
        self.assertEqual([(file["path"], file["mode"]) for file in registration["files"]], [("agent-secret", 0o600)])
        results = []
        runner = threading.Thread(target=lambda: results.append(self.host.run_runner(registration, "jenkins")))
        runner.start()
        ended = self.host.hears(lambda job: job["id"] == number and job["status"] == "completed")
        self.assertEqual((ended["conclusion"], ended["runner"]), ("success", "rh-1"))
        self.host.ask("source/report", {"job": {"id": number, "name": "x", "commit": ""}, "repository": "shop", "status": "completed",
                                        "conclusion": "success", "title": "Success in 1 s", "summary": ""})
        self.assertEqual(self.jenkins.control_state()["jobs"][str(number)]["description"], "RunnerHub: Success in 1 s")
        wish = {"id": registration["id"], "scope": "controller", "repository": "shop"}
        self.assertEqual(self.host.ask("source/remove", wish), {"outcome": "removed"})
        runner.join(10)
        self.assertEqual(results[0].returncode, 0, results[0].stdout)
        self.assertEqual(self.host.ask("source/remove", wish), {"outcome": "absent"})

    def test_an_agent_gets_one_build(self):
        first = self.jenkins.control_job("shop", ["linux"], "sleep 0.5")["id"]
        job = self.host.hears(lambda job: job["id"] == first)
        registration = self.register(job)
        runner = threading.Thread(target=lambda: self.host.run_runner(registration, "jenkins"))
        runner.start()
        self.host.hears(lambda job: job["id"] == first and job["status"] == "in_progress")
        self.assertEqual(self.host.ask("source/remove", {"name": "rh-1", "scope": "controller", "repository": "shop"}), {"outcome": "busy"})
        second = self.jenkins.control_job("shop", ["linux"])["id"]
        self.host.hears(lambda job: job["id"] == first and job["status"] == "completed")
        self.assertEqual(self.host.ask("source/job", {"id": second, "repository": "shop"})["job"]["status"], "queued")
        self.assertEqual(self.host.ask("source/remove", {"name": "rh-1", "scope": "controller", "repository": "shop"}), {"outcome": "removed"})
        runner.join(10)

    def test_a_name_that_is_taken_is_said_to_exist(self):
        job = self.host.hears(lambda job, number=self.jenkins.control_job("shop", ["linux"])["id"]: job["id"] == number)
        self.register(job)
        with self.assertRaises(Refusal) as refusal:
            self.register(job)
        self.assertEqual(refusal.exception.code, -32005)

    def test_other_expressions_and_labels_are_left_to_jenkins(self):
        self.jenkins.control_job("shop", ["linux||windows"])
        self.jenkins.control_job("shop", ["mac"])
        number = self.jenkins.control_job("shop", ["linux"])["id"]
        self.assertEqual([job["id"] for job in self.host.ask("source/open", {})["jobs"]], [number])

    def test_what_waits_is_cancelled(self):
        number = self.jenkins.control_job("shop", ["linux"])["id"]
        self.host.hears(lambda job: job["id"] == number)
        self.host.ask("source/cancel", {"run": number, "repository": "shop"})
        self.assertEqual(self.host.hears(lambda job: job["id"] == number and job["status"] == "completed")["conclusion"], "cancelled")

    def test_trouble_of_jenkins_is_said_by_the_health(self):
        self.jenkins.control_fault("GET /queue/api/json", 503, times=10_000)
        self.host.jobs.clear()
        for _ in range(100):
            health = self.host.ask("health", {})
            if health["status"] != "ok":
                break
            threading.Event().wait(0.05)
        self.assertEqual(health["status"], "degraded")
        self.assertIn("503", health["detail"])


if __name__ == "__main__":
    unittest.main()
