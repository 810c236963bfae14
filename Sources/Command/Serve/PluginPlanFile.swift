import Foundation
import Plugins
import Synchronization

/// The section `plugins` of the configuration while it is followed: the file is read again when it changes. Other sections are taken at the start only.
final class PluginPlanFile: Sendable {
  /// How the configuration was given.
  struct Origin: Sendable {
    /// nil: there is no file.
    var file: String?
    var environment: [String: String] = [:]
    var flags: [String] = []
  }

  private struct Print: Hashable {
    var modified: Date?
    var size: Int?
    var number: Int?
  }
  private struct State {
    /// Not told yet.
    var first: [PluginPlan]?
    var print: Print?
  }

  private let origin: Origin
  private let state: Mutex<State>

  init(_ configuration: Configuration, origin: Origin) {
    self.origin = origin
    state = Mutex(State(first: configuration.plugins, print: Self.print(of: origin.file)))
  }

  /// What the file says now; nil: it has not changed since the last question.
  /// - Throws: `ConfigurationError`, once for each change.
  func changed() throws -> [PluginPlan]? {
    let (first, hasChanged) = state.withLock { state in
      defer { state.first = nil }
      let now = Self.print(of: origin.file)
      defer { state.print = now }
      return (state.first, now != state.print)
    }
    guard hasChanged else { return first }
    return try Configuration.load(file: origin.file, environment: origin.environment, flags: origin.flags).plugins
  }

  private static func print(of file: String?) -> Print? {
    guard let file else { return nil }
    // While it is written anew it may be gone: then it is another one.
    let facts = (try? FileManager.default.attributesOfItem(atPath: file)) ?? [:]
    return Print(
      modified: facts[.modificationDate] as? Date, size: facts[.size] as? Int, number: facts[.systemFileNumber] as? Int)
  }
}
