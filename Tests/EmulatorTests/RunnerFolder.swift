import Foundation
import Synchronization
import Testing

@testable import Emulator

/// A runner's home in a temporary folder, and the script that runs in it.
final class RunnerFolder: Sendable {
  let root: URL
  private let process = Mutex<Process?>(nil)

  init(_ files: [String: Data]) throws {
    root = FileManager.default.temporaryDirectory.appending(path: "stand-in-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: root, withIntermediateDirectories: true)
    for file in StandInRunner.files {
      let path = root.appending(path: file.path)
      try Data(file.contents).write(to: path)
      try FileManager.default.setAttributes([.posixPermissions: Int(file.mode)], ofItemAtPath: path.path)
    }
    try write(files)
  }

  deinit { try? FileManager.default.removeItem(at: root) }

  func write(_ files: [String: Data]) throws {
    for (name, data) in files { try data.write(to: root.appending(path: name)) }
  }

  func write(_ name: String, _ text: String) throws { try Data(text.utf8).write(to: root.appending(path: name)) }

  /// Starts `run.sh`, with a shell and a transport where they are named.
  func start(shell: String = "/bin/sh", environment: [String: String] = [:]) throws {
    let process = Process()
    process.executableURL = URL(filePath: shell)
    process.arguments = [root.appending(path: "run.sh").path]
    process.environment = ["PATH": ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/bin", "HOME": root.path].merging(environment) {
      $1
    }
    let output = root.appending(path: "output")
    try Data().write(to: output)
    let handle = try FileHandle(forWritingTo: output)
    process.standardOutput = handle
    process.standardError = handle
    process.standardInput = FileHandle.nullDevice
    try process.run()
    self.process.withLock { $0 = process }
  }

  /// Waits for the script's end; its exit code.
  func end() async throws -> Int32 {
    try await eventually("run.sh ends, having said:\n\(output)") { process.withLock { $0?.isRunning != true } }
    return process.withLock { process in
      guard let process, !process.isRunning else {
        process?.terminate()
        return -1
      }
      return process.terminationStatus
    }
  }

  func terminate() { process.withLock { $0?.terminate() } }

  var output: String { (try? String(contentsOf: root.appending(path: "output"), encoding: .utf8)) ?? "" }
}

extension LocalGitHub {
  /// Registers a runner, runs the script with it to its end, and checks that it ended well.
  func runOne(
    _ name: String = "runner", labels: [String] = ["linux"], shell: String = "/bin/sh", environment: [String: String] = [:],
    prepare: (RunnerFolder) throws -> Void = { _ in }
  ) async throws -> RunnerFolder {
    let folder = try RunnerFolder(try await register(name, labels: labels).files)
    try prepare(folder)
    try folder.start(shell: shell, environment: environment)
    #expect(try await folder.end() == 0, "\(folder.output)")
    return folder
  }
}
