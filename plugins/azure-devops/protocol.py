"""RunnerHub's plugin protocol, version 1, over standard input and output.

A plugin is a folder that needs nothing else, so each plugin in Python has a copy of this file, as `runnerhub plugin new` writes it.
"""

import json
import sys
import threading

FAILED, NOT_FOUND, INVALID, UNAVAILABLE, FORBIDDEN, EXISTS, THROTTLED = -32000, -32001, -32002, -32003, -32004, -32005, -32006
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
    if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
        raise Failure(INVALID_PARAMETERS, f"'{name}' is missing or of another type")
    return value


class Plugin:
    """Answers requests, each in a thread of its own, until standard input ends."""

    version = "1.0.0"

    def __init__(self):
        self.__output = threading.Lock()
        self.__asked = {}
        self.__count = 0
        self.__ended = threading.Event()

    # What a plugin overrides.

    def start(self, configuration, parameters):
        """Called once, by `initialize`."""

    def health(self):
        return {"status": "ok"}

    def methods(self):
        """The requests of its kind, by name."""
        return {}

    # What a plugin may use, but not before `initialize` is answered.

    def request(self, method, parameters, limit=30):
        """Asks the host, and returns its result."""
        arrived = threading.Event()
        with self.__output:
            self.__count += 1
            number = f"p{self.__count}"
            self.__asked[number] = (arrived, answer := {})
        try:
            self.__send({"id": number, "method": method, "params": parameters})
            if not arrived.wait(limit) or not answer:
                raise Failure(UNAVAILABLE, f"the host did not answer {method} within {limit} s")
        finally:
            with self.__output:
                del self.__asked[number]
        if "error" in answer:
            error = answer["error"]
            raise Failure(error.get("code", FAILED), f"the host refused {method}: {error.get('message')}")
        return answer.get("result")

    def notify(self, method, parameters):
        """Tells the host something that it does not answer."""
        self.__send({"method": method, "params": parameters})

    def pause(self, seconds):
        """Waits; true: the host wants no more of this plugin, and all is over."""
        return self.__ended.wait(seconds)

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
            if not isinstance(message, dict) or "id" not in message:
                continue  # A notification.
            if "method" not in message:
                self.__take(message)
                continue
            if message["method"] == "shutdown":
                self.__end()
                for thread in threads:
                    thread.join()
                self.__send({"id": message["id"], "result": {}})
                continue
            thread = threading.Thread(target=self.__answer, args=(message,), daemon=True)
            thread.start()
            threads.append(thread)
            if message["method"] == "initialize":
                thread.join()
        self.__end()
        for thread in threads:
            thread.join()

    def __take(self, message):
        """The host's answer to a request of ours."""
        with self.__output:
            arrived, answer = self.__asked.get(message["id"], (None, None)) if isinstance(message["id"], str) else (None, None)
        if arrived and not arrived.is_set():
            answer.update(message)
            arrived.set()

    def __end(self):
        """What still waits for the host waits for nothing."""
        self.__ended.set()
        with self.__output:
            waiting = list(self.__asked.values())
        for arrived, _ in waiting:
            arrived.set()

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
