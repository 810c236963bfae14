import json
import unittest

from harness import PLUGINS, PluginCase, Server

ALERT = {
    "id": "4f1d", "key": "component/engine", "severity": "critical", "title": "The <engine> does not work", "text": "no host & <!channel>",
    "raisedAt": "2026-11-26T09:14:02.000Z"}


class SlackTests(PluginCase):
    plugin, command = "slack", ["python3", "slack.py"]

    def setUp(self):
        super().setUp()
        self.answers = []
        self.slack = Server(lambda *_: self.answers.pop(0) if self.answers else (200, {}, b"ok"))
        self.addCleanup(self.slack.close)
        self.url = f"http://127.0.0.1:{self.slack.port}/services/T0/B0/secretpart"

    def started(self, **configuration):
        return self.run_plugin({"url": self.url, **configuration})

    def told(self, index=-1):
        return json.loads(self.slack.requests[index][3])

    def test_an_alert_is_a_message_with_the_colour_of_its_severity(self):
        plugin = self.started(mention="<!here>")
        plugin.call("notifier/notify", {"event": "raised", "alert": ALERT, "url": "https://hub.example/"})
        method, path, headers, _ = self.slack.requests[0]
        self.assertEqual((method, path, headers["Content-Type"]), ("POST", "/services/T0/B0/secretpart", "application/json"))
        body = self.told()
        self.assertEqual(body["text"], "Critical: The &lt;engine&gt; does not work")
        attachment = body["attachments"][0]
        self.assertEqual(attachment["color"], "#b3261e")
        header, section, context = attachment["blocks"]
        self.assertEqual(header["text"], {"type": "plain_text", "text": "Critical: The <engine> does not work"})
        # What an alert says can address nobody; what the operator configured can.
        self.assertEqual(section["text"]["text"], "<!here> no host &amp; &lt;!channel&gt;")
        self.assertIn("<https://hub.example/|RunnerHub>", context["elements"][0]["text"])
        self.assertEqual(plugin.end(), 0)

    def test_the_end_is_told_in_green_with_how_long_it_lasted(self):
        plugin = self.started()
        plugin.call("notifier/notify", {"event": "resolved", "alert": {**ALERT, "resolvedAt": "2026-11-26T10:19:02Z"}})
        attachment = self.told()["attachments"][0]
        self.assertEqual(attachment["color"], "#1a6b35")
        self.assertIn("lasted 1 h 5 min", attachment["blocks"][-1]["elements"][0]["text"])
        self.assertTrue(self.told()["text"].startswith("Resolved: "))

    def test_a_repetition_is_not_told_again_also_after_a_restart(self):
        notify = {"event": "raised", "alert": ALERT}
        plugin = self.started()
        plugin.call("notifier/notify", notify)
        plugin.call("notifier/notify", notify)
        plugin.kill()
        self.started().call("notifier/notify", notify)
        self.assertEqual(len(self.slack.requests), 1)

    def test_what_slack_answers_is_what_the_host_is_told(self):
        cases = [
            ((429, {"Retry-After": "7"}, b"rate_limited"), -32006), ((500, {}, b"oops"), -32003), ((503, {}, b""), -32003),
            ((400, {}, b"invalid_payload"), -32002), ((403, {}, b"action_prohibited"), -32004), ((404, {}, b"no_service"), -32002),
            ((410, {}, b"channel_is_archived"), -32002), ((302, {"Location": "http://127.0.0.1:1/"}, b""), -32002)]
        plugin = self.started()
        for answer, code in cases:
            with self.subTest(answer=answer):
                self.answers = [answer]
                refusal = self.refused(code, lambda: plugin.call("notifier/notify", {"event": "raised", "alert": ALERT}))
                self.assertNotIn("secretpart", refusal.message)
                if code == -32006:
                    self.assertEqual(refusal.data, {"retryAfter": 7})
        plugin.call("notifier/notify", {"event": "raised", "alert": ALERT})

    def test_where_nobody_listens_the_host_is_to_try_again_and_the_address_stays_secret(self):
        self.slack.close()
        plugin = self.started(timeout=1)
        refusal = self.refused(-32003, lambda: plugin.call("notifier/notify", {"event": "raised", "alert": ALERT}))
        self.assertNotIn("secretpart", refusal.message + "".join(plugin.log))

    def test_what_is_no_alert_is_refused_and_the_plugin_goes_on(self):
        plugin = self.started()
        for parameters in [{}, {"event": "raised"}, {"event": 1, "alert": {}}, {"event": "raised", "alert": {"id": 3}}]:
            self.refused(-32602, lambda parameters=parameters: plugin.call("notifier/notify", parameters))
        self.refused(-32601, lambda: plugin.call("engine/create"))
        plugin.say(b"{")
        self.assertEqual(plugin.hear()["error"]["code"], -32700)
        plugin.say(b'{"jsonrpc":"2.0","method":"$/cancel","params":{"id":1}}')
        plugin.say(b"[]")
        self.assertEqual(plugin.call("health"), {"status": "ok"})

    def test_a_secret_that_is_missing_or_another_version_is_refused_at_the_start(self):
        self.refused(-32602, lambda: self.run_plugin().initialize({}))
        self.refused(-32002, lambda: self.run_plugin().call("initialize", {"protocolVersions": ["2"]}))


class CopyTests(unittest.TestCase):
    def test_the_copies_of_the_protocol_are_equal(self):
        copies = {path.read_text(encoding="utf-8") for path in PLUGINS.glob("*/protocol.py") if path.parent.name in ("slack", "email", "vault")}
        self.assertEqual(len(copies), 1)


if __name__ == "__main__":
    unittest.main()
