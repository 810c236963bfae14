import Foundation
import Testing

#if canImport(Glibc)
  import Glibc
#endif

/// Where things are that these tests read or start.
enum Places {
  static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

  /// `RUNNERHUB_CORPORA`, or `../shared/corpora` from the package's root.
  static let corpora =
    ProcessInfo.processInfo.environment["RUNNERHUB_CORPORA"].map { URL(filePath: $0) }
    ?? root.appending(path: "../shared/corpora").standardized

  /// The command, which is built beside the tests.
  static var command: URL {
    get throws {
      let tests = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
      return URL(filePath: tests).deletingLastPathComponent().appending(path: "runnerhub")
    }
  }

  /// A loopback port that is free now.
  static func freePort() throws -> Int {
    let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    try #require(descriptor >= 0)
    defer { close(descriptor) }
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    let isBound = withUnsafeMutablePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        bind(descriptor, $0, length) == 0 && getsockname(descriptor, $0, &length) == 0
      }
    }
    try #require(isBound)
    return Int(UInt16(bigEndian: address.sin_port))
  }
}

/// Waits until something holds.
///
/// - Throws: `NeverCame` where it does not within the limit.
func eventually(
  _ what: String, within limit: Duration = .seconds(30), isolation: isolated (any Actor)? = #isolation, _ condition: () async throws -> Bool
) async throws {
  let deadline = ContinuousClock.now + limit
  while ContinuousClock.now < deadline {
    if try await condition() { return }
    try await Task.sleep(for: .milliseconds(20))
  }
  throw NeverCame(what: what)
}

struct NeverCame: Error, CustomStringConvertible {
  var what: String
  var description: String { "this never came: \(what)" }
}
