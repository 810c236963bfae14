import Domain
import Foundation
import JSON
import Plugins
import RunnerHub
import Testing

@testable import Command

@Suite("Configuration: plugins")
struct PluginConfigurationTests {
  @Test("a plugin's section becomes its plan: grants, bounds, and its own settings as JSON with their places")
  func plan() throws {
    let file = """
      plugins:
        directory: /srv/plugins
        slack:
          grant: [network, "events:alert"]
          memory: 64m
          processes: 8
          total-memory: 1g
          disk: 100m
          configuration:
            channel: "#builds"
            tries: 3
            ratio: 0.5
            quoted: "3"
            on: true
            nothing: ~
            list:
              - a/b: 1
        vault: { enabled: false }
      """
    let configuration = try Given(file).configuration()
    #expect(configuration.pluginsFolder.path == "/srv/plugins")
    let plugins = configuration.plugins
    #expect(plugins.map(\.name) == ["slack", "vault"])
    #expect(plugins.map(\.isEnabled) == [true, false])
    let slack = try #require(plugins.first)
    #expect(slack.grants == [.network, .events(.alert)])
    #expect(slack.bounds.memory == ByteCount(mebibytes: 64) && slack.bounds.processes == 8)
    #expect(slack.bounds.totalMemory == ByteCount(gibibytes: 1) && slack.bounds.disk == ByteCount(mebibytes: 100))
    #expect(slack.place == "runnerhub.yaml:3:3")
    #expect(
      slack.configuration
        == .object([
          "channel": .string("#builds"), "tries": .integer(3), "ratio": .number(0.5), "quoted": .string("3"), "on": .bool(true),
          "nothing": .null,
          "list": .array([.object(["a/b": .integer(1)])]),
        ]))
    #expect(slack.place(of: "/tries") == "runnerhub.yaml:11:7")
    #expect(slack.place(of: "/list/0/a~1b") == "runnerhub.yaml:17:11")
    // Of what is missing: where it would be.
    #expect(slack.place(of: "/list/0/none") == "runnerhub.yaml:17:11")
  }

  @Test("all processes together may have what one of them may, where nothing else is said")
  func totalMemory() throws {
    let file = "plugins: { a: { memory: 4g }, b: { memory: 64m }, c: { memory: 4g, total-memory: 3g } }"
    let totals = try Given(file).configuration().plugins.map(\.bounds.totalMemory)
    #expect(totals == [4, 2, 3].map { ByteCount(gibibytes: $0) })
  }

  @Test("values of a plugin's own settings are never shown: they may be secrets")
  func disclosure() throws {
    let configuration = try Given("plugins: { slack: { configuration: { token: xoxb-1, channel: c } } }").configuration()
    #expect(configuration.shown.first { $0.path == "plugins.slack.configuration" }?.value == "{channel, token}")
    #expect(!configuration.description.contains("xoxb-1"))
  }

  @Test(
    "what is wrong has its place and, where there is one, the nearest valid thing",
    arguments: [
      ("plugins: { slack: { grnt: [] } }", "unknown key plugins.slack.grnt (runnerhub.yaml:1:21) – did you mean 'grant'?"),
      (
        "plugins: { Slack: {} }",
        "\"Slack\" is no name for one of plugins (runnerhub.yaml:1:12): expected lower-case letters, digits and -, at most 32"
      ),
      (
        "plugins: { slack: { grant: [netwrk] } }",
        "plugins.slack.grant (runnerhub.yaml:1:28): 'netwrk' is no ability: expected network, environment:NAME, read:/PATH, write:/PATH, events:KIND, jobs; did you mean 'network'?"
      ),
      (
        "plugins: { slack: { grant: ['read:etc'] } }",
        "plugins.slack.grant (runnerhub.yaml:1:28): 'etc' must be an absolute path without . and .., such as read:/srv/reports"
      ),
      (
        "plugins: { slack: { configuration: 3 } }",
        "plugins.slack.configuration is no mapping (runnerhub.yaml:1:36): expected keys and values"
      ),
      (
        "plugins: { slack: { processes: 0 } }",
        "plugins.slack.processes is \"0\" (runnerhub.yaml:1:32): expected a whole number from 1 to 4096"
      ),
    ])
  func problems(file: String, problem: String) {
    #expect(Given(file).problems == [problem])
  }

  @Test("`plugin check` says what keeps a plugin from being started, and how to mend it")
  func check() throws {
    let folder = FileManager.default.temporaryDirectory.appending(path: "check-\(UUID().uuidString)/pager")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { #expect(throws: Never.self) { try FileManager.default.removeItem(at: folder.deletingLastPathComponent()) } }
    func write(_ manifest: String) throws { try Data(manifest.utf8).write(to: folder.appending(path: "plugin.yaml")) }

    try write("name: pager\nversion: 1.0\nkind: notifer\nsumary: x\ncommand: [python3, ./pager.py]\n")
    let faulty = try Binary.run(["plugin", "check", folder.path])
    #expect(faulty.status == 1)
    for part in [
      "plugin.yaml:4:1: unknown key 'sumary'; did you mean 'summary'?", "plugin.yaml:2:10: version must be a text",
      "plugin.yaml:1:1: 'summary' is missing",
      "plugin.yaml:3:7: kind must be one of", "did you mean 'notifier'?",
    ] { #expect(faulty.output.contains(part), "\(part) in \(faulty.output)") }

    try write("name: pager\nversion: \"1.0\"\nkind: notifier\nsummary: Pages.\ncommand: [python3, ./pager.py]\nabilities: [network]\n")
    let plain = try Binary.run(["plugin", "check", folder.path])
    #expect(plain.status == 0 && plain.output.contains("      grant: [network]"), "\(plain)")
    let file = "webhooks: { listen: '127.0.0.1:1' }\nplugins: { pager: { grant: [] } }\n"
    let ungranted = try Binary.run(["plugin", "check", folder.path], files: ["runnerhub.yaml": file])
    #expect(ungranted.status == 1)
    #expect(
      ungranted.output.contains(
        "runnerhub.yaml:2:12: pager asks for network, which it is not granted: write plugins.pager.grant: [network]"),
      "\(ungranted.output)")
    let granted = try Binary.run(
      ["plugin", "check", folder.path], files: ["runnerhub.yaml": file.replacing("[]", with: "[network]")])
    #expect(granted.status == 0 && granted.output.contains("grants         enough"), "\(granted)")
  }
}
