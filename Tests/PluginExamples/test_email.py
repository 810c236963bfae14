import email
import email.policy
import ssl
import unittest

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult

from harness import PluginCase, certificate

ALERT = {
    "id": "4f1d", "key": "component/engine", "severity": "critical", "title": "The engine does not work", "text": "no host\n.\nü",
    "raisedAt": "2026-11-26T09:14:02.000Z"}


class Box:
    """Keeps what comes, or refuses it."""

    def __init__(self):
        self.mails, self.refusals, self.recipients = [], {}, None

    async def handle_RCPT(self, server, session, envelope, address, options):
        if address in self.refusals:
            return self.refusals[address]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        if "data" in self.refusals:
            return self.refusals["data"]
        self.recipients = list(envelope.rcpt_tos)
        self.mails.append((session.ssl is not None, session.auth_data, email.message_from_bytes(envelope.content, policy=email.policy.default)))
        return "250 OK"


class Server(Controller):
    """A real SMTP server on a port of its own."""

    def __init__(self, box, implicit=None, **options):
        self._options = options
        super().__init__(box, hostname="127.0.0.1", port=0, ssl_context=implicit)

    def factory(self):
        return SMTP(self.handler, hostname="localhost", **self._options)

    def _trigger_server(self):
        self.port = self.server.sockets[0].getsockname()[1]
        super()._trigger_server()


class EmailTests(PluginCase):
    plugin, command = "email", ["python3", "mail.py"]

    def setUp(self):
        super().setUp()
        self.box = Box()
        self.pem, self.ca = certificate(self.directory)
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(self.pem)

    def server(self, **options):
        server = Server(self.box, **options)
        server.start()
        self.addCleanup(server.stop)
        return server

    def started(self, server, **configuration):
        return self.run_plugin({
            "host": "localhost", "port": server.port, "from": "hub@acme.example", "to": ["ops@acme.example", "lead@acme.example"], **configuration})

    @staticmethod
    def check(server, session, envelope, mechanism, data):
        return AuthResult(success=(data.login, data.password) == (b"hub", b"secret word"), handled=False, auth_data=data.login)

    def notify(self, plugin, event="raised", **changes):
        return plugin.call("notifier/notify", {"event": event, "alert": {**ALERT, **changes}, "url": "https://hub.example/"})

    def test_an_alert_arrives_over_starttls_after_a_log_in(self):
        server = self.server(tls_context=self.context, require_starttls=True, authenticator=self.check, auth_required=True)
        plugin = self.started(server, username="hub", password="secret word", **{"ca-file": self.ca})
        self.notify(plugin)
        (is_secure, user, mail), = self.box.mails
        self.assertTrue(is_secure)
        self.assertEqual(user, b"hub")
        self.assertEqual(self.box.recipients, ["ops@acme.example", "lead@acme.example"])
        self.assertEqual(mail["Subject"], "[RunnerHub] critical: The engine does not work")
        self.assertEqual((mail["From"], mail["To"]), ("hub@acme.example", "ops@acme.example, lead@acme.example"))
        self.assertEqual(mail["Message-ID"], "<runnerhub.4f1d.raised@acme.example>")
        self.assertEqual(mail["Date"].datetime.isoformat(), "2026-11-26T09:14:02+00:00")
        self.assertEqual(mail["Auto-Submitted"], "auto-generated")
        self.assertIn("no host\r\n.\r\nü\r\n", mail.get_content())
        self.assertIn("https://hub.example/", mail.get_content())
        self.assertEqual(plugin.end(), 0)

    def test_it_arrives_over_tls_from_the_first_byte(self):
        plugin = self.started(self.server(implicit=self.context), security="tls", **{"ca-file": self.ca})
        self.notify(plugin)
        self.assertEqual(len(self.box.mails), 1)

    def test_repetitions_have_one_identity_and_the_end_belongs_to_its_beginning(self):
        plugin = self.started(self.server(), security="none")
        self.notify(plugin)
        self.notify(plugin)
        self.notify(plugin, "resolved", resolvedAt="2026-11-26T09:20:00Z")
        first, again, end = (mail for _, _, mail in self.box.mails)
        self.assertEqual(first["Message-ID"], again["Message-ID"])
        self.assertNotEqual(end["Message-ID"], first["Message-ID"])
        self.assertEqual((end["In-Reply-To"], end["References"]), (first["Message-ID"], first["Message-ID"]))
        self.assertEqual(end["Subject"], "[RunnerHub] resolved: The engine does not work")

    def test_what_an_alert_says_begins_no_header_and_no_other_message(self):
        plugin = self.started(self.server(), security="none")
        evil = "x\r\nBcc: all@acme.example\r\n\r\nbody\r\n.\r\nMAIL FROM:<a@b>"
        self.notify(plugin, title=evil, key=evil, severity=evil, id="4f>\r\nX: y", text=evil, raisedAt=evil)
        (_, _, mail), = self.box.mails
        self.assertEqual(self.box.recipients, ["ops@acme.example", "lead@acme.example"])
        self.assertIsNone(mail["Bcc"])
        self.assertIsNone(mail["X"])
        self.assertEqual(mail["Message-ID"], "<runnerhub.4fXy.raised@acme.example>")
        self.assertIn("MAIL FROM:<a@b>", mail.get_content())

    def test_what_may_pass_is_tried_again_and_what_will_not_is_not(self):
        plugin = self.started(self.server(), security="none")
        for answer, code in [("451 try later", -32003), ("554 spam", -32002), ("552 too large\r\n", -32002)]:
            self.box.refusals = {"data": answer}
            self.refused(code, lambda: self.notify(plugin))
        self.box.refusals = dict.fromkeys(["ops@acme.example", "lead@acme.example"], "450 busy")
        self.refused(-32003, lambda: self.notify(plugin))
        self.box.refusals = dict.fromkeys(["ops@acme.example", "lead@acme.example"], "550 no such user")
        self.refused(-32002, lambda: self.notify(plugin))
        self.box.refusals = {"lead@acme.example": "550 no such user"}
        self.notify(plugin)
        self.assertEqual(self.box.recipients, ["ops@acme.example"])
        self.assertEqual(plugin.end(), 0)
        self.assertIn("lead@acme.example", "".join(plugin.log))

    def test_a_wrong_password_is_forbidden_and_shown_nowhere(self):
        server = self.server(tls_context=self.context, require_starttls=True, authenticator=self.check, auth_required=True)
        plugin = self.started(server, username="hub", password="wrong word", **{"ca-file": self.ca})
        refusal = self.refused(-32004, lambda: self.notify(plugin))
        self.assertNotIn("wrong word", refusal.message + "".join(plugin.log))

    def test_a_certificate_of_nobody_and_a_server_without_tls_are_not_trusted(self):
        plugin = self.started(self.server(implicit=self.context), security="tls")
        self.refused(-32002, lambda: self.notify(plugin))
        plugin = self.started(self.server())
        self.refused(-32002, lambda: self.notify(plugin))
        self.assertEqual(self.box.mails, [])

    def test_where_nobody_listens_it_is_tried_again(self):
        server = self.server()
        plugin = self.started(server, security="none", port=1)
        self.refused(-32003, lambda: self.notify(plugin))

    def test_a_configuration_that_would_show_a_password_or_has_no_address_is_refused(self):
        base = {"host": "localhost", "from": "hub@acme.example", "to": ["ops@acme.example"]}
        for wrong in [
                {"security": "none", "username": "u", "password": "p"}, {"username": "u"}, {"from": "hub@acme.example\r\nBcc: x@y"},
                {"to": ["a b@c"]}, {"ca-file": "/nonexistent"}]:
            with self.subTest(wrong=wrong):
                self.refused(-32602, lambda wrong=wrong: self.run_plugin().initialize({**base, **wrong}))


if __name__ == "__main__":
    unittest.main()
