package import Foundation

/// A question of a machine that a cloud made for RunnerHub: for what it needs to run its job, or with what became of it.
package struct MachineRequest: Hashable, Sendable {
  /// The two addresses under which machines call.
  package enum Counter: String, Hashable, Sendable { case metadata, callbacks }
  package var counter: Counter
  package var isChange: Bool
  /// The path below the counter's own, without slashes at its ends: `credentials/runner`.
  package var path: String
  package var query: [String: String]
  /// The word after `Bearer` in `Authorization`; nil where there is none. Nobody has looked at it yet.
  package var token: String?
  package var body: Data

  package init(counter: Counter, isChange: Bool, path: String, query: [String: String] = [:], token: String?, body: Data = Data()) {
    self.counter = counter
    self.isChange = isChange
    self.path = path
    self.query = query
    self.token = token
    self.body = body
  }
}

/// What a machine is told.
package struct MachineAnswer: Hashable, Sendable {
  /// A status of HTTP.
  package var status: Int
  package var type: String
  package var body: Data
  /// Seconds after which the same question may be answered.
  package var retryAfter: Int?

  package init(status: Int = 200, type: String, body: Data, retryAfter: Int? = nil) {
    self.status = status
    self.type = type
    self.body = body
    self.retryAfter = retryAfter
  }
}

/// Who answers the machines. Callers have bounded the size and the time of what was sent; who may know what is decided here.
package protocol MachineDesk: Sendable {
  /// Cancelled when the machine has gone; an answer may take as long as a machine can wait.
  func answer(_ request: MachineRequest) async -> MachineAnswer
}
