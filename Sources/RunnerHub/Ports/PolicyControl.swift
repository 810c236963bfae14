/// Changes which bundle acts, by a person's wish. What it does is an event of the archive, and acts from when that is stored.
package protocol PolicyControl: Sendable {
  /// Reads the folder again and puts its bundle into place, though a rollback or an earlier refusal stands against it.
  /// - Parameter actor: who asks: `api`.
  func reload(by actor: String) async throws(PolicyWishError) -> PolicyChange
  /// Puts a bundle that acted before into place again. It stays until the folder changes.
  /// - Parameter bundle: the digest, or its first digits; nil: the one that acted before the present one.
  func rollBack(to bundle: String?, by actor: String, note: String?) async throws(PolicyWishError) -> PolicyChange
}

/// What came of a wish.
package struct PolicyChange: Hashable, Sendable, Codable {
  package enum Outcome: String, Hashable, Sendable, Codable {
    case activated
    case rolledBack = "rolled-back"
    /// The wish asks for what acts already.
    case unchanged
    /// What acted goes on.
    case refused
  }
  package var outcome: Outcome
  /// What acts now: a digest, or `built-in`.
  package var bundle: String
  /// What acted before.
  package var previous: String
  /// Why it was refused, with file and line where they are known.
  package var problem: String?
  /// Tests of the bundle that were run.
  package var tests: Int?

  package init(outcome: Outcome, bundle: String, previous: String, problem: String? = nil, tests: Int? = nil) {
    self.outcome = outcome
    self.bundle = bundle
    self.previous = previous
    self.problem = problem
    self.tests = tests
  }
}

/// Why a wish about policies cannot be fulfilled.
package enum PolicyWishError: Error, Hashable, Sendable, CustomStringConvertible {
  /// No bundle is meant by the words, or more than one.
  case unknown(String)
  /// The bundle is known and cannot act.
  case unfit(String)
  /// The store does not answer: nothing is changed.
  case unavailable(String)

  package var description: String {
    switch self {
    case .unknown(let why), .unfit(let why), .unavailable(let why): why
    }
  }
}
