/// One event under `on`, with its filters and inputs. Patterns are as written.
public struct Trigger: Sendable, Equatable {
  public let event: String
  /// Kinds of activity; empty where the event's defaults count.
  public let types: [String]
  /// `branches`, `branches-ignore`, `tags`, `tags-ignore`, `paths`, `paths-ignore`, `workflows`, `names`, `versions` → patterns.
  public let filters: [String: [String]]
  /// Of `schedule`.
  public let schedules: [Schedule]
  /// Of `workflow_dispatch` and `workflow_call`, in the author's order.
  public let inputs: [WorkflowInput]
  /// Of `workflow_call`, in the author's order.
  public let secrets: [WorkflowSecret]
  /// Of `workflow_call`: name → the expression of its value.
  public let outputs: [String: String]

  public struct Schedule: Sendable, Equatable {
    public let cron: String
    /// A name of the IANA's table; nil for UTC.
    public let timezone: String?
  }
}

/// An input that a caller, or a person, gives to a workflow.
public struct WorkflowInput: Sendable, Equatable {
  public let name: String
  public let description: String?
  /// `string`, `boolean`, `number`, `choice` or `environment`.
  public let type: String
  public let isRequired: Bool
  public let byDefault: ExpressionValue?
  /// Of a `choice`.
  public let options: [String]
}

/// A secret that a called workflow takes.
public struct WorkflowSecret: Sendable, Equatable {
  public let name: String
  public let description: String?
  public let isRequired: Bool
}

extension Trigger {
  /// What `on` says, in any of its three forms.
  static func all(in on: TemplateToken) -> [Trigger] {
    if let entries = on.entries { return entries.map { Trigger($0.key.authored, $0.value) } }
    return on.oneOrMore.map { Trigger($0.authored, $0) }
  }

  private init(_ event: String, _ token: TemplateToken) {
    self.event = event
    types = Self.texts(token["types"])
    filters = Dictionary(
      (token.entries ?? []).compactMap { entry in
        let name = entry.key.authored
        return Self.filterNames.contains(name) ? (name, Self.texts(entry.value)) : nil
      }, uniquingKeysWith: { first, _ in first })
    schedules = (token.items ?? []).map { Schedule(cron: $0["cron"]?.authored ?? "", timezone: $0["timezone"]?.authored) }
    inputs = (token["inputs"]?.entries ?? []).map(WorkflowInput.init)
    secrets = (token["secrets"]?.entries ?? []).map { entry in
      WorkflowSecret(
        name: entry.key.authored, description: entry.value["description"]?.authored, isRequired: entry.value["required"]?.boolean ?? false)
    }
    outputs = Dictionary(
      (token["outputs"]?.entries ?? []).map { ($0.key.authored, $0.value["value"]?.authored ?? "") },
      uniquingKeysWith: { first, _ in first })
  }

  static let filterNames: Set<String> = [
    "branches", "branches-ignore", "tags", "tags-ignore", "paths", "paths-ignore", "workflows", "names", "versions",
  ]

  private static func texts(_ token: TemplateToken?) -> [String] { (token?.oneOrMore ?? []).map(\.authored) }
}

extension WorkflowInput {
  fileprivate init(_ entry: TemplateEntry) {
    name = entry.key.authored
    description = entry.value["description"]?.authored
    type = entry.value["type"]?.string ?? "string"
    isRequired = entry.value["required"]?.boolean ?? false
    byDefault = entry.value["default"]?.value
    options = (entry.value["options"]?.items ?? []).map(\.authored)
  }
}
