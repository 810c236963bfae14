import ArgumentParser
import Foundation
import Plugins

/// `runnerhub plugin check`
struct PluginCheckCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "check",
    abstract: "Whether a plugin would be started: its manifest, program, configuration and grants, and how to mend them.",
    discussion: """
      Ends with 1 where something is wrong. Nothing of the plugin is run.
      Example: runnerhub plugin check plugins/slack --config runnerhub.yaml
      """)

  @Argument(help: "The plugin's folder.", completion: .directory) var folder: String
  @Option(help: "The configuration file (default: runnerhub.yaml in this folder, where it exists).", completion: .file()) var config:
    String?

  func run() throws {
    let folder = URL(filePath: folder, directoryHint: .isDirectory)
    let name = folder.standardizedFileURL.lastPathComponent
    let manifest: PluginManifest
    do {
      manifest = try PluginManifest.read(folder: folder)
    } catch {
      return try fail(error.problems)
    }
    print("manifest       \(manifest.name) \(manifest.version), kind \(manifest.kind.rawValue): \(manifest.summary)")
    let problems = CheckedPlugin.commandProblems(manifest, folder)
    if !problems.isEmpty { return try fail(problems) }
    print("command        \(manifest.command.joined(separator: " "))")
    print("abilities      \(manifest.abilities.isEmpty ? "none" : manifest.abilities.texts.joined(separator: ", "))")
    guard let plan = try plan(of: name) else {
      print("not named      add to runnerhub.yaml where it is to run:\n\(Self.section(manifest))")
      return
    }
    do {
      _ = try CheckedPlugin.check(folder: folder, plan: plan)
    } catch {
      return try fail(error.problems)
    }
    print("configuration  valid (\(plan.place))")
    print("grants         enough")
    if !plan.isEnabled { print("disabled       by \(plan.place)") }
  }

  /// What the configuration says of it; nil: nothing.
  private func plan(of name: String) throws -> PluginPlan? {
    guard let file = config ?? Configuration.presentFile else { return nil }
    return try Configuration.rehearsed(file: file).plugins.first { $0.name == name }
  }

  private static func section(_ manifest: PluginManifest) -> String {
    var lines = ["  plugins:", "    \(manifest.name):"]
    lines.append("      grant: [\(manifest.abilities.texts.joined(separator: ", "))]")
    if manifest.configuration != nil { lines.append("      configuration: {}   # as its README says") }
    return lines.joined(separator: "\n")
  }

  private func fail(_ problems: [String]) throws {
    for problem in problems { print(problem) }
    print("\(problems.count) problem\(problems.count == 1 ? "" : "s"): \(folder) would not be started")
    throw ExitCode.failure
  }
}
