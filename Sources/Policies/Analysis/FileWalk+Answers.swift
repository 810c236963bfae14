internal import Domain
internal import RunnerHub

/// Comparisons that can never hold, and answers that the host refuses.
extension FileWalk {
  mutating func compare(
    _ left: (value: AnalysedValue, expression: LuaExpression), _ right: (value: AnalysedValue, expression: LuaExpression),
    _ symbol: LuaToken.Symbol
  ) {
    let (field, other): (AnalysedValue, (value: AnalysedValue, expression: LuaExpression))
    if case .input = left.value { (field, other) = (left.value, right) } else { (field, other) = (right.value, left) }
    guard case .input(let type, let name) = field else { return }
    let outcome = symbol == .equal ? "is never true" : "is always true"
    switch (type.required, other.value) {
    case (.text, .text(let word)):
      guard name == "job.event", !PolicyLanguage.events.contains(word) else { return }
      // Only what looks like a slip: GitHub may know more events than we do.
      guard let meant = Suggestion.nearest(to: word, among: PolicyLanguage.events) else { return }
      report(other.expression.range, .warning, "\(name) is never \"\(word)\" – did you mean \"\(meant)\"?")
    case (.text, .integer), (.text, .number), (.text, .bool), (.integer, .text), (.number, .text), (.boolean, .text), (.integer, .bool),
      (.number, .bool), (.boolean, .integer), (.boolean, .number):
      report(other.expression.range, .warning, "\(name) is \(type.required.noun): this comparison \(outcome)")
    case (.object, .text), (.list, .text), (.labels, .text):
      report(other.expression.range, .warning, "\(name) is a table: this comparison \(outcome)")
    default: return
    }
  }

  /// - Parameter expression: the first value that a function returns to the host.
  mutating func checkAnswer(_ expression: LuaExpression, of entry: PolicyEntry) {
    for (value, range) in possibleAnswers(expression) {
      guard let refusal = entry.refusal(of: value) else { continue }
      report(range, .error, refusal)
    }
  }

  /// Literals that may be the value: both sides of `and … or`, and locals that hold one.
  private func possibleAnswers(_ expression: LuaExpression) -> [(AnalysedValue, Range<Int>)] {
    switch expression.kind {
    case .parentheses(let inner): return possibleAnswers(inner)
    case .or(let left, let right):
      // A left side that is false or nil is not the value.
      return possibleAnswers(left).filter { $0.0 != .none && $0.0 != .bool(false) } + possibleAnswers(right)
    case .and(_, let right): return possibleAnswers(right)
    case .none: return [(.none, expression.range)]
    case .bool(let value): return [(.bool(value), expression.range)]
    case .integer(let value): return [(.integer(value), expression.range)]
    case .number(let value): return [(.number(value), expression.range)]
    case .text(let text): return [(.text(text), expression.range)]
    case .table: return [(.table(site(expression.range)), expression.range)]
    case .name(let name):
      switch value(of: name) {
      case .text(let text)?: return [(.text(text), expression.range)]
      case .integer(let value)?: return [(.integer(value), expression.range)]
      case .number(let value)?: return [(.number(value), expression.range)]
      default: return []
      }
    default: return []
    }
  }
}

/// A function that the host calls.
struct PolicyEntry {
  var file: PolicyFile
  var function: String
  /// Kinds of its parameters.
  var inputs: [String]

  var name: String { "\(file.rawValue).\(function)" }

  /// Why the host takes no such value; nil where it takes it, or where that is not known.
  func refusal(of value: AnalysedValue) -> String? {
    switch (file, function) {
    case (.routing, _): return refusal(of: value, words: Route.allCases.map(\.rawValue))
    case (.priority, _): return refusal(of: value, words: Priority.allCases.map(\.word))
    case (.affinity, "strategy"):
      return value == .none ? nil : refusal(of: value, words: LoadBalancingStrategy.allCases.map(\.rawValue))
    case (.affinity, "filter"):
      if case .bool = value { return nil }
      return "\(name) returns \(value.literal); expected true, or false and a reason"
    case (.affinity, _):
      switch value {
      case .integer(let score) where (0...100).contains(score): return nil
      case .number(let score) where (0...100).contains(score): return nil
      default: return "\(name) returns \(value.literal); expected a number from 0 to 100"
      }
    case (.scaling, _):
      switch value {
      case .integer(let count) where (0...1_000_000).contains(count): return nil
      case .number(let count) where (0...1_000_000).contains(count) && count.rounded() == count: return nil
      default: return "\(name) returns \(value.literal); expected a whole number of containers from 0"
      }
    }
  }

  private func refusal(of value: AnalysedValue, words: [String]) -> String? {
    let expected = words.map { "\"\($0)\"" }.joined(separator: ", ")
    guard case .text(let word) = value else { return "\(name) returns \(value.literal); expected one of \(expected)" }
    if words.contains(word) { return nil }
    if let meant = Suggestion.nearest(to: word, among: words) { return "\(name) returns \"\(word)\" – did you mean \"\(meant)\"?" }
    return "\(name) returns \"\(word)\"; expected one of \(expected)"
  }
}

extension AnalysedValue {
  /// As it is written.
  var literal: String {
    switch self {
    case .none: "nil"
    case .bool(let value): "\(value)"
    case .integer(let value): "\(value)"
    case .number(let value): "\(value)"
    case .text(let text): "\"\(text)\""
    default: "a table"
    }
  }
}
