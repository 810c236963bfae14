import Domain
import Foundation
import JSON
import Logging
import RunnerHub
import Synchronization
import Testing

@testable import Plugins

/// The example plugins in the real host, with the adapters of their kinds.
@Suite("Example plugins in the host", .timeLimit(.minutes(1)))
struct HostedExampleTests {
  private static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
  private let logger = Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() })

  /// An emulator in Python: `Tests/PluginExamples/stand.py`.
  private final class Stand {
    private let process = Process()
    private let input = Pipe()
    private let output = Pipe()
    private var rest = Data()

    init(_ name: String) throws {
      process.executableURL = URL(filePath: "/usr/bin/python3")
      process.arguments = ["-B", "stand.py", name]
      process.currentDirectoryURL = HostedExampleTests.root.appending(path: "Tests/PluginExamples")
      process.standardInput = input
      process.standardOutput = output
      try process.run()
    }

    /// Blocks until the next line.
    func line() throws -> JSONValue {
      while true {
        if let end = rest.firstIndex(of: UInt8(ascii: "\n")) {
          let line = rest[..<end]
          rest = Data(rest[(end + 1)...])
          return try JSONDecoder().decode(JSONValue.self, from: Data(line))
        }
        let data = output.fileHandleForReading.availableData
        try #require(!data.isEmpty, "the emulator ended")
        rest.append(data)
      }
    }

    func say(_ text: String) { input.fileHandleForWriting.write(Data((text + "\n").utf8)) }

    func port() throws -> Int64 {
      guard case .integer(let port)? = try line()["port"] else { throw CancellationError() }
      return port
    }

    func end() throws {
      try input.fileHandleForWriting.close()
      process.waitUntilExit()
    }
  }

  /// Passes everything on, and knows whether the plugin has started.
  private final class Witness: PluginAdapter {
    private let adapter: any PluginAdapter
    private let flag = Atomic(false)
    var hasStarted: Bool { flag.load(ordering: .acquiring) }
    init(_ adapter: any PluginAdapter) { self.adapter = adapter }

    var kind: PluginKind { adapter.kind }
    func service(for plugin: PluginManifest) -> any PluginService { adapter.service(for: plugin) }
    func started(_ plugin: RunningPlugin) async {
      await adapter.started(plugin)
      flag.store(true, ordering: .releasing)
    }
    func interrupted(_ name: String, reason: String) async { await adapter.interrupted(name, reason: reason) }
    func removed(_ name: String) async { await adapter.removed(name) }
  }

  /// Runs the host with one plugin until the body has ended.
  private func hosting(
    _ plan: PluginPlan, _ adapter: any PluginAdapter, _ body: (URL) async throws -> Void
  ) async throws {
    let data = FileManager.default.temporaryDirectory.appending(path: "plugins-\(UUID().uuidString)", directoryHint: .isDirectory)
    defer { #expect(throws: Never.self) { try FileManager.default.removeItem(at: data) } }
    let witness = Witness(adapter)
    let host = PluginHost(
      folder: Self.root.appending(path: "plugins", directoryHint: .isDirectory), plans: { [plan] },
      surroundings: PluginSurroundings(
        directories: PluginDirectories(root: data), environment: [:], adapters: [witness], hostVersion: "test", logger: logger))
    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask { await host.run() }
      while !witness.hasStarted {
        let status = host.statuses.first { $0.name == plan.name }
        try #require(status?.state != .stopped && status?.state != .quarantined, "\(status?.reason ?? "")")
        try await Task.sleep(for: .milliseconds(10))
      }
      try await body(data)
      group.cancelAll()
    }
  }

  @Test("json-lines writes what happens to its file")
  func jsonLines() async throws {
    let feed = EventFeed()
    feed.begin(start: 1)
    let adapter = ObserverAdapter(feed: feed, logger: logger)
    let kinds = HubEventKind.allCases.map(PluginAbility.events)
    try await hosting(PluginPlan(name: "json-lines", grants: Set(kinds)), adapter) { data in
      try await withThrowingTaskGroup(of: Void.self) { group in
        group.addTask { try await adapter.run() }
        for number in 1...600 {
          feed.publish {
            [
              HubEvent(
                kind: .job, at: Date(timeIntervalSince1970: 1), action: "queued", subject: "\(number)", text: "ü", details: ["a": "b"])
            ]
          }
        }
        var lines: [JSONValue] = []
        while lines.count < 600 {
          try await Task.sleep(for: .milliseconds(10))
          lines = try Self.lines(below: data)
        }
        #expect(lines.map { $0["subject"]?.string } == (1...600).map { "\($0)" })
        #expect(lines.first?["id"] == .integer(10_000_000_001) && lines.first?["at"] == .string("1970-01-01T00:00:01.000Z"))
        group.cancelAll()
      }
    }
  }

  /// Of the one file of events.
  private static func lines(below folder: URL) throws -> [JSONValue] {
    let files = FileManager.default.enumerator(at: folder, includingPropertiesForKeys: nil)?.compactMap { $0 as? URL } ?? []
    guard let file = files.first(where: { $0.lastPathComponent == "events.jsonl" }) else { return [] }
    let text = try String(contentsOf: file, encoding: .utf8)
    return try text.split(separator: "\n").filter { $0.hasSuffix("}") }.map {
      try JSONDecoder().decode(JSONValue.self, from: Data($0.utf8))
    }
  }

  @Test("slack tells of an alert")
  func slack() async throws {
    let stand = try Stand("slack")
    let url = "http://127.0.0.1:\(try stand.port())/services/T0"
    let adapter = NotifierAdapter()
    let plan = PluginPlan(name: "slack", grants: [.network], configuration: .object(["url": .string(url)]))
    try await hosting(plan, adapter) { _ in
      let alert = Alert(id: "1", key: "k", severity: .warning, title: "T", text: "x", raisedAt: Date(timeIntervalSince1970: 1))
      try await #require(adapter.notifiers["slack"]).notify(.raised, of: alert, url: nil)
      let request = try stand.line()
      #expect(request["path"] == .string("/services/T0") && request["body"]?["text"] == .string("Warning: T"))
    }
    try stand.end()
  }

  @Test("vault gives a secret, and its next value when that has changed")
  func vault() async throws {
    let stand = try Stand("vault")
    let configuration: JSONValue = .object([
      "address": .string("http://127.0.0.1:\(try stand.port())"), "token": .string("root"), "refresh": .integer(1),
    ])
    let keeper = SecretKeeper(logger: logger)
    let reference = try SecretReference("secret://vault/secret/hub#token")
    try await hosting(PluginPlan(name: "vault", grants: [.network], configuration: configuration), keeper) { _ in
      #expect(try await keeper.value(of: reference, key: "github.token") == "two")
      let values = AsyncStream<String>.makeStream()
      await keeper.watch(reference) { values.continuation.yield($0) }
      stand.say("three")
      _ = try stand.line()
      await withThrowingTaskGroup(of: Void.self) { group in
        group.addTask { try await keeper.run() }
        for await value in values.stream {
          #expect(value == "three")
          break
        }
        group.cancelAll()
      }
    }
    try stand.end()
  }
}
