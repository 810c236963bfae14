import ArgumentParser
import Foundation
import Policies

/// `runnerhub policy test`
struct PolicyTestCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "test", abstract: "Run the _test.lua beside each policy.",
    discussion: """
      Examples:
        runnerhub policy test policies
        runnerhub policy test policies --watch
        runnerhub policy test policies --junit policies.xml --coverage --minimum-coverage 95
        runnerhub policy test policies --filter 'linux job'
      """)
  @Argument(help: "The folder of policies.", completion: .directory) var folder = "policies"
  @Option(help: "Only tests whose name holds this text.") var filter: String?
  @Flag(help: "Run again at each change, and show what is different; Ctrl-C ends it.") var watch = false
  @Option(help: "Write results as JUnit's XML to this file.", completion: .file(extensions: ["xml"])) var junit: String?
  @Flag(help: "List the lines that no test executed.") var coverage = false
  @Option(help: "Fail where tests execute less of the lines, in percent.") var minimumCoverage: Double?
  @Flag(help: "As JSON.") var json = false

  func validate() throws {
    if let minimumCoverage, !(0...100).contains(minimumCoverage) {
      throw ValidationError("--minimum-coverage is \(minimumCoverage): expected a number from 0 to 100")
    }
    if minimumCoverage != nil, filter != nil { throw ValidationError("--minimum-coverage needs all tests: leave out --filter") }
    if watch, json { throw ValidationError("--watch shows changes as text: leave out --json") }
  }

  func run() async throws {
    let options = PolicyCommands.TestOptions(filter: filter, listsUncovered: coverage, minimumCoverage: minimumCoverage)
    let first = try runOnce(options)
    guard watch else { return try PolicyCommand.show(first.report, json: json) }
    // Past the buffer: whoever watches by a pipe or a log sees each run at its end.
    Terminal.write(first.report.text + "\n")
    try await FolderWatcher.watch(folder, after: first.outcome) { last in
      let run = try runOnce(options)
      let changes = run.outcome.changes(since: last)
      Terminal.write((changes + [run.outcome.summary]).joined(separator: "\n") + "\n")
      return run.outcome
    }
  }

  private func runOnce(_ options: PolicyCommands.TestOptions) throws -> PolicyCommands.TestRun {
    let run = PolicyCommands.runTests(folder, options)
    if let junit {
      do {
        try Data(run.junit.utf8).write(to: URL(filePath: junit), options: .atomic)
      } catch {
        throw ValidationError("--junit names \(junit), which cannot be written: \(error.localizedDescription)")
      }
    }
    return run
  }
}
