internal import Dispatch
internal import Foundation
internal import Glibc

/// The program beside a plugin while it is tested, on a port of its own.
final class HelperProgram {
  let port: UInt16
  private let process = Process()
  private let output = Pipe()
  /// Not `waitUntilExit`, which needs the run loop of its thread, and may wait for ever on one without.
  private let ended = DispatchSemaphore(value: 0)

  /// Starts it and waits until it takes connections.
  /// - Parameter command: run in the plugin's folder, with PORT and DIRECTORY in its environment.
  init(_ command: [String], folder: URL, directory: URL) throws(KitFailure) {
    port = try Self.freePort()
    guard let first = command.first, let path = PluginProgram.resolve(first, in: folder) else {
      throw KitFailure("the helper \(command.first ?? "") is not there or cannot be run")
    }
    process.executableURL = URL(filePath: path)
    process.arguments = Array(command.dropFirst())
    process.currentDirectoryURL = folder
    process.environment = [
      "PATH": PluginProgram.path, "LANG": "C.UTF-8", "PORT": "\(port)", "DIRECTORY": directory.path(percentEncoded: false),
    ]
    process.standardInput = FileHandle.nullDevice
    process.standardOutput = FileHandle.nullDevice
    process.standardError = output
    process.terminationHandler = { [ended] _ in ended.signal() }
    do {
      try process.run()
    } catch {
      throw KitFailure("the helper \(first) cannot be started: \(error.localizedDescription)")
    }
    let deadline = ContinuousClock.now + .seconds(10)
    while !Self.takesConnections(port) {
      guard process.isRunning else {
        let words = String(decoding: output.fileHandleForReading.availableData.suffix(500), as: UTF8.self)
        throw KitFailure("the helper ended at once with \(process.terminationStatus): \(PluginText.line(words))")
      }
      guard ContinuousClock.now < deadline else {
        stop()
        throw KitFailure("the helper does not listen on 127.0.0.1:\(port), which its variable PORT named, after 10 s")
      }
      usleep(20_000)
    }
  }

  /// Not by SIGTERM: a program inherits what the thread that starts it has blocked.
  func stop() {
    kill(process.processIdentifier, SIGKILL)
    ended.wait()
  }

  private static func address(_ port: UInt16) -> sockaddr_in {
    sockaddr_in(
      sin_family: sa_family_t(AF_INET), sin_port: port.bigEndian, sin_addr: in_addr(s_addr: UInt32(0x7F00_0001).bigEndian),
      sin_zero: (0, 0, 0, 0, 0, 0, 0, 0))
  }

  private static func freePort() throws(KitFailure) -> UInt16 {
    let socket = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    defer { close(socket) }
    var address = address(0)
    var size = socklen_t(MemoryLayout<sockaddr_in>.size)
    let result = withUnsafeMutablePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { bind(socket, $0, size) < 0 ? -1 : getsockname(socket, $0, &size) }
    }
    guard result == 0 else { throw KitFailure("there is no free port for the helper: \(String(cString: strerror(errno)))") }
    return UInt16(bigEndian: address.sin_port)
  }

  private static func takesConnections(_ port: UInt16) -> Bool {
    let socket = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    defer { close(socket) }
    var address = address(port)
    return withUnsafePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { connect(socket, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0 }
    }
  }
}
