/// Why a call of a provider did not do what it was for.
package enum GarmFailure: Error, Hashable, Sendable, CustomStringConvertible {
  /// Exit status 30: the machine is gone, or never was.
  case notFound(String)
  /// Exit status 31: a machine of this name is there already.
  case duplicate(String)
  /// Any other exit status or signal, with what it said.
  case failed(String)
  /// It was ended, since its time was over or nobody wanted its answer any more.
  case ended(String)
  /// It ended with 0, but what it said is not what the contract says.
  case malformed(String)
  /// It could not be started at all.
  case unstartable(String)

  package var description: String {
    switch self {
    case .notFound(let why): "not found: \(why)"
    case .duplicate(let why): "there already: \(why)"
    case .failed(let why): "the provider failed: \(why)"
    case .ended(let why): "the provider was ended: \(why)"
    case .malformed(let what): "not what the contract of providers says: \(what)"
    case .unstartable(let why): "the provider cannot be started: \(why)"
    }
  }
}
