import ArgumentParser
import Domain
import Foundation
import RunnerHub
import Web

/// `runnerhub plugin`
struct PluginCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "plugin", abstract: "Programs of others beside RunnerHub: what they do, and whether they may.",
    subcommands: [
      List.self, Logs.self, Enable.self, Disable.self, Restart.self, PluginCheckCommand.self,
    ])

  struct List: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "The plugins of a running serve.", discussion: "Example: runnerhub plugin list --json")
    @OptionGroup var host: JobCommand.Host
    @Flag(help: "As JSON.") var json = false

    func run() async throws {
      let plugins: [PluginStatus] = try await host.client().get("/api/v1/plugins")
      if json { return print(String(decoding: try WireJSON.encoder.encode(plugins), as: UTF8.self)) }
      if plugins.isEmpty { return print("no plugin lies in the folder, and runnerhub.yaml names none") }
      print(PluginTable.text(plugins, now: Date(), width: Terminal.size?.columns))
    }
  }

  struct Logs: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "What a plugin wrote to its standard error lately, and what RunnerHub says of it (in parentheses).",
      discussion: "Example: runnerhub plugin logs slack --follow")
    @OptionGroup var host: JobCommand.Host
    @Argument(help: "Name of the plugin.") var name: String
    @Flag(name: .shortAndLong, help: "Go on until Ctrl-C.") var follow = false

    func run() async throws {
      let client = try host.client()
      var after: Int64?
      while true {
        let question = after.map { "?after=\($0)&limit=1000" } ?? "?limit=1000"
        let log: PluginRoutes.LogDocument = try await client.get("/api/v1/plugins/\(try PluginWishCommand.word(name))/logs\(question)")
        for line in log.lines { print("\(line.at.formatted(Date.ISO8601FormatStyle(includingFractionalSeconds: true)))  \(line.text)") }
        if !follow { return }
        after = log.next
        if log.lines.isEmpty { try await Task.sleep(for: .milliseconds(250)) }
      }
    }
  }

  struct Enable: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Run a plugin that was disabled, or start one again that is quarantined.",
      discussion: "Example: runnerhub plugin enable slack")
    @OptionGroup var wish: PluginWishCommand
    func run() async throws { try await wish.run(.enable) }
  }

  struct Disable: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Stop a plugin, also over restarts of RunnerHub, until it is enabled.",
      discussion: "Example: runnerhub plugin disable slack")
    @OptionGroup var wish: PluginWishCommand
    func run() async throws { try await wish.run(.disable) }
  }

  struct Restart: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Start a plugin anew; no call is lost.", discussion: "Example: runnerhub plugin restart slack")
    @OptionGroup var wish: PluginWishCommand
    func run() async throws { try await wish.run(.restart) }
  }
}

/// A wish for one plugin of a running serve.
struct PluginWishCommand: ParsableArguments {
  @OptionGroup var host: JobCommand.Host
  @Argument(help: "Name of the plugin.") var name: String
  @Flag(help: "As JSON.") var json = false

  func run(_ wish: PluginWish) async throws {
    let status: PluginStatus = try await host.client().post("/api/v1/plugins/\(try Self.word(name))/\(wish.rawValue)", PluginRoutes.Wish())
    if json { return print(String(decoding: try WireJSON.encoder.encode(status), as: UTF8.self)) }
    print(PluginTable.text([status], now: Date(), width: Terminal.size?.columns))
  }

  /// A name as a part of a path.
  static func word(_ name: String) throws -> String {
    guard !name.isEmpty, name.allSatisfy({ $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "-") }) else {
      throw ValidationError("'\(name)' is no name of a plugin: expected lower-case letters, digits and -")
    }
    return name
  }
}

/// Plugins as a table.
enum PluginTable {
  static func text(_ plugins: [PluginStatus], now: Date, width: Int?) -> String {
    let rows = plugins.map { plugin in
      [
        plugin.name, plugin.kind ?? "–", plugin.version ?? "–", plugin.state.rawValue, span(now.timeIntervalSince(plugin.since)),
        "\(plugin.calls)", "\(plugin.errors)", "\(plugin.failures)", plugin.reason ?? plugin.summary ?? "",
      ]
    }
    return TextTable(columns: ["PLUGIN", "KIND", "VERSION", "STATE", "SINCE", "CALLS", "ERRORS", "FAILURES", "WHY"], rows: rows)
      .text(width: width)
  }

  private static func span(_ seconds: TimeInterval) -> String {
    Duration.seconds(max(0, seconds)).formatted(.units(allowed: [.days, .hours, .minutes, .seconds], width: .narrow, maximumUnitCount: 1))
  }
}
