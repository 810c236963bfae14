import ArgumentParser
import Engines
import Foundation
import Plugins

/// `runnerhub plugin test`
struct PluginTestCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "test", abstract: "Try a plugin against what its kind must do, and run its own tests.",
    discussion: """
      Examples:
        runnerhub plugin test plugins/pager
        runnerhub plugin test plugins --junit plugins.xml
        runnerhub plugin test plugins/pager --record pager.jsonl
      The folder of a plugin, or one that holds several. It is started and confined as the server does, with all abilities that its manifest asks
      for. test_NAME.yaml beside it gives a valid configuration and tests of the author's own: docs/plugin-guide.md.
      """)
  @Argument(help: "The folder of the plugin, or of plugins.", completion: .directory) var folder = "plugins"
  @Option(help: "Write results as JUnit's XML to this file.", completion: .file(extensions: ["xml"])) var junit: String?
  @Option(help: "Write what is said to this file, for plugin replay. Secrets are masked.", completion: .file(extensions: ["jsonl"]))
  var record: String?
  @Flag(help: "As JSON.") var json = false

  func run() async throws {
    let root = URL(filePath: folder, directoryHint: .isDirectory).standardizedFileURL
    let isOne = FileManager.default.fileExists(atPath: root.appending(path: "plugin.yaml").path(percentEncoded: false))
    let folders = isOne ? [root] : try Self.plugins(in: root)
    guard isOne || record == nil else { throw ValidationError("--record writes the sessions of one plugin: name its folder") }
    var reports: [PluginTestReport] = []
    for folder in folders {
      let report = await PluginSuite.run(
        folder: folder, hostVersion: RunnerHubCommand.version, firstProcess: FirstProcess.script, record: record.map { URL(filePath: $0) })
      if !json { Terminal.write((isOne ? "" : "\(report.name)\n") + report.text + "\n") }
      reports.append(report)
    }
    let passed = reports.reduce(0) { $0 + $1.passed }
    let failed = reports.reduce(0) { $0 + $1.failed }
    if let junit {
      do {
        try Data(PluginTestReport.junit(reports).utf8).write(to: URL(filePath: junit), options: .atomic)
      } catch {
        throw ValidationError("--junit names \(junit), which cannot be written: \(error.localizedDescription)")
      }
    }
    if json {
      let encoder = JSONEncoder()
      encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
      print(String(decoding: try encoder.encode(["plugins": reports]), as: UTF8.self))
    } else if !isOne {
      print("Plugin tests: \(passed) passed, \(failed) failed")
    }
    if failed > 0 { throw ExitCode.failure }
  }

  private static func plugins(in root: URL) throws -> [URL] {
    let names: [String]
    do {
      names = try FileManager.default.contentsOfDirectory(atPath: root.path(percentEncoded: false)).sorted()
    } catch {
      throw ValidationError("\(root.relativePath) has no plugin.yaml, and cannot be listed: \(error.localizedDescription)")
    }
    return names.map { root.appending(path: $0, directoryHint: .isDirectory) }.filter {
      FileManager.default.fileExists(atPath: $0.appending(path: "plugin.yaml").path(percentEncoded: false))
    }
  }
}
