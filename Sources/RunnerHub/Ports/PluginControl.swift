package import Domain
package import Foundation

/// What people see of a plugin.
package struct PluginStatus: Hashable, Sendable, Codable {
  package var name: String
  /// In the words of a manifest; nil: it cannot be read.
  package var kind: String?
  package var version: String?
  package var summary: String?
  package var state: PluginState
  /// Why, where there is something to say.
  package var reason: String?
  /// Since when the state is what it is.
  package var since: Date
  /// Failures since the start of RunnerHub.
  package var failures: Int
  /// Calls to it since then, and those that failed.
  package var calls: Int
  package var errors: Int
  /// What was granted and is used.
  package var abilities: [String]

  package init(
    name: String, kind: String? = nil, version: String? = nil, summary: String? = nil, state: PluginState = .available,
    reason: String? = nil,
    since: Date, failures: Int = 0, calls: Int = 0, errors: Int = 0, abilities: [String] = []
  ) {
    self.name = name
    self.kind = kind
    self.version = version
    self.summary = summary
    self.state = state
    self.reason = reason
    self.since = since
    self.failures = failures
    self.calls = calls
    self.errors = errors
    self.abilities = abilities
  }

  /// It is to run, and does not, or not well.
  package var isBroken: Bool {
    switch state {
    case .degraded, .backingOff, .quarantined, .stopped: true
    case .available, .disabled, .starting, .running: false
    }
  }
}

/// A line of a plugin's log: what it wrote to its standard error; in parentheses what RunnerHub has to say of it.
package struct PluginLogLine: Hashable, Sendable, Codable {
  /// Rises by one with each line of a plugin, from the start of RunnerHub.
  package var id: Int64
  package var at: Date
  package var text: String

  package init(id: Int64, at: Date, text: String) {
    self.id = id
    self.at = at
    self.text = text
  }
}

/// Why a wish for a plugin is not fulfilled.
package enum PluginWishError: Error, Hashable, Sendable, CustomStringConvertible {
  case unknown(String)
  case unfit(String)
  case unavailable(String)

  package var description: String {
    switch self {
    case .unknown(let why), .unfit(let why), .unavailable(let why): why
    }
  }
}

/// Plugins as an operator sees and steers them.
package protocol PluginControl: Sendable {
  /// In the order of their names.
  var statuses: [PluginStatus] { get }
  /// Lines after one, the oldest first; without it the last ones.
  func logs(of name: String, after id: Int64?, limit: Int) throws(PluginWishError) -> [PluginLogLine]
  /// Why it cannot be enabled, disabled or restarted; nil: it can.
  func objection(to wish: PluginWish, of name: String) -> PluginWishError?
  /// Returns once it was acted on.
  func fulfil(_ wish: PluginWish, of name: String) async throws(PluginWishError) -> PluginStatus
}

/// What an operator can want of a plugin while RunnerHub runs.
package enum PluginWish: String, Hashable, Sendable, Codable, CaseIterable { case enable, disable, restart }
