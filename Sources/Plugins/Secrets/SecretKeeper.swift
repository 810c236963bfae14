package import Foundation
package import JSON
package import Logging
import RunnerHub

/// Plugins of kind `secrets`, and what was read from them: kept in memory only, asked for again before it expires, and never logged.
package actor SecretKeeper: PluginAdapter {
  private var connections: [String: any PluginConnection] = [:]
  private var cache = SecretCache()
  private var followers: [@Sendable (SecretReference) async -> Void] = []
  private var watchers: [SecretReference: [@Sendable (String) async -> Void]] = [:]
  private let wakeUp = WakeUp()
  private let logger: Logger
  private let now: @Sendable () -> Date
  private static let limit: Duration = .seconds(15)
  /// Bytes of a secret: a private key with its chain has room.
  private static let longestValue = 64 << 10

  package init(logger: Logger, now: @escaping @Sendable () -> Date = { Date() }) {
    self.logger = logger
    self.now = now
  }

  // MARK: Reading

  /// The value of a secret, from memory where it is there.
  /// - Parameter key: of the configuration that holds the reference; for messages.
  package func value(of reference: SecretReference, key: String) async throws(SecretError) -> String {
    if let value = cache.value(of: reference, at: now()) { return value }
    do {
      return try await ask(reference)
    } catch {
      throw SecretError("\(key): \(reference) cannot be read: \(error)")
    }
  }

  /// A configuration with every text that is a reference replaced by its secret.
  /// - Parameter key: where the value stands (`plugins.slack.configuration`); the place of a reference within it is added in messages.
  package func settled(_ value: JSONValue, key: String) async throws(SecretError) -> JSONValue {
    switch value {
    case .string(let text) where SecretReference.isMeant(by: text):
      let reference: SecretReference
      do { reference = try SecretReference(text) } catch { throw SecretError("\(key): \(error)") }
      return .string(try await self.value(of: reference, key: key))
    case .array(let elements):
      var settled: [JSONValue] = []
      for (index, element) in elements.enumerated() { settled.append(try await self.settled(element, key: "\(key)[\(index)]")) }
      return .array(settled)
    case .object(let members):
      var settled: [String: JSONValue] = [:]
      for (name, member) in members { settled[name] = try await self.settled(member, key: "\(key).\(name)") }
      return .object(settled)
    default: return value
    }
  }

  /// The references within a configuration, each once: whoever was given what they stand for is told by `watch` when that changes.
  package static func references(in value: JSONValue) -> Set<SecretReference> {
    switch value {
    case .string(let text):
      // What is no reference is refused by `settled`, with its key.
      guard SecretReference.isMeant(by: text), let reference = try? SecretReference(text) else { return [] }
      return [reference]
    case .array(let elements): return elements.reduce(into: []) { $0.formUnion(references(in: $1)) }
    case .object(let members): return members.values.reduce(into: []) { $0.formUnion(references(in: $1)) }
    default: return []
    }
  }

  /// Calls back with each new value of a secret that was read once.
  package func watch(_ reference: SecretReference, _ changed: @escaping @Sendable (String) async -> Void) {
    watchers[reference, default: []].append(changed)
  }

  /// Calls back whenever a secret that was read once has another value. The call must be short, and read no secret itself.
  package func follow(_ changed: @escaping @Sendable (SecretReference) async -> Void) { followers.append(changed) }

  /// Asks again in time, until cancelled.
  package func run() async throws {
    while !Task.isCancelled {
      let due = cache.due(at: now())
      for reference in due.references {
        do {
          _ = try await ask(reference)
        } catch {
          if Task.isCancelled { return }
          cache.failed(reference, at: now())
          logger.warning(
            "a secret cannot be read again; its last value is used for now", metadata: ["secret": "\(reference)", "why": "\(error)"])
        }
      }
      await wakeUp.wait(until: cache.due(at: now()).next)
    }
  }

  private func ask(_ reference: SecretReference) async throws(SecretError) -> String {
    guard let connection = connections[reference.plugin] else {
      throw SecretError("no plugin \(reference.plugin) of kind secrets runs; see `runnerhub plugin list`")
    }
    let answer: SecretResult
    do throws(PluginError) {
      answer = try await connection.call(
        "secrets/read", SecretParameters(path: reference.path, field: reference.field), limit: Self.limit)
    } catch {
      throw SecretError(error.description)
    }
    guard !answer.value.isEmpty, answer.value.utf8.count <= Self.longestValue else {
      throw SecretError("the plugin's value is empty or larger than \(Self.longestValue >> 10) KiB")
    }
    let isKnown = cache.entries[reference] != nil
    let isNew = cache.read(answer.value, of: reference, expiresIn: answer.expiresIn, at: now())
    wakeUp.notify()
    if isKnown, isNew {
      logger.notice("a secret has changed", metadata: ["secret": "\(reference)"])
      for changed in watchers[reference] ?? [] { await changed(answer.value) }
      for changed in followers { await changed(reference) }
    }
    return answer.value
  }

  // MARK: Plugins

  package nonisolated var kind: PluginKind { .secrets }
  package nonisolated func service(for plugin: PluginManifest) -> any PluginService { NoPluginRequests() }
  package func started(_ plugin: RunningPlugin) async { connections[plugin.manifest.name] = plugin.connection }
  /// Its connection says so itself, and what is known goes on.
  package func interrupted(_ name: String, reason: String) async {}
  package func removed(_ name: String) async { connections[name] = nil }
}

/// `secrets/read`
package struct SecretParameters: Hashable, Sendable, Codable {
  package var path: String
  package var field: String?
}

package struct SecretResult: Hashable, Sendable, Codable {
  package var value: String
  /// Seconds.
  package var expiresIn: Double?
}
