internal import RunnerHub

/// Why a call of the Docker API did not succeed.
package enum DockerFailure: Error, Sendable, CustomStringConvertible {
  /// The daemon's own answer. The status is for code, the text for people.
  case refused(status: Int, message: String)
  /// No connection: the daemon is not there.
  case unreachable(String)
  /// The connection ended before the answer did: a kept one that the daemon has closed, or the daemon ended meanwhile.
  case brokeOff(String)
  /// The time for this call is over. What was asked for may still happen.
  case timedOut(String)
  /// What is set of the client itself does not work.
  case unusable(String)
  /// An answer that is not what the API describes.
  case unreadable(String)

  package var description: String {
    switch self {
    case .refused(let status, let message): "\(message) (\(status))"
    case .unreachable(let why): "Docker does not answer: \(why)"
    case .brokeOff(let why): "Docker's answer broke off: \(why)"
    case .timedOut(let what): "Docker took too long: \(what)"
    case .unusable(let why): why
    case .unreadable(let why): "Docker's answer cannot be read: \(why)"
    }
  }

  /// What it means for a call about one container or image. 400 is the request's own fault, and so is a conflict where nobody else works on it.
  func engineError(about what: String) -> EngineError {
    switch self {
    case .refused(404, let message): .notFound("\(what): \(message)")
    case .refused(400, let message), .refused(409, let message): .invalid("\(what): \(message)")
    case .refused, .unreachable, .brokeOff, .timedOut, .unusable, .unreadable: .unavailable("\(what): \(self)")
    }
  }
}
