import glob
import json
import os
import resource
import unittest

from harness import PluginCase


def event(number, text="x"):
    return {"id": number, "kind": "job", "at": "2026-11-26T09:14:02.000Z", "action": "queued", "subject": str(number), "text": text, "details": {}}


class JSONLinesTests(PluginCase):
    plugin, command = "json-lines", ["lua5.4", "json-lines.lua"]

    def setUp(self):
        super().setUp()
        self.file = os.path.join(self.directory, "events.jsonl")

    @staticmethod
    def tell(plugin, *numbers, missed=0, text="x"):
        return plugin.call("observer/events", {"events": [event(number, text) for number in numbers], "missed": missed})

    def lines(self, path=None):
        with open(path or self.file, encoding="utf-8") as file:
            return [json.loads(line) for line in file]

    def ids(self, path=None):
        return [line["id"] for line in self.lines(path)]

    def test_each_event_is_a_line_as_it_was_told(self):
        plugin = self.run_plugin({})
        text = 'ü "quoted" \\ \x1f\x7f \u2028 😀 </script>'
        self.assertEqual(self.tell(plugin, 20000000001, 20000000002, text=text), {})
        self.assertEqual(self.lines(), [event(20000000001, text), event(20000000002, text)])
        self.assertEqual(plugin.call("health"), {"status": "ok"})
        self.assertEqual(plugin.end(), 0)

    def test_nothing_is_doubled_by_a_repetition_or_a_restart(self):
        plugin = self.run_plugin({})
        self.tell(plugin, 1, 2)
        self.tell(plugin, 1, 2)
        plugin.kill()
        plugin = self.run_plugin({})
        self.tell(plugin, 1, 2)
        self.tell(plugin, 2, 3)
        self.assertEqual(self.ids(), [1, 2, 3])

    def test_a_line_that_a_crash_cut_off_is_written_anew(self):
        for torn in ['{"id":3,"kind":"jo', "\x00\x00", '{"id":3}']:
            with self.subTest(torn=torn):
                plugin = self.run_plugin({})
                self.tell(plugin, 1, 2)
                plugin.kill()
                with open(self.file, "a", encoding="utf-8") as file:
                    file.write(torn)
                self.tell(self.run_plugin({}), 3)
                self.assertEqual(self.ids(), [1, 2, 3])
                os.remove(self.file)

    def test_a_file_that_is_nothing_but_a_torn_line_begins_anew(self):
        with open(self.file, "w", encoding="utf-8") as file:
            file.write('{"id":' + "1" * 200_000)
        self.tell(self.run_plugin({}), 1)
        self.assertEqual(self.ids(), [1])

    def test_what_was_missed_is_a_line_too(self):
        plugin = self.run_plugin({})
        self.tell(plugin, 1)
        self.tell(plugin, 9, missed=7)
        self.assertEqual([(line["kind"], line.get("missed")) for line in self.lines()], [("job", None), ("missed", 7), ("job", None)])

    def test_the_file_is_rotated_by_size_so_many_are_kept_and_none_is_doubled_across(self):
        configuration = {"maximum-bytes": 4096, "keep": 2}
        plugin = self.run_plugin(configuration)
        for number in range(1, 41):
            self.tell(plugin, number, text="x" * 500)
        self.assertEqual(sorted(os.path.basename(path) for path in glob.glob(self.file + "*")), ["events.jsonl", "events.jsonl.1", "events.jsonl.2"])
        told = self.ids(self.file + ".2") + self.ids(self.file + ".1") + self.ids()
        self.assertEqual(told, list(range(told[0], 41)))
        self.assertTrue(all(os.path.getsize(path) <= 4096 for path in glob.glob(self.file + "*")))
        plugin.kill()
        # A crash between a rotation and the first line of the new file.
        os.rename(self.file, self.file + ".1")
        plugin = self.run_plugin(configuration)
        self.tell(plugin, 40, text="x")
        self.assertEqual(self.ids(), [])

    def test_a_disk_that_takes_no_more_is_told_and_the_batch_is_whole_once_it_does(self):
        plugin = self.run_plugin({"sync": "never"})
        self.tell(plugin, 1)
        limit = os.path.getsize(self.file) + 100
        resource.prlimit(plugin._process.pid, resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))
        self.refused(-32003, lambda: self.tell(plugin, 2, 3, text="x" * 5000))
        resource.prlimit(plugin._process.pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        self.tell(plugin, 2, 3, text="x" * 5000)
        self.assertEqual(self.ids(), [1, 2, 3])

    def test_the_file_is_where_it_may_be_and_nowhere_else(self):
        granted = os.path.join(self.directory, "granted")
        os.mkdir(granted)
        plugin = self.run_plugin({"file": granted + "/log"}, ["write:" + granted])
        self.tell(plugin, 1)
        self.assertEqual(self.ids(granted + "/log"), [1])
        for file, abilities in [
                (granted + "/log", []), (granted + "x/log", ["write:" + granted]), ("../log", []), (granted + "/../log", ["write:" + granted]),
                ("a\nb", []), ("nofolder/log", [])]:
            with self.subTest(file=file):
                self.refused(-32602, lambda file=file, abilities=abilities: self.run_plugin().initialize({"file": file}, abilities))

    def test_what_is_no_message_is_refused_and_the_plugin_goes_on(self):
        plugin = self.run_plugin({})
        for data in [b"{", b"[1,2", b'"\\ud800"x', b"\xff", b'{"a":01e}', b"[" * 200]:
            plugin.say(data)
            self.assertEqual(plugin.hear()["error"]["code"], -32700, data)
        for parameters in [{"events": 1}, {"events": [1]}, {"events": [{"id": "x"}]}, {"events": [], "missed": "x"}]:
            self.refused(-32602, lambda parameters=parameters: plugin.call("observer/events", parameters))
        self.refused(-32601, lambda: plugin.call("notifier/notify"))
        self.tell(plugin, 1)
        self.assertEqual(self.ids(), [1])


if __name__ == "__main__":
    unittest.main()
