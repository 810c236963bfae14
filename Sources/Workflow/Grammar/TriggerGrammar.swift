/// The grammar of `on`: `on-strict` of `workflow-v1.0.json`.
enum TriggerGrammar {
  static let strict = Grammar.oneOf(
    .constants(events), .sequence(of: .constants(events)), Grammar(mappings: [MappingGrammar(grammars: byEvent)]))

  /// `on` of `workflow-root`: any event, `workflow_call` alone looked at.
  static let planning = Grammar.oneOf(.string, .sequence(of: .any), .mapping(["workflow_call": call], any: .any))

  /// In GitHub's order.
  static let events = byEvent.map(\.key)

  private static let pullRequestTypes = [
    "assigned", "unassigned", "labeled", "unlabeled", "opened", "edited", "closed", "reopened", "synchronize", "converted_to_draft",
    "locked",
    "unlocked", "enqueued", "dequeued", "milestoned", "demilestoned", "ready_for_review", "review_requested", "review_request_removed",
    "auto_merge_enabled", "auto_merge_disabled", "stacked",
  ]

  private static let byEvent: [(key: String, value: Grammar)] = [
    ("branch_protection_rule", event(["created", "edited", "deleted"])),
    ("check_run", event(["completed", "created", "rerequested", "requested_action"])),
    ("check_suite", event(["completed"])),
    ("create", .null), ("delete", .null), ("deployment", .null), ("deployment_status", .null),
    (
      "discussion",
      event([
        "created", "edited", "deleted", "transferred", "pinned", "unpinned", "labeled", "unlabeled", "locked", "unlocked",
        "category_changed", "answered", "unanswered",
      ])
    ),
    ("discussion_comment", event(["created", "edited", "deleted"])),
    ("fork", .null), ("gollum", .null),
    ("image_version", event(["created", "ready", "deleted"], filters: ["names", "versions"])),
    ("issue_comment", event(["created", "edited", "deleted"])),
    (
      "issues",
      event([
        "opened", "edited", "deleted", "transferred", "pinned", "unpinned", "closed", "reopened", "assigned", "unassigned", "labeled",
        "unlabeled", "locked", "unlocked", "milestoned", "demilestoned", "field_added", "field_removed", "typed", "untyped",
      ])
    ),
    ("label", event(["created", "edited", "deleted"])),
    ("merge_group", event(["checks_requested"], filters: ["branches", "branches-ignore"])),
    ("milestone", event(["created", "closed", "opened", "edited", "deleted"])),
    ("page_build", .null),
    ("project", event(["created", "closed", "reopened", "edited", "deleted"])),
    ("project_card", event(["created", "moved", "converted", "edited", "deleted"])),
    ("project_column", event(["created", "updated", "moved", "deleted"])),
    ("public", .null),
    ("pull_request", event(pullRequestTypes, filters: ["branches", "branches-ignore", "paths", "paths-ignore"])),
    ("pull_request_comment", event(["created", "edited", "deleted"])),
    ("pull_request_review", event(["submitted", "edited", "dismissed"])),
    ("pull_request_review_comment", event(["created", "edited", "deleted"])),
    ("pull_request_target", event(pullRequestTypes, filters: ["branches", "branches-ignore", "paths", "paths-ignore"])),
    ("push", event([], filters: ["branches", "branches-ignore", "tags", "tags-ignore", "paths", "paths-ignore"])),
    ("registry_package", event(["published", "updated"])),
    ("release", event(["published", "unpublished", "created", "edited", "deleted", "prereleased", "released"])),
    ("repository_dispatch", .oneOf(.null, .mapping(["types": .sequence(of: .nonEmptyString)]))),
    ("schedule", .sequence(of: .mapping(["cron": .nonEmptyString, "timezone": .nonEmptyString], required: ["cron"]))),
    ("status", .null),
    ("watch", event(["started"])),
    ("workflow_call", call),
    ("workflow_dispatch", dispatch),
    ("workflow_run", event(["requested", "completed", "in_progress"], filters: ["workflows", "branches", "branches-ignore"])),
  ]

  private static func event(_ types: [String], filters: [String] = []) -> Grammar {
    let filters = filters.map { (key: $0, value: Grammar.oneOrMore(.nonEmptyString)) }
    let types = types.isEmpty ? [] : [(key: "types", value: Grammar.oneOrMore(.constants(types)))]
    return .oneOf(.null, Grammar(mappings: [MappingGrammar(grammars: types + filters)]))
  }

  // MARK: Inputs

  private static let call = Grammar.oneOf(
    .null,
    .mapping([
      "inputs": .mapping(
        any: .mapping(
          [
            "description": .string, "type": .constants("string", "boolean", "number"), "required": .boolean,
            "default": .scalar.allowing(.beforeJobs),
          ], required: ["type"])),
      "secrets": .mapping(any: .oneOf(.null, .mapping(["description": .string, "required": .boolean]))),
      "outputs": .mapping(
        any: .mapping(["description": .string, "value": .string.allowing([.beforeJobs, .jobs])], required: ["value"])),
    ]))

  private static let dispatch = Grammar.oneOf(
    .null,
    .mapping([
      "inputs": .mapping(
        // GitHub's published grammar wants a mapping here; the service takes an input without one for a text.
        any: .oneOf(
          .null,
          .mapping([
            "description": .string, "type": .constants("string", "boolean", "number", "environment", "choice"), "required": .boolean,
            "default": .scalar, "options": .sequence(of: .string),
          ])))
    ]))
}

extension MappingGrammar {
  /// A mapping with these keys and no others.
  fileprivate convenience init(grammars: [(key: String, value: Grammar)]) {
    self.init(table: Dictionary(grammars.map { ($0.key, $0.value) }, uniquingKeysWith: { first, _ in first }))
  }
}
