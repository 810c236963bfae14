#!/usr/bin/env python3
"""NAME: tells people of alerts."""

import os
import threading

from protocol import Plugin, need


class Notifier(Plugin):
    def start(self, configuration, parameters):
        self.prefix = configuration.get("prefix", "")
        self.file = os.path.join(parameters["directory"], "alerts.txt")
        self.told = set()
        self.lock = threading.Lock()

    def methods(self):
        return {"notifier/notify": self.notify}

    def notify(self, parameters):
        event, alert = need(parameters, "event", str), need(parameters, "alert", dict)
        key = (need(alert, "id", str), event)
        with self.lock:
            # Each alert is told at least once: its id with the event tells a repetition.
            if key not in self.told:
                self.tell(event, alert)
                self.told.add(key)
        return {}

    def tell(self, event, alert):
        # YOUR CODE: send it to where people look. This writes a line into a file of the plugin's own directory.
        with open(self.file, "a", encoding="utf-8") as file:
            file.write(f"{self.prefix}{alert['severity']} {event}: {alert['title']}\n")


Notifier().run()
