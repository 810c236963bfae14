import Foundation
import Testing

/// The command as it was built, which lies beside the bundle of tests.
enum Binary {
  struct Outcome: Equatable {
    var status: Int32
    var output: String
    var error: String
    /// Files that the command left in its working directory.
    var left: [String] = []
  }

  static let url = URL(filePath: CommandLine.arguments[0]).standardizedFileURL.deletingLastPathComponent().appending(path: "runnerhub")

  /// Runs it to its end in an empty folder of its own, with nothing of our environment but the path.
  /// - Parameter files: what lies in the folder, by name.
  static func run(_ arguments: [String], environment: [String: String] = [:], files: [String: String] = [:]) throws -> Outcome {
    let base = FileManager.default.temporaryDirectory.appending(path: "runnerhub-command-\(UUID().uuidString)", directoryHint: .isDirectory)
    let folder = base.appending(path: "work", directoryHint: .isDirectory)
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { #expect(throws: Never.self) { try FileManager.default.removeItem(at: base) } }
    for (name, text) in files {
      let file = folder.appending(path: name)
      try FileManager.default.createDirectory(at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
      try Data(text.utf8).write(to: file)
    }

    // Files instead of pipes: none is ever full.
    let streams = try ["output", "error"].map { name in
      let path = base.appending(path: name).path
      try #require(FileManager.default.createFile(atPath: path, contents: nil))
      return try #require(FileHandle(forWritingAtPath: path))
    }
    let process = Process()
    process.executableURL = url
    process.arguments = arguments
    process.environment = environment.merging(["PATH": "/usr/bin:/bin"]) { own, _ in own }
    process.currentDirectoryURL = folder
    process.standardInput = FileHandle.nullDevice
    process.standardOutput = streams[0]
    process.standardError = streams[1]
    try process.run()
    process.waitUntilExit()
    func text(_ name: String) throws -> String { String(decoding: try Data(contentsOf: base.appending(path: name)), as: UTF8.self) }
    let left = try FileManager.default.contentsOfDirectory(atPath: folder.path).filter { files[$0] == nil }.sorted()
    return Outcome(status: process.terminationStatus, output: try text("output"), error: try text("error"), left: left)
  }
}
