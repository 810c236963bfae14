import ArgumentParser
import Domain
import Foundation
import RunnerHub
import Web

/// `runnerhub migration`
struct MigrationCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "migration", abstract: "What moved to RunnerHub, what did not and why, and which runners are needed no more.",
    subcommands: [Report.self, Status.self, Complete.self])

  struct Report: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "What ran on which side in a period, why, and how each side did.",
      discussion: """
        Examples:
          runnerhub migration report --since 7d --by workflow
          runnerhub migration report --by reason --csv > migration.csv
        A wait counts from the decision on the route to the start; a failure rate is failed ÷ (succeeded + failed).
        """)
    @OptionGroup var host: JobCommand.Host
    @Option(help: "How far back: 30d, 24h, or a time.") var since = ReportPeriod.days(30)
    @Option(help: "What the rows stand for: \(MigrationGrouping.allCases.map(\.rawValue).joined(separator: ", ")).")
    var by = MigrationGrouping.repository
    @Flag(help: "As JSON.") var json = false
    @Flag(help: "As comma-separated values.") var csv = false

    func run() async throws {
      let report: MigrationReport = try await host.client().get("/api/v1/migration?by=\(by.rawValue)&\(since.parameter)")
      if json { return print(String(decoding: try WireJSON.encoder.encode(report), as: UTF8.self)) }
      print(csv ? MigrationTables.csv(report) : MigrationTables.text(report, width: Terminal.size?.columns))
    }
  }

  struct Status: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Traditional runners by their last job, and what still needs them.", discussion: "Example: runnerhub migration status")
    @OptionGroup var host: JobCommand.Host
    @Option(help: "How far back: 30d, 24h, or a time.") var since = ReportPeriod.days(30)
    @Flag(help: "As JSON.") var json = false

    func run() async throws {
      let status: MigrationStatus = try await host.client().get("/api/v1/migration/status?\(since.parameter)")
      if json { return print(String(decoding: try WireJSON.encoder.encode(status), as: UTF8.self)) }
      print(MigrationTables.text(status, width: Terminal.size?.columns))
    }
  }

  struct Complete: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Say which traditional runners may be decommissioned, or what stands against it.",
      discussion: """
        Ends with 0 where no job of the period needs a traditional runner, with 2 where one does, with 1 where the question could not be answered.
        Nothing is changed but the audit, which notes the question and its answer.
        Example: runnerhub migration complete --scope acme/storefront && echo done
        """)
    /// Jobs still need traditional runners.
    static let isRefused = ExitCode(2)

    @OptionGroup var host: JobCommand.Host
    @Option(help: "An owner or a repository, such as acme or acme/storefront (default: everything).") var scope: String?
    @Option(help: "How far back: 30d, 24h, or a time.") var since = ReportPeriod.days(30)
    @Flag(help: "As JSON.") var json = false

    func run() async throws {
      let completion: MigrationCompletion = try await host.client().post(
        "/api/v1/migration/complete", MigrationRoutes.CompleteWish(scope: scope, since: since.start(from: Date())))
      print(
        json
          ? String(decoding: try WireJSON.encoder.encode(completion), as: UTF8.self)
          : MigrationTables.text(completion, width: Terminal.size?.columns))
      if !completion.isComplete { throw Self.isRefused }
    }
  }
}

extension MigrationGrouping: ExpressibleByArgument {}
