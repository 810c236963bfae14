/// How grave each rule's findings are, where the configuration says otherwise than the rule itself. What GitHub refuses stays refused.
public struct RuleSettings: Sendable, Equatable {
  public enum Grade: String, Sendable, CaseIterable {
    case off, warning, error
  }

  /// Why a line of the configuration means nothing.
  public struct Unknown: Error, Sendable, Equatable, CustomStringConvertible {
    public let description: String
  }

  private var grades: [ValidationRule: Grade] = [:]

  public init() {}

  /// Reads what a configuration says: code of a rule, or of a whole category, → `off`, `warning` or `error`.
  public init(_ words: [String: String]) throws(Unknown) {
    // Categories first, so that a rule of its own stands above them.
    for (name, word) in words.sorted(by: { (Self.category($0.key) == nil ? 1 : 0, $0.key) < (Self.category($1.key) == nil ? 1 : 0, $1.key) }
    ) {
      guard let grade = Grade(rawValue: word) else {
        throw Unknown(description: "rule '\(name)' is '\(word)': expected off, warning or error")
      }
      if let category = Self.category(name) {
        for rule in ValidationRule.allCases where rule.category == category && !rule.isGitHubs { grades[rule] = grade }
        continue
      }
      guard let rule = ValidationRule(rawValue: name) else {
        let known = ValidationRule.allCases.map(\.rawValue) + ValidationRule.Category.allCases.map(\.rawValue)
        let hint = Spelling.nearest(to: name, among: known).map { " – did you mean '\($0)'?" } ?? ""
        throw Unknown(description: "unknown rule '\(name)'\(hint)")
      }
      if rule.isGitHubs { throw Unknown(description: "rule '\(name)' cannot be changed: GitHub refuses a file for it") }
      grades[rule] = grade
    }
  }

  public subscript(rule: ValidationRule) -> Grade {
    get { rule.isGitHubs ? .error : grades[rule] ?? (rule.severity == .error ? .error : .warning) }
    set { grades[rule] = newValue }
  }

  private static func category(_ name: String) -> ValidationRule.Category? { ValidationRule.Category(rawValue: name) }
}
