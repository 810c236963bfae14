#!/usr/bin/env python3
"""NAME: is told what happens."""

import json
import os
import threading

from protocol import Plugin, log, need


class Observer(Plugin):
    def start(self, configuration, parameters):
        self.file = os.path.join(parameters["directory"], "events.jsonl")
        self.last = 0
        self.lock = threading.Lock()

    def methods(self):
        return {"observer/events": self.take}

    def take(self, parameters):
        events, missed = need(parameters, "events", list), need(parameters, "missed", int)
        if missed:
            log(f"{missed} events were missed: this observer is too slow for them")
        with self.lock:
            # Events come in order and at least once: what is not newer than the last is a repetition.
            fresh = [event for event in events if need(event, "id", int) > self.last]
            self.keep(fresh)
            if fresh:
                self.last = fresh[-1]["id"]
        return {}

    def keep(self, events):
        # YOUR CODE: make something of the events. This appends them to a file of the plugin's own directory.
        with open(self.file, "a", encoding="utf-8") as file:
            for event in events:
                file.write(json.dumps(event, ensure_ascii=False) + "\n")


Observer().run()
