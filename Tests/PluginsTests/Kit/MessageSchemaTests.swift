import Domain
import Foundation
import JSON
import RunnerHub
import Testing

@testable import Plugins

@Suite("Schemas of the plugin protocol")
struct MessageSchemaTests {
  private static let docs = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent().appending(path: "docs")

  @Test("the binary has those that docs/plugin-protocol has: scripts/embed-plugin-schemas writes them")
  func embedded() throws {
    let folder = Self.docs.appending(path: "plugin-protocol")
    let files = try FileManager.default.contentsOfDirectory(at: folder, includingPropertiesForKeys: nil).filter {
      $0.pathExtension == "json"
    }
    #expect(Set(files.map { $0.deletingPathExtension().lastPathComponent }) == Set(MessageSchemas.all.keys))
    for file in files {
      let text = try String(contentsOf: file, encoding: .utf8).trimmingCharacters(in: .newlines)
      #expect(MessageSchemas.text(file.deletingPathExtension().lastPathComponent) == text, "\(file.lastPathComponent)")
    }
  }

  @Test("each of them can be used", arguments: MessageSchemas.all.keys.sorted())
  func usable(name: String) throws { _ = try #require(MessageSchemas.all[name]).get() }

  private static func value(_ message: some Encodable) throws -> JSONValue {
    try JSONDecoder().decode(JSONValue.self, from: PluginJSON.encoder.encode(message))
  }

  private static func messages() throws -> [(name: String, value: JSONValue)] {
    let at = Date(timeIntervalSince1970: 1_767_225_600.25)
    let host = InitializeParameters(
      protocolVersions: ["1"], host: .init(name: "runnerhub", version: "1.0"), name: "pager", kind: .notifier,
      configuration: .object(["prefix": .string("x")]), directory: "/var/lib/pager", abilities: ["network"])
    let alert = Alert(
      id: "7", key: "queue/wait", severity: .critical, title: "Jobs wait", text: "17 jobs", raisedAt: at, resolvedAt: at)
    let event = HubEvent(id: 3, kind: .job, at: at, action: "queued", subject: "job/1", text: "is queued", details: ["n": "1"])
    return [
      ("initialize.parameters", try value(host)),
      ("initialize.result", try value(InitializeResult(protocolVersion: "1", version: "1.0.0"))),
      ("health.result", try value(PluginHealth(status: .degraded, detail: "slow"))),
      ("notifier-notify.parameters", try value(NotifyParameters(event: .raised, alert: alert, url: "https://hub.example.org/"))),
      ("observer-events.parameters", try value(ObserverParameters(events: [event], missed: 0))),
      ("secrets-read.parameters", try value(SecretParameters(path: "team/token", field: "name"))),
      ("secrets-read.result", try value(SecretResult(value: "x", expiresIn: 60))),
      ("engine-home.parameters", try value(EngineMessages.HomeQuestion(id: "c-1", pool: "linux", image: "debian"))),
      ("engine-home.result", try value(EngineMessages.Home(home: "/home/runner"))),
      ("engine-remove.parameters", try value(EngineMessages.One(id: "c-1"))),
      ("engine-put.parameters", try value(EngineMessages.Put(id: "c-1", files: [.init(path: "a", contents: Data("x".utf8), mode: 0o644)]))),
      ("engine-log.result", try value(EngineMessages.Log(data: Data("line\n".utf8)))),
      ("engine-init.result", try value(EngineMessages.FirstProcess(script: Data("#!/bin/sh\n".utf8)))),
      (
        "source-register.parameters",
        try value(
          SourceRegisterParameters(
            name: "r", scope: "acme", labels: ["linux"],
            job: .init(id: 1, run: 2, name: "build", repository: "acme/shop", labels: ["Linux"])))
      ),
      ("source-remove.parameters", try value(SourceRemoveParameters(id: nil, name: "r", scope: "acme", repository: "acme/shop"))),
    ]
  }

  @Test("what the host's types write is valid, and is not with a required member taken away or of another type")
  func types() throws {
    for (name, message) in try Self.messages() {
      #expect(MessageSchemas.problems(in: message, as: name) == [], "\(name)")
      guard case .object(let members) = message, let text = MessageSchemas.text(name) else { continue }
      let schema = try JSONDecoder().decode(JSONValue.self, from: Data(text.utf8))
      guard case .array(let required) = schema["required"] else { continue }
      for case .string(let member) in required {
        var mutated = members
        mutated[member] = nil
        #expect(!MessageSchemas.problems(in: .object(mutated), as: name).isEmpty, "\(name) without \(member)")
        mutated[member] = .array([.null])
        if schema["properties"]?[member] != .object([:]) {
          #expect(!MessageSchemas.problems(in: .object(mutated), as: name).isEmpty, "\(name) with another \(member)")
        }
      }
    }
  }

  @Test("the examples of the page are valid", arguments: ["plugin-protocol.md", "plugin-guide.md"])
  func examples(page: String) throws {
    let text = try String(contentsOf: Self.docs.appending(path: page), encoding: .utf8)
    var checked = 0
    for match in text.matches(of: /(?s)```json ([a-z.-]+)\n(.*?)\n```/) {
      // The lines of a talk are messages, each with its envelope.
      let isTalk = match.1 == "talk"
      for line in isTalk ? match.2.split(separator: "\n") : [match.2] {
        let value = try JSONDecoder().decode(JSONValue.self, from: Data(line.utf8))
        #expect(MessageSchemas.problems(in: value, as: isTalk ? "envelope" : String(match.1)) == [], "\(page): \(line)")
        checked += 1
      }
    }
    #expect(page != "plugin-protocol.md" || checked > 20)
  }

  @Test(
    "an envelope is a request, a notification, an answer or a refusal",
    arguments: [
      (#"{"jsonrpc":"2.0","id":1,"method":"health","params":{}}"#, true),
      (#"{"jsonrpc":"2.0","method":"$/cancel","params":{"id":1}}"#, true),
      (#"{"jsonrpc":"2.0","id":"a","result":{}}"#, true),
      (#"{"jsonrpc":"2.0","id":null,"error":{"code":-32700,"message":"no JSON"}}"#, true),
      (#"{"jsonrpc":"2.0","id":1,"result":{},"error":{"code":1,"message":"x"}}"#, false), (#"{"id":1,"method":"health"}"#, false),
      (#"{"jsonrpc":"2.0","id":1.5,"method":"health"}"#, false), (#"{"jsonrpc":"2.0","id":1,"error":{"code":"x","message":"y"}}"#, false),
      ("[]", false), (#"{"jsonrpc":"2.0"}"#, false), (#"{"jsonrpc":"2.0","id":null,"result":{}}"#, false),
    ])
  func envelopes(line: String, isValid: Bool) throws {
    let value = try JSONDecoder().decode(JSONValue.self, from: Data(line.utf8))
    #expect(MessageSchemas.problems(in: value, as: "envelope").isEmpty == isValid)
  }
}
