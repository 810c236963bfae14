import Domain
import Workflow

extension ConfigurationSchema {
  /// The section `workflow`: a key for each rule and category that can be graded.
  static let workflow = hints + grades

  private static let hints = [
    ConfigurationKey(
      path: "workflow.hints", kind: .boolean, standard: "true",
      summary: "Whether `.github/runnerhub.yaml` on the default branch of a job's repository is read for size, priority and affinity."),
    ConfigurationKey(
      path: "workflow.highest-priority", kind: .choice(Priority.allCases.map(\.word)), standard: Priority.high.word,
      summary: "The highest priority that such a file may ask for."),
  ]

  private static let grades = categories + rules

  private static let categories = ValidationRule.Category.allCases.filter { !rules(of: $0).isEmpty }.map { category in
    let names = rules(of: category).map { "`\($0.rawValue)`" }.joined(separator: ", ")
    return grade(category.rawValue, "All rules of this category that are not graded one by one: \(names).")
  }

  private static let rules = ValidationRule.Category.allCases.flatMap(rules(of:)).map { rule in
    grade(rule.rawValue, "\(rule.summary) Where it is left out: \(rule.severity.rawValue).")
  }

  private static func rules(of category: ValidationRule.Category) -> [ValidationRule] {
    ValidationRule.allCases.filter { $0.category == category && !$0.isGitHubs }
  }

  private static func grade(_ name: String, _ summary: String) -> ConfigurationKey {
    ConfigurationKey(path: "workflow.rules.\(name)", kind: .choice(RuleSettings.Grade.allCases.map(\.rawValue)), summary: summary)
  }

  /// What a reading says of the rules, by their names.
  static func grades(in values: [String: SettledValue]) -> [String: String] {
    let prefix = "workflow.rules."
    let given = values.filter { $0.key.hasPrefix(prefix) }.map { (String($0.key.dropFirst(prefix.count)), $0.value.text) }
    return Dictionary(given, uniquingKeysWith: { first, _ in first })
  }
}
