import ArgumentParser
import Domain
import Policies

/// `runnerhub policy new`
struct PolicyNewCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "new", abstract: "Write a commented policy with its test.",
    discussion: """
      Examples:
        runnerhub policy new routing
        runnerhub policy new lib teams
        runnerhub policy new --from release-freeze --policies next
      Nothing is overwritten.
      """)
  @Argument(
    help: "routing, priority, affinity, scaling or lib.", completion: .list(PolicyCommands.NewKind.allCases.map(\.rawValue)))
  var kind: String?
  @Argument(help: "lib: its name.") var name: String?
  @Option(help: "Copy this example instead.") var from: String?
  @Option(help: "The folder of examples.", completion: .directory) var examples = "policies/examples"
  @Option(help: "The folder of policies.", completion: .directory) var policies = "policies"
  @Flag(help: "As JSON.") var json = false

  func run() async throws {
    if let from {
      guard kind == nil else { throw ValidationError("--from copies all files of an example: leave out '\(kind ?? "")'") }
      return try PolicyCommand.show(PolicyCommands.copy(from, of: examples, to: policies), json: json)
    }
    let words = PolicyCommands.NewKind.allCases.map(\.rawValue)
    guard let word = kind else { throw ValidationError("name what to write: one of \(words.joined(separator: ", ")), or --from EXAMPLE") }
    guard let kind = PolicyCommands.NewKind(rawValue: word) else {
      let hint = Suggestion.nearest(to: word, among: words).map { " – did you mean \($0)?" } ?? ""
      throw ValidationError("unknown kind \"\(word)\": expected one of \(words.joined(separator: ", "))\(hint)")
    }
    try PolicyCommand.show(PolicyCommands.new(kind, name: name, in: policies), json: json)
  }
}
