import Foundation
import Subprocess
import SystemPackage

/// One of our own commands as a process of its own, for as long as a task runs: `serve` or `emulator`, on loopback, its words in a file.
struct OwnServer: Sendable {
  let arguments: [String]
  /// Secrets come by the environment; of ours it gets the path alone.
  let secrets: [String: String]
  let log: URL
  /// How long it may drain after SIGTERM before it is killed.
  var drainLimit: Duration = .seconds(20)

  struct Failure: Error, CustomStringConvertible {
    var description: String
  }

  private var logPath: String { log.path(percentEncoded: false) }

  /// Runs it until the task is cancelled; then it gets SIGTERM, and time to drain.
  /// - Returns: how it ended after that.
  /// - Throws: `Failure` where it ends before.
  @discardableResult func run() async throws -> TerminationStatus {
    var environment: [Environment.Key: String] = ["PATH": ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/bin"]
    for (name, value) in secrets { environment[Environment.Key(rawValue: name) ?? "PATH"] = value }
    var options = PlatformOptions()
    options.teardownSequence = [.send(signal: .terminate, allowedDurationToNextStep: drainLimit)]
    // Ctrl-C goes to the command that started it alone, which ends it in its order.
    options.createSession = true
    let file = try FileDescriptor.open(FilePath(logPath), .writeOnly, options: [.create, .append], permissions: .ownerReadWrite)
    let outcome = try await Subprocess.run(
      .path(FilePath(try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe"))), arguments: Arguments(arguments),
      environment: .custom(environment), platformOptions: options,
      output: .fileDescriptor(file, closeAfterSpawningProcess: false), error: .fileDescriptor(file, closeAfterSpawningProcess: true))
    guard Task.isCancelled else {
      throw Failure(description: "runnerhub \(arguments[0]) ended early (\(outcome.terminationStatus)): see \(logPath)")
    }
    return outcome.terminationStatus
  }

  /// The rest of the line in which it says where it listens.
  func announcement(of words: String) async throws -> String {
    let deadline = ContinuousClock.now + .seconds(30)
    while ContinuousClock.now < deadline {
      let text = FileManager.default.contents(atPath: logPath).map { String(decoding: $0, as: UTF8.self) } ?? ""
      for line in text.split(separator: "\n") {
        if let range = line.range(of: words) { return String(line[range.upperBound...]) }
      }
      try await Task.sleep(for: .milliseconds(20))
    }
    throw Failure(description: "runnerhub \(arguments[0]) did not start within 30 s: see \(logPath)")
  }

  /// A loopback port that is free now. Another process may take it before the server does; the server says so then.
  static func freePort() throws -> Int {
    let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    guard descriptor >= 0 else { throw Failure(description: "no socket can be opened: \(String(cString: strerror(errno)))") }
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
    guard isBound else { throw Failure(description: "no port is free on 127.0.0.1: \(String(cString: strerror(errno)))") }
    return Int(UInt16(bigEndian: address.sin_port))
  }
}
