import ArgumentParser

/// `runnerhub plugin`. Each subcommand is a file beside this one.
struct PluginCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "plugin", abstract: "Write, test, check and operate plugins.",
    subcommands: [PluginNewCommand.self, PluginTestCommand.self, PluginReplayCommand.self])
}
