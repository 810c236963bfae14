"""RunnerHub's plugin protocol, version 1, over standard input and output."""

import json
import sys
import threading

FAILED, NOT_FOUND, INVALID, UNAVAILABLE, FORBIDDEN, THROTTLED = -32000, -32001, -32002, -32003, -32004, -32006
PARSE, METHOD_NOT_FOUND, INVALID_PARAMETERS, INTERNAL = -32700, -32601, -32602, -32603


class Failure(Exception):
    """What a request is answered with instead of a result."""

    def __init__(self, code, message, data=None):
        super().__init__(message)
        self.code, self.message, self.data = code, message, data


def log(text):
    """One entry of the plugin's log."""
    print(" ".join(str(text).split()), file=sys.stderr, flush=True)


def need(parameters, name, kind):
    """A member of the parameters, of one type."""
    value = parameters.get(name) if isinstance(parameters, dict) else None
    if not isinstance(value, kind):
        raise Failure(INVALID_PARAMETERS, f"'{name}' is missing or of another type")
    return value


class Plugin:
    """Answers requests, each in a thread of its own, until standard input ends."""

    version = "1.0.0"

    def __init__(self):
        self.__output = threading.Lock()

    # What a plugin overrides.

    def start(self, configuration, parameters):
        """Called once, by `initialize`."""

    def health(self):
        return {"status": "ok"}

    def methods(self):
        """The requests of its kind, by name."""
        return {}

    # The protocol.

    def run(self):
        threads = []
        for line in sys.stdin.buffer:
            threads = [thread for thread in threads if thread.is_alive()]
            try:
                message = json.loads(line)
            except (ValueError, RecursionError) as error:
                self.__send({"id": None, "error": {"code": PARSE, "message": str(error)}})
                continue
            if not isinstance(message, dict) or "method" not in message or "id" not in message:
                continue  # A notification or an answer: this plugin waits for none.
            if message["method"] == "shutdown":
                for thread in threads:
                    thread.join()
                self.__send({"id": message["id"], "result": {}})
                continue
            thread = threading.Thread(target=self.__answer, args=(message,), daemon=True)
            thread.start()
            threads.append(thread)
            if message["method"] == "initialize":
                thread.join()
        for thread in threads:
            thread.join()

    def __answer(self, message):
        try:
            result = self.__result(message["method"], message.get("params") or {})
            self.__send({"id": message["id"], "result": result})
        except Failure as failure:
            error = {"code": failure.code, "message": failure.message}
            if failure.data is not None:
                error["data"] = failure.data
            self.__send({"id": message["id"], "error": error})
        except Exception as error:  # A defect: told to the host and the log, without values, which may be secret.
            log(f"{message['method']}: {type(error).__name__} in line {error.__traceback__.tb_lineno}")
            self.__send({"id": message["id"], "error": {"code": INTERNAL, "message": f"a defect: {type(error).__name__}"}})

    def __result(self, method, parameters):
        if method == "initialize":
            if "1" not in need(parameters, "protocolVersions", list):
                raise Failure(INVALID, "this plugin speaks version 1 of the protocol only")
            self.start(need(parameters, "configuration", dict), parameters)
            return {"protocolVersion": "1", "version": self.version}
        if method == "health":
            return self.health()
        handler = self.methods().get(method)
        if handler is None:
            raise Failure(METHOD_NOT_FOUND, f"no method {method!r}")
        return handler(parameters)

    def __send(self, message):
        data = json.dumps({"jsonrpc": "2.0", **message}, ensure_ascii=False, separators=(",", ":")).encode()
        with self.__output:
            sys.stdout.buffer.write(data + b"\n")
            sys.stdout.buffer.flush()
