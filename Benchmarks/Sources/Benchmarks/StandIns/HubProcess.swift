import Foundation

/// `benchmarks hub` in a process of its own, over a directory.
final class HubProcess {
  private let process = Process()
  private let output = Pipe()
  var id: Int32 { process.processIdentifier }

  init(directory: URL, running: Int, policies: String) throws {
    process.executableURL = URL(filePath: "/proc/self/exe").resolvingSymlinksInPath()
    process.arguments = ["hub", directory.path, "--running", "\(running)", "--policies", policies]
    process.standardOutput = output
    try process.run()
  }

  /// Its first line of output says so.
  func waitUntilItAsksForAContainer() async throws {
    let handle = output.fileHandleForReading
    let line = await withCheckedContinuation { continuation in
      // Blocks until the line comes or the process ends: on a thread of its own.
      Thread { continuation.resume(returning: String(decoding: handle.availableData, as: UTF8.self)) }.start()
    }
    guard line == "\(HubCommand.firstContainer)\n" else { throw BenchmarkFailure("the hub ended before it asked for a container") }
  }

  func end() {
    process.terminate()
    process.waitUntilExit()
  }
}
