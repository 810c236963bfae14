import ArgumentParser
import Domain
import Foundation
import RunnerHub
import Simulation

/// `runnerhub trace`
struct TraceCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "trace", abstract: "Recorded traffic, for simulations.", subcommands: [Export.self])

  struct Export: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Write the jobs that have run as a trace: a JSON line each.",
      discussion: """
        Examples:
          runnerhub trace export --since 24h --out trace.jsonl
          runnerhub trace export --data /var/lib/runnerhub | gzip > trace.jsonl.gz
        The store is read beside a running serve, and is not changed. docs/simulation.md describes the lines.
        """)
    @Option(help: "The data directory of a serve, or its database.") var data = "data"
    @Option(help: "Only jobs made so long ago at most: 90m, 24h, 7d.") var since: String?
    @Option(help: "The file to write (default: standard output).") var out: String?

    func validate() throws {
      if let since, TraceSource.seconds(since) == nil {
        throw ValidationError("--since is \"\(since)\": expected a time such as 90m, 24h or 7d")
      }
    }

    func run() async throws {
      let from = since.flatMap(TraceSource.seconds).map { Date().addingTimeInterval(-$0) }
      let jobs = try await TraceSource.jobs(inStore: data, since: from)
      let lines = try TraceFile.write(jobs)
      guard let out else { return FileHandle.standardOutput.write(lines) }
      do {
        try lines.write(to: URL(filePath: out), options: .atomic)
      } catch {
        throw ValidationError("--out names \(out), which cannot be written: \(error.localizedDescription)")
      }
      Terminal.say("\(jobs.count) job\(jobs.count == 1 ? "" : "s") in \(out)")
    }
  }
}
