import Foundation
import Glibc

/// `runnerhub` as a process of its own. What it prints is kept in a file, for when a test fails.
actor HubProcess {
  /// Everything of it is here: configuration, data, containers, output.
  nonisolated let folder: URL
  private let arguments: [String]
  private let environment: [String: String]
  private var process: Process?

  init(folder: URL, arguments: [String], environment: [String: String]) {
    self.folder = folder
    self.arguments = arguments
    self.environment = environment.merging(["PATH": ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/bin"]) { own, _ in own }
  }

  nonisolated var data: URL { folder.appending(path: "data", directoryHint: .isDirectory) }
  nonisolated var database: String { data.appending(path: "runnerhub.sqlite").path(percentEncoded: false) }
  nonisolated private var outputFile: URL { folder.appending(path: "output.log") }

  /// Where a running `serve` listens.
  struct Announcement: Codable, Sendable {
    var processID: Int32
    var webhooks: String
    var administration: String
  }

  /// - Parameter further: variables for this start alone.
  func launch(_ further: [String: String] = [:]) throws {
    if !FileManager.default.fileExists(atPath: outputFile.path(percentEncoded: false)) { try Data().write(to: outputFile) }
    let output = try FileHandle(forWritingTo: outputFile)
    defer { try? output.close() }
    try output.seekToEnd()
    let process = Process()
    process.executableURL = try Places.command
    process.arguments = arguments
    process.environment = environment.merging(further) { _, new in new }
    process.currentDirectoryURL = Places.root
    process.standardInput = FileHandle.nullDevice
    process.standardOutput = output
    process.standardError = output
    try process.run()
    self.process = process
  }

  /// Starts `serve`, and waits until it listens.
  func serve() async throws {
    try launch()
    try await eventually("runnerhub listens: \(output)") {
      if let process, !process.isRunning { throw EndedEarly(status: process.terminationStatus, output: output) }
      return isListening
    }
  }

  /// Whether it listens now: what an earlier start announced does not count.
  var isListening: Bool { isRunning && announcement?.processID == process?.processIdentifier }

  var announcement: Announcement? {
    FileManager.default.contents(atPath: data.appending(path: "runnerhub.json").path(percentEncoded: false))
      .flatMap { try? JSONDecoder().decode(Announcement.self, from: $0) }
  }

  var isRunning: Bool { process?.isRunning ?? false }

  nonisolated var output: String {
    (try? String(contentsOf: outputFile, encoding: .utf8)) ?? ""
  }

  func signal(_ number: Int32) {
    guard let process, process.isRunning else { return }
    kill(process.processIdentifier, number)
  }

  /// - Returns: its exit status; 128 and the signal's number where one ended it.
  func exit(within limit: Duration = .seconds(30)) async throws -> Int32 {
    guard let process else { throw NeverCame(what: "a start of runnerhub") }
    try await eventually("the exit of runnerhub", within: limit) { !process.isRunning }
    self.process = nil
    return process.terminationReason == .uncaughtSignal ? 128 + process.terminationStatus : process.terminationStatus
  }

  /// SIGTERM, and its exit status.
  func stop(within limit: Duration = .seconds(30)) async throws -> Int32 {
    signal(SIGTERM)
    return try await exit(within: limit)
  }

  /// Ends whatever is left of it, its containers too, and removes the folder.
  func remove() async throws {
    signal(SIGKILL)
    if process != nil { _ = try await exit() }
    try await eventually("the end of what a test left behind") {
      let left = Processes.of(folder)
      for pid in left { kill(pid, SIGKILL) }
      return left.isEmpty
    }
    try FileManager.default.removeItem(at: folder)
  }

  struct EndedEarly: Error, CustomStringConvertible {
    var status: Int32
    var output: String
    var description: String { "runnerhub ended early with \(status):\n\(output)" }
  }
}
