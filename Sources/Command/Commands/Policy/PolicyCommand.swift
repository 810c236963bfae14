import ArgumentParser
import Foundation
import Policies

/// `runnerhub policy`. Each subcommand is a file beside this one.
struct PolicyCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "policy", abstract: "Check, test and try Lua policies.",
    subcommands: [
      PolicyCheckCommand.self, PolicyTestCommand.self, PolicyEvalCommand.self, PolicyExplainCommand.self, PolicyBenchCommand.self,
      PolicyReplayCommand.self, PolicyDiffCommand.self, PolicyNewCommand.self, PolicyTypesCommand.self, PolicySimulateCommand.self,
      PolicyReloadCommand.self, PolicyRollbackCommand.self, PolicyHistoryCommand.self, PolicyShadowCommand.self, PolicyCanaryCommand.self,
      PolicyPromoteCommand.self, PolicyDifferencesCommand.self,
    ])

  /// Prints a report, and ends with 1 where not everything was as it should be.
  static func show(_ report: PolicyCommands.Report, json: Bool = false) throws {
    if json {
      let encoder = JSONEncoder()
      encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
      print(String(decoding: try encoder.encode(report.values), as: UTF8.self))
    } else {
      print(report.text)
    }
    if !report.isSuccess { throw ExitCode.failure }
  }
}
