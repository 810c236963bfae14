/// Why a plugin did not do what it was asked.
package enum PluginError: Error, Hashable, Sendable, CustomStringConvertible {
  /// It is not running: stopped, starting, or waiting to be started again. Ask again later.
  case notRunning(String)
  /// No answer within the limit; the call was cancelled.
  case timedOut(String)
  /// What it sent is not what the protocol says; counted against it.
  case malformed(String)
  /// It answered with an error of the protocol's list.
  case refused(Code, String)
  /// It answered that it is asked too often (-32006). Ask again after this time, where it said one.
  case throttled(String, after: Duration?)

  /// Errors that mean something to the host, with their numbers in JSON-RPC. Any other number counts as `failed`.
  package enum Code: Int, Hashable, Sendable, CaseIterable {
    case methodNotFound = -32601
    case invalidParameters = -32602
    /// It went wrong and will go wrong again.
    case failed = -32000
    case notFound = -32001
    /// The request can never succeed as it is.
    case invalid = -32002
    /// Not now. Try again.
    case unavailable = -32003
    case forbidden = -32004
    case alreadyExists = -32005
    case cancelled = -32800
  }

  package var description: String {
    switch self {
    case .notRunning(let why): "the plugin is not running: \(why)"
    case .timedOut(let what): "no answer in time: \(what)"
    case .malformed(let what): "not what the protocol says: \(what)"
    case .refused(_, let why), .throttled(let why, _): why
    }
  }
}
