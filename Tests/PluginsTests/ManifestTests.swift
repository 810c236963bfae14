import Foundation
import JSON
import Plugins
import RunnerHub
import Testing

@Suite("plugin.yaml")
struct ManifestTests {
  private static let whole = """
    name: pager
    version: "1.2.0"
    kind: notifier
    summary: Pages people.
    command: [python3, ./pager.py]
    abilities: [network, "environment:HTTPS_PROXY", "read:/srv/keys/", "events:job"]
    concurrency: 4
    configuration:
      type: object
      properties: { url: { type: string } }
    """

  @Test("everything in it is read")
  func whole() throws {
    let manifest = try PluginManifest.read(Self.whole, name: "pager", path: "plugin.yaml")
    #expect(
      manifest
        == PluginManifest(
          name: "pager", version: "1.2.0", kind: .notifier, summary: "Pages people.", command: ["python3", "./pager.py"],
          configuration: .object(["type": .string("object"), "properties": .object(["url": .object(["type": .string("string")])])]),
          abilities: [.network, .environment("HTTPS_PROXY"), .read("/srv/keys"), .events(.job)], concurrency: 4))
    let plain = try PluginManifest.read(
      "name: a\nversion: 1.0.0\nkind: garm-provider\nsummary: x\ncommand: [/usr/bin/true]", name: "a", path: "plugin.yaml")
    #expect(plain.concurrency == 8 && plain.abilities.isEmpty && plain.configuration == nil)
  }

  @Test(
    "what is wrong has its place, and everything is told at once",
    arguments: [
      ("name: pager", "name: Pager", "plugin.yaml:1:7: name is 'Pager': expected 1 to 32 lower-case letters, digits and -"),
      ("name: pager", "name: other", "plugin.yaml:1:7: name is 'other', and the folder is called 'pager': both must be the same"),
      (
        "version: \"1.2.0\"", "version: 1.2", "plugin.yaml:2:10: version must be a text of 1 to 200 characters in quotes, such as \"1.2.0\""
      ),
      ("kind: notifier", "kind: notify", "plugin.yaml:3:7: kind must be one of notifier, observer, secrets, engine, source, garm-provider"),
      ("summary: Pages people.", "sumary: Pages people.", "plugin.yaml:4:1: unknown key 'sumary'; did you mean 'summary'?"),
      (
        "command: [python3, ./pager.py]", "command: python3",
        "plugin.yaml:5:10: command must be a list of texts such as [python3, ./plugin.py]"
      ),
      ("abilities: [network,", "abilities: [netwrok,", "plugin.yaml:6:13: 'netwrok' is no ability"),
      (
        "\"events:job\"", "\"events:jobs\"",
        "plugin.yaml:6:68: 'jobs' is no kind of event: expected job, container, alert, policy, plugin; did you mean 'job'?"
      ),
      ("\"read:/srv/keys/\"", "\"read:/srv/../etc\"", "plugin.yaml:6:49: '/srv/../etc' must be an absolute path without . and .."),
      ("concurrency: 4", "concurrency: 65", "plugin.yaml:7:14: concurrency must be a whole number from 1 to 64"),
    ])
  func problems(right: String, wrong: String, problem: String) throws {
    let text = Self.whole.replacing(right, with: wrong)
    #expect(text != Self.whole)
    do {
      _ = try PluginManifest.read(text, name: "pager", path: "plugin.yaml")
      Issue.record("it was taken")
    } catch {
      #expect(error.problems.contains { $0.hasPrefix(problem) }, "\(error.problems)")
    }
  }

  @Test(
    "abilities are written as they are read",
    arguments: ["network", "jobs", "environment:A_1", "read:/", "write:/srv/a b", "events:policy"])
  func abilities(text: String) throws {
    #expect(try PluginAbility(text: text).description == text)
  }

  @Test(
    "what is no ability is refused",
    arguments: [
      "", "net work", "network:all", "jobs:", "environment:", "environment:1A", "environment:A=B", "read:", "read:etc", "write:/a/./b",
      "events:", "events:JOB",
    ])
  func noAbilities(text: String) {
    #expect(throws: PluginAbility.Refusal.self) { try PluginAbility(text: text) }
  }
}
