import Foundation
import Glibc
import Plugins
import Synchronization

/// `benchmarks echo` as a plugin of the host.
struct EchoPlugin: Sendable {
  let connection: ProcessConnection
  let failures: Failures

  /// What went wrong without a call.
  final class Failures: PluginListener {
    private let seen = Mutex<[String]>([])
    var all: [String] { seen.withLock { $0 } }
    func logged(_ line: String) { seen.withLock { $0.append(line) } }
    func dropped(_ lines: Int) {}
    func misbehaved(_ what: String) { seen.withLock { $0.append(what) } }
    func ended(_ end: PluginEnd) {}
  }

  init(_ name: String, _ surroundings: Surroundings) async throws {
    failures = Failures()
    connection = ProcessConnection(name: name, concurrency: 8, service: NoPluginRequests(), listener: failures)
    let folder = surroundings.workshop.folder.appending(path: "plugin-\(name)-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    _ = try await connection.start(PluginProgram(command: [BareEcho.program.path, "echo"], folder: folder, directory: folder))
  }

  func end() async throws {
    connection.closeInput()
    _ = await connection.waitForEnd()
    guard failures.all.isEmpty else { throw BenchmarkFailure("the plugin \(connection.name): \(failures.all.prefix(3))") }
  }
}

/// `benchmarks echo --bare` behind two pipes, written and read by one thread: the least that a round trip can cost.
struct BareEcho: ~Copyable {
  static let program = URL(filePath: "/proc/self/exe").resolvingSymlinksInPath()
  private let process = Process()
  private let input = Pipe()
  private let output = Pipe()

  init() throws {
    process.executableURL = Self.program
    process.arguments = ["echo", "--bare"]
    process.standardInput = input
    process.standardOutput = output
    try process.run()
  }

  /// Sends bytes and reads as many.
  func roundTrip(_ bytes: [UInt8], into buffer: inout [UInt8]) throws {
    guard write(input.fileHandleForWriting.fileDescriptor, bytes, bytes.count) == bytes.count else {
      throw BenchmarkFailure("the bare echo takes no \(bytes.count) bytes at once")
    }
    var got = 0
    while got < bytes.count {
      let count = read(output.fileHandleForReading.fileDescriptor, &buffer, buffer.count)
      guard count > 0 else { throw BenchmarkFailure("the bare echo ended") }
      got += count
    }
  }

  func end() throws {
    try input.fileHandleForWriting.close()
    process.waitUntilExit()
  }
}
