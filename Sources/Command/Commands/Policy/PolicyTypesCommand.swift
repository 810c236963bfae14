import ArgumentParser
import Policies

/// `runnerhub policy types`
struct PolicyTypesCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "types", abstract: "The annotations from which editors complete: print, write or check them.",
    discussion: """
      Examples:
        runnerhub policy types --write policies/types/runnerhub.lua
        runnerhub policy types --check policies/types/runnerhub.lua
      """)
  @Option(help: "Write them to this file.", completion: .file(extensions: ["lua"])) var write: String?
  @Option(help: "Fail where this file holds others.", completion: .file(extensions: ["lua"])) var check: String?
  @Flag(help: "As JSON.") var json = false

  func validate() throws {
    if write != nil, check != nil { throw ValidationError("--write and --check exclude each other") }
  }

  func run() async throws { try PolicyCommand.show(PolicyCommands.types(at: check ?? write, onlyChecks: check != nil), json: json) }
}
