import Emulator
import Foundation
import Workflow

/// A workflow of GitHub's collection that can be foretold, whatever files the corpus holds.
struct Starter: Sendable, CustomStringConvertible {
  /// Below `starter-workflows`.
  let path: String
  let text: String
  let event: String

  var description: String { path }
  var file: WorkflowFile? { WorkflowFile.parse(text, path: path).file }
  var forecast: WorkflowForecast? { file.flatMap { WorkflowForecast($0, isOffered: Self.isOffered) } }
  var repository: String { "acme/" + path.map { $0.isLetter || $0.isNumber ? String($0) : "-" }.joined() }
  var files: [String: String] { [".github/workflows/" + (path.split(separator: "/").last ?? ""): text] }

  /// The labels that the test's policy maps to the pool: GitHub's machines with Ubuntu.
  static func isOffered(_ label: String) -> Bool { label.lowercased().hasPrefix("ubuntu-") }

  /// The same as a policy.
  static let routing = """
      for _, label in ipairs(job.labels) do
        if label:sub(1, 7) ~= "ubuntu-" then return "traditional", "label " .. label .. " is mapped to no pool" end
      end
      return "orchestrator", "Ubuntu is mapped to the pool"
    """

  /// Files whose every job can be foretold, in the order of their paths.
  static func all() throws -> [Starter] {
    let root = Places.corpora.appending(path: "starter-workflows")
    let files = FileManager.default
    let folders = try files.contentsOfDirectory(atPath: root.path).filter { !$0.contains(".") && $0 != "expected" && $0 != "LICENSE" }
      .sorted()
    return try folders.flatMap { folder in
      try files.contentsOfDirectory(atPath: root.appending(path: folder).path).sorted()
        .filter { $0.hasSuffix(".yml") || $0.hasSuffix(".yaml") }.compactMap { name in
          try Starter("\(folder)/\(name)", String(contentsOf: root.appending(path: folder).appending(path: name), encoding: .utf8))
        }
    }
  }

  /// - Returns: nil for a file that GitHub refuses, that no event here starts, or whose jobs the text does not foretell.
  private init?(_ path: String, _ template: String) {
    // What GitHub fills in.
    let text = template.replacing("$default-branch", with: "main").replacing("$protected-branches", with: "main")
      .replacing("$cron-daily", with: "30 1 * * 0").replacing("$cron-weekly", with: "30 1 * * 0")
    guard let file = WorkflowFile.parse(text, path: path).file else { return nil }
    // A called workflow starts nothing by itself.
    let triggers = file.triggers.filter { $0 != "workflow_call" }
    let wanted = ["push", "workflow_dispatch", "schedule", "release", "pull_request"]
    guard let event = wanted.first(where: triggers.contains) ?? triggers.first else { return nil }
    self.init(path: path, text: text, event: event)
    guard forecast != nil else { return nil }
  }

  private init(path: String, text: String, event: String) {
    self.path = path
    self.text = text
    self.event = event
  }

  /// Some of them, spread evenly over all.
  static func choice(of count: Int) throws -> [Starter] {
    let all = try all()
    guard all.count > count else { return all }
    return (0..<count).map { all[$0 * all.count / count] }
  }

  /// Up to `each` that end well and up to `each` that fail, those that show something in their log first. All of their jobs run here, and
  /// none races with a sibling.
  static func fewOfEachKind(_ each: Int) throws -> [Starter] {
    let all = try all().map { (starter: $0, jobs: $0.forecast.map { Array($0.jobs.values) } ?? []) }.filter { one in
      one.jobs.allSatisfy { !$0.areForwarded.contains(true) && $0.conclusions.allSatisfy { $0.count == 1 } }
    }
    func first(_ fails: Bool) -> [Starter] {
      let kind = all.filter { $0.jobs.contains { $0.fails } == fails }
      let shown = kind.filter { $0.jobs.contains { $0.shown != nil } }
      let silent = kind.filter { $0.jobs.allSatisfy { $0.shown == nil } }
      return (shown + silent).prefix(each).map(\.starter)
    }
    return first(false) + first(true)
  }

  /// The stand-in runner in an image where bash's own words are real, and every other command is a stand-in that says what it was asked and
  /// succeeds: how a `run:` step ends is known by construction, and none reaches a network.
  static func makeImage(in folder: URL) throws -> URL {
    let image = folder.appending(path: "image", directoryHint: .isDirectory)
    try FileManager.default.createDirectory(at: image, withIntermediateDirectories: true)
    for file in StandInRunner.files {
      let name = file.path == "run.sh" ? "runner.sh" : file.path
      try write(Data(file.contents), to: image.appending(path: name), mode: file.mode)
    }
    let stubs = image.appending(path: "stubs.bash")
    let stubsText = """
      # Read by each bash before its script: only a step's own script loses its commands.
      case $0 in
        */step_*.sh)
          PATH=/nonexistent
          command_not_found_handle() { printf 'stand-in for %s\\n' "$*"; }
          ;;
      esac

      """
    try write(Data(stubsText.utf8), to: stubs, mode: 0o644)
    let run = "#!/bin/sh\nBASH_ENV='\(stubs.path(percentEncoded: false))'\nexport BASH_ENV\nexec \"$(dirname \"$0\")/runner.sh\"\n"
    try write(Data(run.utf8), to: image.appending(path: "run.sh"), mode: 0o755)
    return image
  }

  private static func write(_ data: Data, to url: URL, mode: some BinaryInteger) throws {
    try data.write(to: url)
    try FileManager.default.setAttributes([.posixPermissions: Int(mode)], ofItemAtPath: url.path(percentEncoded: false))
  }
}
