import ArgumentParser
import Foundation
import RunnerHub

/// `runnerhub config`
struct ConfigCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "config", abstract: "Check and show the configuration.", subcommands: [Check.self, Show.self, Reference.self])

  struct Source: ParsableArguments {
    @Option(help: "The configuration file (default: runnerhub.yaml in this folder, where it exists).")
    var config: String?

    @Argument(parsing: .allUnrecognized, help: "Settings, such as --orchestrator.max-tries 3.")
    var settings: [String] = []

    func load() throws -> Configuration {
      try Configuration.load(file: config, environment: ProcessInfo.processInfo.environment, flags: settings)
    }
  }

  struct Check: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Read file, environment and flags, and say everything that is wrong.",
      discussion: "Example: runnerhub config check --config /etc/runnerhub/runnerhub.yaml")
    @OptionGroup var source: Source

    func run() async throws {
      let configuration = try source.load()
      let set = configuration.values.values.count { $0.place != .standard }
      let pools = configuration.settings.pools.count
      print("configuration ok: \(set) value\(set == 1 ? "" : "s") set, \(pools) pool\(pools == 1 ? "" : "s")")
    }
  }

  struct Show: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Show every value and where it comes from. Secrets are not shown.",
      discussion: "Example: runnerhub config show --json --pools.linux.maximum 8")
    @OptionGroup var source: Source
    @Flag(help: "As JSON.") var json = false

    func run() async throws {
      let configuration = try source.load()
      let rows = configuration.shown
      if json {
        let object = Dictionary(rows.map { ($0.path, ["value": $0.value, "source": $0.source]) }, uniquingKeysWith: { first, _ in first })
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        print(String(decoding: try encoder.encode(object), as: UTF8.self))
      } else {
        print(TextTable(columns: ["KEY", "VALUE", "SOURCE"], rows: rows.map { [$0.path, $0.value, $0.source] }).text(width: nil))
      }
    }
  }

  struct Reference: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Print the documentation of every key as Markdown.",
      discussion: "Example: runnerhub config reference > docs/configuration.md")

    func run() async throws { print(ConfigurationReference.markdown) }
  }
}
