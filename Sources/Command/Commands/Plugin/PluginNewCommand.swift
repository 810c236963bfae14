import ArgumentParser
import Domain
import Foundation
import Plugins

/// `runnerhub plugin new`
struct PluginNewCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "new", abstract: "Write a working plugin with its test.",
    discussion: """
      Examples:
        runnerhub plugin new --kind notifier --language python pager
        runnerhub plugin new --kind observer --language shell journal --plugins /etc/runnerhub/plugins
        runnerhub plugin new --kind engine --language lua containers
      Kinds: notifier, observer, secrets, engine, source, garm-provider. Nothing is overwritten.
      """)
  @Option(help: "notifier, observer, secrets, engine, source or garm-provider.", completion: .list(PluginKind.allCases.map(\.rawValue)))
  var kind: String
  @Option(help: "shell, python, lua or swift.", completion: .list(PluginTemplate.Language.allCases.map(\.rawValue))) var language: String
  @Argument(help: "Its name: lower-case letters, digits and -.") var name: String
  @Option(help: "The folder of plugins.", completion: .directory) var plugins = "plugins"
  @Flag(help: "As JSON.") var json = false

  func run() async throws {
    let kind = try Self.choice(kind, of: PluginKind.allCases, "kind")
    let language = try Self.choice(language, of: PluginTemplate.Language.allCases, "language")
    let files: [String]
    do {
      files = try PluginTemplate(kind: kind, language: language, name: name).write(
        into: URL(filePath: plugins, directoryHint: .isDirectory))
    } catch {
      throw ValidationError(error.description)
    }
    if json {
      print(String(decoding: try JSONEncoder().encode(["files": files.map { "\(plugins)/\(name)/\($0)" }]), as: UTF8.self))
    } else {
      print("\(plugins)/\(name): \(files.joined(separator: ", "))")
    }
  }

  private static func choice<Choice: RawRepresentable<String>>(_ word: String, of choices: [Choice], _ what: String) throws -> Choice {
    if let choice = Choice(rawValue: word) { return choice }
    let words = choices.map(\.rawValue)
    let hint = Suggestion.nearest(to: word, among: words).map { " – did you mean \($0)?" } ?? ""
    throw ValidationError("unknown \(what) \"\(word)\": expected one of \(words.joined(separator: ", "))\(hint)")
  }
}
