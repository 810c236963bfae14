import Foundation
import Workflow

/// How a step will end on the stand-in runner, in an image whose commands are all stand-ins: worked out from the step's text alone, by the
/// rules of `Sources/Emulator/README.md`. It shares nothing with what executes them.
enum StepForecast: Equatable {
  /// - Parameter shown: words that its log will have, where some are known.
  case succeeds(shown: String?)
  case fails(shown: String?)
  /// The text does not tell.
  case unknown

  init(_ step: Step, defaults: RunDefaults, workflowDefaults: RunDefaults) {
    let outcome: StepForecast
    if let uses = step.uses {
      outcome = Self.action(uses)
    } else {
      let directory = step.workingDirectory ?? defaults.workingDirectory ?? workflowDefaults.workingDirectory ?? "."
      outcome = Self.script(step.run ?? "", shell: step.shell ?? defaults.shell ?? workflowDefaults.shell, directory: directory)
    }
    // An environment whose expressions can fail would fail the step.
    let isPlain = step.env.values.allSatisfy(Self.isPlain) && step.timeoutMinutes == nil
    self = isPlain || outcome == .unknown || step.uses != nil ? outcome : .unknown
  }

  /// Rule 4: some actions stand for nothing and succeed, every other one fails.
  private static func action(_ uses: String) -> StepForecast {
    let name = uses.prefix { $0 != "@" }.lowercased()
    let idle: Set = [
      "actions/checkout", "actions/cache", "actions/cache/restore", "actions/cache/save", "actions/upload-artifact",
      "actions/download-artifact",
    ]
    if idle.contains(name) || name.hasPrefix("actions/setup-") { return .succeeds(shown: nil) }
    return .fails(shown: uses)
  }

  /// Rule 3, then the lines of the script, until one decides.
  private static func script(_ text: String, shell: String?, directory: String) -> StepForecast {
    // The repository holds nothing but its workflow.
    if ![".", "./"].contains(directory) { return isLiteral(directory) && !directory.hasPrefix("/") ? .fails(shown: directory) : .unknown }
    switch shell {
    case nil, "bash": break
    case "pwsh", "powershell", "cmd": return .fails(shown: shell)
    default: return .unknown
    }
    var shown: String?
    for line in text.replacing("\\\n", with: " ").split(separator: "\n") {
      switch self.line(String(line).trimmingCharacters(in: .whitespaces)) {
      case .succeeds(let words): shown = shown ?? words
      case let decided: return decided
      }
    }
    return .succeeds(shown: shown)
  }

  /// One simple command. A bare name is a stand-in that says what it was asked; a path into the repository is not there; every word of
  /// bash's own, and every character that does more than stand for itself, makes the line unknown.
  private static func line(_ line: String) -> StepForecast {
    if line.isEmpty || line.hasPrefix("#") { return .succeeds(shown: nil) }
    guard isPlain(line), let text = withoutReferences(line) else { return .unknown }
    let words = text.split(separator: " ").map(String.init)
    guard let command = words.first else { return .succeeds(shown: nil) }
    if command.hasPrefix("./"), command.wholeMatch(of: /[A-Za-z0-9_.\/-]+/) != nil { return .fails(shown: command) }
    if command == "echo" { return .succeeds(shown: nil) }
    guard command.wholeMatch(of: /[A-Za-z][A-Za-z0-9_-]*/) != nil, !bashWords.contains(command) else { return .unknown }
    return .succeeds(shown: "stand-in for \(command)")
  }

  private static let bashWords: Set = [
    "if", "then", "else", "elif", "fi", "for", "while", "until", "do", "done", "case", "esac", "in", "select", "function", "time", "coproc",
    "alias", "bg", "bind", "break", "builtin", "caller", "cd", "command", "compgen", "complete", "compopt", "continue", "declare", "dirs",
    "disown", "enable", "eval", "exec", "exit", "export", "false", "fc", "fg", "getopts", "hash", "help", "history", "jobs", "kill", "let",
    "local", "logout", "mapfile", "popd", "printf", "pushd", "pwd", "read", "readarray", "readonly", "return", "set", "shift", "shopt",
    "source", "suspend", "test", "times", "trap", "true", "type", "typeset", "ulimit", "umask", "unalias", "unset", "wait",
  ]

  private static func isLiteral(_ text: String) -> Bool { !text.contains("${{") }

  /// Only expressions that are a plain reference, which gives a text and never an error.
  private static func isPlain(_ text: String) -> Bool {
    text.replacing(reference, with: "").contains("${{") == false
  }

  private static var reference: Regex<Substring> { /\$\{\{ *(?:secrets|env|matrix|vars|github)\.[A-Za-z0-9_-]+ *\}\}/ }

  /// The line with references as one word; nil where a character of it could do more than stand for itself.
  private static func withoutReferences(_ line: String) -> String? {
    let text = line.replacing(reference, with: "VALUE")
    guard text.wholeMatch(of: /[A-Za-z0-9 _.\/:=@,+%"'#*?\[\]${}^~!-]*/) != nil, !text.contains("${") else { return nil }
    // Quotes that do not pair would take in the next line; a mark within a quote of the other kind is not looked at.
    guard !(text.contains("\"") && text.contains("'")) else { return nil }
    return text.count { $0 == "\"" } % 2 == 0 && text.count { $0 == "'" } % 2 == 0 ? text : nil
  }
}
