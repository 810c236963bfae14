/// A GitHub Actions workflow: what one file under `.github/workflows` says.
///
/// ```swift
/// let reading = WorkflowFile.parse(text, path: ".github/workflows/ci.yml")
/// reading.diagnostics.forEach { print($0) }
/// let jobs = reading.file?.jobs ?? []
/// ```
public struct WorkflowFile: Sendable, Equatable {
  /// The longest text that GitHub reads, in UTF-16 units.
  public static let maximumLength = 1_048_576
  /// The deepest nesting of collections that GitHub reads.
  public static let maximumDepth = 50

  public let path: String
  public let name: String?
  public let runName: String?
  /// The names under `on`, sorted.
  public let triggers: [String]
  /// What starts it, each with its filters and inputs, in the author's order.
  public let on: [Trigger]
  /// As written: values may hold expressions.
  public let env: [String: String]
  public let defaults: RunDefaults
  /// What the token of its jobs may do, by scope, as written: `contents` → `read`; `read-all` and `write-all` stand under `*`. nil where the
  /// file does not say.
  public let permissions: [String: String]?
  /// The group of `concurrency`, as written.
  public let concurrencyGroup: String?
  /// In the author's order.
  public let jobs: [JobDefinition]

  /// The job with this key; nil where there is none. GitHub matches keys without case.
  public subscript(key: String) -> JobDefinition? { jobs.first { $0.key.lowercased() == key.lowercased() } }

  /// Reads and validates a file. Never traps; bad text ends as diagnostics. Takes time linear in the text.
  ///
  /// - Parameter path: names the file in diagnostics; nothing is opened.
  public static func parse(_ text: String, path: String, options: WorkflowOptions = WorkflowOptions()) -> WorkflowReading {
    let collector = DiagnosticCollector(path: path)
    let template = WorkflowTemplate.read(text, collector, options)
    let draft = template.map { WorkflowFile($0, path: path) }
    return WorkflowReading(file: collector.hasErrors ? nil : draft, draft: draft, diagnostics: collector.sorted)
  }
}

/// `defaults.run`, of a workflow or a job.
public struct RunDefaults: Sendable, Equatable {
  public let shell: String?
  public let workingDirectory: String?

  static let none = RunDefaults(shell: nil, workingDirectory: nil)
}
