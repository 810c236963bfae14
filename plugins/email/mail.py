#!/usr/bin/env python3
"""Tells people of alerts by e-mail, over SMTP (RFC 5321), with STARTTLS (RFC 3207) or TLS from the start (RFC 8314)."""

import smtplib
import ssl
from datetime import datetime, timezone
from email.message import EmailMessage
from email.utils import format_datetime

from protocol import FORBIDDEN, INVALID, INVALID_PARAMETERS, UNAVAILABLE, Failure, Plugin, log, need

PORTS = {"starttls": 587, "tls": 465, "none": 25}
TIMEOUT = 20


def line(text, limit):
    """One line without control characters: a header cannot be begun by what an alert says."""
    return " ".join("".join(character if character.isprintable() else " " for character in str(text)).split())[:limit]


def identity(alert, event, sender):
    """The same for each repetition, so that a reader's program shows it once."""
    name = "".join(character for character in alert["id"] if character.isascii() and character.isalnum())[:64]
    return f"<runnerhub.{name}.{event}@{sender.rpartition('@')[2]}>"


def message(event, alert, url, settings):
    is_over = event == "resolved"
    severity, title = line(alert.get("severity", "warning"), 20), line(alert.get("title", "alert"), 200)
    mail = EmailMessage()
    mail["Subject"] = line(f"{settings['prefix']} {'resolved' if is_over else severity}: {title}", 250)
    mail["From"], mail["To"] = settings["from"], ", ".join(settings["to"])
    mail["Date"] = format_datetime(moment(alert.get("resolvedAt" if is_over else "raisedAt")))
    mail["Message-ID"] = identity(alert, event, settings["from"])
    if is_over:
        mail["In-Reply-To"] = mail["References"] = identity(alert, "raised", settings["from"])
    # RFC 3834: no out-of-office answers to a machine.
    mail["Auto-Submitted"] = "auto-generated"
    mail["X-RunnerHub-Alert"] = line(alert.get("key", ""), 200)
    if severity == "critical" and not is_over:
        mail["Importance"] = "high"
    rows = [title, "", str(alert.get("text", ""))[:10_000], "", f"Severity: {severity}", f"Key: {line(alert.get('key', ''), 200)}"]
    rows += [f"Raised: {line(alert.get('raisedAt', ''), 40)}"]
    rows += [f"Resolved: {line(alert.get('resolvedAt', ''), 40)}"] if is_over else []
    rows += ["", line(url, 500)] if url else []
    mail.set_content("\n".join(rows) + "\n")
    return mail


def moment(text):
    try:
        return datetime.fromisoformat(str(text).replace("Z", "+00:00"))
    except ValueError:
        return datetime.now(timezone.utc)


class Mail(Plugin):
    def start(self, configuration, parameters):
        self._settings = {"security": "starttls", "prefix": "[RunnerHub]", **configuration}
        security = self._settings["security"]
        for address in [self._settings["from"], *self._settings["to"]]:
            if any(character.isspace() or not character.isprintable() for character in address) or "@" not in address:
                raise Failure(INVALID_PARAMETERS, f"{line(address, 100)!r} is no address")
        if security == "none" and "password" in configuration:
            raise Failure(INVALID_PARAMETERS, "security is none: a password would be sent in the clear; set starttls or tls, or leave it out")
        if ("password" in configuration) != ("username" in configuration):
            raise Failure(INVALID_PARAMETERS, "username and password come together")
        try:
            self._tls = ssl.create_default_context(cafile=configuration.get("ca-file"))
        except (OSError, ssl.SSLError) as error:
            raise Failure(INVALID_PARAMETERS, f"ca-file cannot be read: {error}") from None

    def methods(self):
        return {"notifier/notify": self.notify}

    def notify(self, parameters):
        event, alert = need(parameters, "event", str), need(parameters, "alert", dict)
        if event not in ("raised", "resolved"):
            raise Failure(INVALID_PARAMETERS, "'event' is neither raised nor resolved")
        need(alert, "id", str)
        self._deliver(message(event, alert, parameters.get("url"), self._settings))
        return {}

    def _deliver(self, mail):
        try:
            with self._connected() as server:
                if "username" in self._settings:
                    server.login(self._settings["username"], self._settings["password"])
                for address, (code, _) in server.send_message(mail, self._settings["from"], self._settings["to"]).items():
                    log(f"the server refused {address} with {code}; the others were told")
        except smtplib.SMTPAuthenticationError as error:
            raise Failure(FORBIDDEN if error.smtp_code >= 500 else UNAVAILABLE, f"the server refused the log-in ({error.smtp_code})") from None
        except smtplib.SMTPNotSupportedError as error:
            raise Failure(INVALID, f"the server lacks what is needed: {line(error, 200)}") from None
        except smtplib.SMTPRecipientsRefused as error:
            raise refusal("every recipient", max(code for code, _ in error.recipients.values())) from None
        except smtplib.SMTPResponseException as error:
            raise refusal(f"the message: {line(error.smtp_error.decode(errors='replace'), 200)}", error.smtp_code) from None
        except ssl.SSLCertVerificationError as error:
            raise Failure(INVALID, f"the server's certificate is not trusted: {error.verify_message}") from None
        except (smtplib.SMTPException, OSError) as error:
            raise Failure(UNAVAILABLE, f"the SMTP server cannot be used now: {type(error).__name__}: {line(error, 200)}") from None

    def _connected(self):
        settings, security = self._settings, self._settings["security"]
        port = settings.get("port", PORTS[security])
        if security == "tls":
            return smtplib.SMTP_SSL(settings["host"], port, timeout=TIMEOUT, context=self._tls)
        server = smtplib.SMTP(settings["host"], port, timeout=TIMEOUT)
        if security == "starttls":
            try:
                server.starttls(context=self._tls)
            except BaseException:
                server.close()
                raise
        return server


def refusal(what, code):
    """4xx may pass, 5xx will not (RFC 5321, 4.2.1)."""
    return Failure(UNAVAILABLE if 400 <= code < 500 else INVALID, f"the server refused {what} ({code})")


if __name__ == "__main__":
    Mail().run()
