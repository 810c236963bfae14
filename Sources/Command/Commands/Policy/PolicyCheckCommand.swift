import ArgumentParser
import Policies

/// `runnerhub policy check`
struct PolicyCheckCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "check", abstract: "Syntax, shapes, names and fields of every file, without running a decision.",
    discussion: """
      Examples:
        runnerhub policy check policies
        runnerhub policy check policies --strict --json
      Errors keep a bundle from acting, or break a decision that comes to them. Warnings are what is probably not meant: functions and data
      that nothing uses, comparisons that are never true.
      """)
  @Argument(help: "The folder of policies.", completion: .directory) var folder = "policies"
  @Flag(help: "Fail for warnings too.") var strict = false
  @Flag(help: "As JSON.") var json = false

  func run() async throws { try PolicyCommand.show(PolicyCommands.check(folder, isStrict: strict), json: json) }
}
