#!/usr/bin/env python3
"""NAME: keeps secrets that the configuration names."""

from protocol import NOT_FOUND, Failure, Plugin, need


class Secrets(Plugin):
    def start(self, configuration, parameters):
        self.values = configuration["values"]

    def methods(self):
        return {"secrets/read": self.read}

    def read(self, parameters):
        path, field = need(parameters, "path", str), parameters.get("field")
        value = self.find(path if field is None else f"{path}#{field}")
        if value is None:
            raise Failure(NOT_FOUND, "there is no such secret")
        return {"value": value}

    def find(self, name):
        # YOUR CODE: ask your vault. This looks into the plugin's own configuration.
        return self.values.get(name)


Secrets().run()
