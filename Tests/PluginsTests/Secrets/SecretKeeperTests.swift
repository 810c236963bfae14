import Foundation
import JSON
import Logging
import RunnerHub
import Synchronization
import Testing

@testable import Plugins

@Suite("References to secrets")
struct SecretReferenceTests {
  @Test("a reference has a plugin, a path and mostly a field")
  func read() throws {
    #expect(
      try SecretReference("secret://vault/secret/data/hub#token")
        == SecretReference(plugin: "vault", path: "secret/data/hub", field: "token"))
    let whole = try SecretReference("secret://vault/a")
    #expect(whole.field == nil && "\(whole)" == "secret://vault/a")
  }

  @Test(
    "what is none is refused, and the refusal says how one is written",
    arguments: [
      "secret://", "secret://vault", "secret://vault/", "secret:///a", "secret://Vault/a", "secret://vault/a#", "secret://vault/a b",
    ])
  func refused(text: String) {
    let error = #expect(throws: SecretError.self) { try SecretReference(text) }
    #expect(error?.description.contains("secret://PLUGIN/PATH#FIELD") == true)
  }
}

@Suite("Secrets", .timeLimit(.minutes(1)))
struct SecretKeeperTests {
  /// A vault in memory, and a clock.
  private final class Vault: Sendable {
    struct State {
      var values: [String: String] = ["hub#token": "first"]
      var expiresIn: Double?
      var failure: PluginError?
      var now = Date(timeIntervalSince1970: 1_777_000_000)
      var asked = 0
      var logged: [String] = []
    }
    let state = Mutex(State())
    func with<Value: Sendable>(_ body: (inout State) -> Value) -> Value { state.withLock { body(&$0) } }

    var plugin: RunningPlugin {
      let connection = ScriptedConnection(name: "vault") { [self] call throws(PluginError) in
        let (answer, failure): (SecretResult?, PluginError?) = with { state in
          state.asked += 1
          guard let read = try? PluginJSON.decoder.decode(SecretParameters.self, from: call.parameters) else {
            return (nil, .malformed(""))
          }
          let value = state.values[read.path + (read.field.map { "#" + $0 } ?? "")]
          return (value.map { SecretResult(value: $0, expiresIn: state.expiresIn) }, state.failure)
        }
        if let failure { throw failure }
        guard let answer, let data = try? PluginJSON.encoder.encode(answer) else { throw .refused(.notFound, "no such secret") }
        return data
      }
      return RunningPlugin(manifest: .sample("vault", .secrets), abilities: [], connection: connection)
    }

    /// Remembers all that was logged, with its metadata.
    struct Log: LogHandler {
      let vault: Vault
      var metadata: Logger.Metadata = [:]
      var logLevel = Logger.Level.trace
      subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
      }
      func log(event: LogEvent) { vault.with { $0.logged.append("\(event.message) \(event.metadata ?? [:])") } }
    }
    var keeper: SecretKeeper {
      SecretKeeper(logger: Logger(label: "test", factory: { _ in Log(vault: self) }), now: { self.with { $0.now } })
    }
  }

  private let vault = Vault()
  private let token = SecretReference(plugin: "vault", path: "hub", field: "token")

  @Test("every text of a configuration that is a reference is filled in, and asked for once")
  func settled() async throws {
    let keeper = vault.keeper
    await keeper.started(vault.plugin)
    let value: JSONValue = .object([
      "token": .string("\(token)"), "list": .array([.string("\(token)"), .integer(1)]), "plain": .string("secretive"),
    ])
    let settled = try await keeper.settled(value, key: "plugins.slack.configuration")
    #expect(
      settled
        == .object(["token": .string("first"), "list": .array([.string("first"), .integer(1)]), "plain": .string("secretive")]))
    #expect(vault.with { $0.asked } == 1)
    #expect(SecretKeeper.references(in: value) == [token])
  }

  @Test("what cannot be read is an error that names the key and the reference, and no secret")
  func unresolved() async throws {
    let keeper = vault.keeper
    let early = await #expect(throws: SecretError.self) { try await keeper.value(of: token, key: "github.token") }
    #expect(early?.description.hasPrefix("github.token: secret://vault/hub#token cannot be read: no plugin vault") == true)
    await keeper.started(vault.plugin)
    let value: JSONValue = .object(["a": .array([.string("secret://vault/nothing")])])
    let absent = await #expect(throws: SecretError.self) { try await keeper.settled(value, key: "plugins.x.configuration") }
    #expect(absent?.description == "plugins.x.configuration.a[0]: secret://vault/nothing cannot be read: no such secret")
    let wrong = await #expect(throws: SecretError.self) { try await keeper.settled(.string("secret://vault"), key: "k") }
    #expect(wrong?.description.hasPrefix("k: ") == true)
  }

  @Test("while the plugin is down the last value goes on, an hour beyond its end at most")
  func down() async throws {
    let keeper = vault.keeper
    await keeper.started(vault.plugin)
    vault.with { $0.expiresIn = 60 }
    #expect(try await keeper.value(of: token, key: "k") == "first")
    vault.with {
      $0.failure = .notRunning("it ended")
      $0.now += 60 + 3599
    }
    #expect(try await keeper.value(of: token, key: "k") == "first")
    vault.with { $0.now += 1 }
    await #expect(throws: SecretError.self) { try await keeper.value(of: token, key: "k") }
    vault.with { $0.failure = nil }
    #expect(try await keeper.value(of: token, key: "k") == "first")
  }

  @Test("it is asked for again before its end, and who uses it is told of another value; nothing of it is logged")
  func rotation() async throws {
    let keeper = vault.keeper
    await keeper.started(vault.plugin)
    vault.with { $0.expiresIn = 0.001 }
    _ = try await keeper.value(of: token, key: "k")
    let changes = AsyncStream<String>.makeStream()
    let followed = Mutex<[SecretReference]>([])
    await keeper.follow { reference in followed.withLock { $0.append(reference) } }
    await keeper.watch(token) { changes.continuation.yield($0) }
    vault.with {
      $0.values["hub#token"] = "second"
      $0.now += 2
      $0.expiresIn = nil
    }
    await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask { try await keeper.run() }
      for await value in changes.stream {
        #expect(value == "second")
        break
      }
      group.cancelAll()
    }
    #expect(try await keeper.value(of: token, key: "k") == "second")
    #expect(followed.withLock { $0 } == [token])
    let logged = vault.with { $0.logged }
    #expect(
      logged.contains { $0.contains("secret://vault/hub#token") } && !logged.contains { $0.contains("first") || $0.contains("second") })
  }

  @Test("a value that is empty or beyond all bounds is none", arguments: ["", String(repeating: "x", count: 65 << 10)])
  func bounds(value: String) async {
    let keeper = vault.keeper
    await keeper.started(vault.plugin)
    vault.with { $0.values["hub#token"] = value }
    await #expect(throws: SecretError.self) { try await keeper.value(of: token, key: "k") }
  }

  private static let spans: [(Double?, Double)] = [(nil, 300), (100, 80), (1e6, 8e5), (1e12, 252_288_000), (0, 1), (-1, 1), (.nan, 1)]

  @Test("when each is asked for again", arguments: spans)
  func rests(expiresIn: Double?, rest: Double) throws {
    let now = Date(timeIntervalSince1970: 0)
    var cache = SecretCache()
    _ = cache.read("x", of: token, expiresIn: expiresIn, at: now)
    #expect(cache.due(at: now).next == now.addingTimeInterval(rest))
    cache.failed(token, at: now)
    cache.failed(token, at: now)
    #expect(cache.due(at: now).next == now.addingTimeInterval(2))
    for _ in 0..<100 { cache.failed(token, at: now) }
    #expect(cache.due(at: now).next == now.addingTimeInterval(60))
  }
}
