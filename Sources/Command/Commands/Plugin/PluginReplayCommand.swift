import ArgumentParser
import Foundation
import Plugins

/// `runnerhub plugin replay`
struct PluginReplayCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "replay", abstract: "Say the host's side of a recorded session again, and show where the answers differ.",
    discussion: """
      Examples:
        runnerhub plugin replay pager.jsonl plugins/pager
        runnerhub plugin replay pager.jsonl plugins/pager --ignore /result/version
      plugin test --record writes such a file. Places that may differ are named with --ignore, or in 'volatile' of the record's first line. Secrets
      were masked: they are taken from the configuration in test_NAME.yaml.
      """)
  @Argument(help: "The record.", completion: .file(extensions: ["jsonl"])) var record: String
  @Argument(help: "The folder of the plugin.", completion: .directory) var folder: String
  @Option(help: "A JSON pointer in answers, such as /result/version, that may differ. Can be given several times.") var ignore: [String] =
    []
  @Flag(help: "As JSON.") var json = false

  func run() async throws {
    let (record, folder, ignore) = (URL(filePath: record), URL(filePath: folder, directoryHint: .isDirectory), ignore)
    let result: Result<PluginReplay.Outcome, PluginReplay.Refusal> = await withCheckedContinuation { continuation in
      Thread {
        let result = Result { () throws(PluginReplay.Refusal) in
          try PluginReplay.run(record: record, folder: folder, ignoring: ignore, hostVersion: RunnerHubCommand.version)
        }
        continuation.resume(returning: result)
      }.start()
    }
    let outcome: PluginReplay.Outcome
    do {
      outcome = try result.get()
    } catch {
      throw ValidationError(error.description)
    }
    if json {
      let encoder = JSONEncoder()
      encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
      print(String(decoding: try encoder.encode(outcome), as: UTF8.self))
    } else {
      for difference in outcome.differences {
        print(
          "\(record.lastPathComponent):\(difference.line): \(difference.method)\(difference.place): was \(difference.recorded), is \(difference.now)"
        )
      }
      print("\(outcome.answers) answers in \(outcome.sessions) sessions, \(outcome.differences.count) differ")
    }
    if !outcome.differences.isEmpty { throw ExitCode.failure }
  }
}
