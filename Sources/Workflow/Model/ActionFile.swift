/// The metadata of an action: what `action.yml` says. Texts are as written and may hold expressions.
///
/// ```swift
/// let reading = ActionFile.parse(text, path: "action.yml")
/// if case .composite(let steps)? = reading.file?.runs { print(steps.count) }
/// ```
public struct ActionFile: Sendable, Equatable {
  public let name: String
  public let description: String
  public let author: String?
  /// In the author's order.
  public let inputs: [ActionInput]
  /// In the author's order.
  public let outputs: [ActionOutput]
  public let runs: ActionRuns

  /// Reads and validates the metadata. Never traps; bad text ends as diagnostics. Takes time linear in the text.
  ///
  /// - Parameter path: names the file in diagnostics; nothing is opened.
  public static func parse(_ text: String, path: String) -> ActionReading {
    let collector = DiagnosticCollector(path: path)
    guard let node = YAMLReader.read(text, collector) else { return ActionReading(file: nil, diagnostics: collector.sorted) }
    collector.stage = .grammar
    let root = TemplateReader(file: 1, collector: collector).read(node, as: ActionGrammar.root)
    collector.stage = .conversion
    let file = ActionConverter(collector: collector).convert(root)
    return ActionReading(file: collector.hasErrors ? nil : file, diagnostics: collector.sorted)
  }
}

/// What came of reading an action's metadata.
public struct ActionReading: Sendable {
  /// Nil where there is any error.
  public let file: ActionFile?
  /// Every finding, in the order of lines.
  public let diagnostics: [Diagnostic]
}

/// An input of an action.
public struct ActionInput: Sendable, Equatable {
  public let name: String
  public let description: String?
  public let isRequired: Bool
  public let byDefault: String?
  public let deprecation: String?
}

/// An output of an action; a composite one says where its value comes from.
public struct ActionOutput: Sendable, Equatable {
  public let name: String
  public let description: String?
  public let value: String?
}

/// How an action runs.
public enum ActionRuns: Sendable, Equatable {
  /// Steps like a job's.
  case composite([Step])
  /// A program for the Node.js that the runner brings, such as `node24`.
  case javaScript(JavaScriptAction)
  /// A container image, or a Dockerfile.
  case docker(DockerAction)
}

/// The parts of a JavaScript action.
public struct JavaScriptAction: Sendable, Equatable {
  public let runtime: String
  public let main: String
  public let pre: String?
  public let preCondition: String?
  public let post: String?
  public let postCondition: String?
}

/// The parts of a Docker action.
public struct DockerAction: Sendable, Equatable {
  /// `docker://IMAGE`, or a path to a Dockerfile.
  public let image: String
  public let entrypoint: String?
  public let arguments: [String]
  public let env: [String: String]
  public let preEntrypoint: String?
  public let postEntrypoint: String?
}
