"""For test_email.yaml: an SMTP server that takes every message. Needs Debian's python3-aiosmtpd."""

import os
import signal

from aiosmtpd.controller import Controller
from aiosmtpd.handlers import Sink

Controller(Sink(), hostname="127.0.0.1", port=int(os.environ["PORT"])).start()
signal.pause()
