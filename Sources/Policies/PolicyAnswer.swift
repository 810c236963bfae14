internal import Domain
internal import RunnerHub

/// What a policy returned is not what it was asked for.
struct PolicyAnswerError: Error, CustomStringConvertible {
  let description: String

  /// - Parameters:
  ///   - part: which of the values, where it is not the first: `reason`.
  ///   - words: the valid ones, for a suggestion.
  init(_ function: String, _ returned: LuaValue, as part: String? = nil, expected: String, among words: [String] = []) {
    let place = part.map { " as \($0)" } ?? ""
    description = "\(function) returned \(returned)\(place): expected \(expected)\(Self.hint(returned, words))"
  }
  init(_ description: String) { self.description = description }

  private static func hint(_ returned: LuaValue, _ words: [String]) -> String {
    guard case .text(let word) = returned, let nearest = Suggestion.nearest(to: word, among: words) else { return "" }
    return " – did you mean \(nearest)?"
  }
}

/// Reads what policies return, and refuses what has another shape or range. Pure.
enum PolicyAnswer {
  static func route(_ values: [LuaValue]) throws -> (Route, String) {
    guard case .text(let word)? = values.first, let route = Route(rawValue: word) else {
      let words = Route.allCases.map(\.rawValue)
      throw PolicyAnswerError("routing.route", values.first ?? .none, as: "route", expected: words.joined(separator: " or "), among: words)
    }
    return (route, try reason(values[...], "routing.route"))
  }

  /// Level and reason, and a weight if the policy gives one: it stands in the reason too, since it moves the job in the queue.
  static func priority(_ values: [LuaValue]) throws -> (priority: Priority, reason: String, weight: Double) {
    let function = "priority.prioritise"
    guard case .text(let word)? = values.first, let priority = Priority(word: word) else {
      let words = Priority.allCases.map(\.word)
      throw PolicyAnswerError(
        function, values.first ?? .none, as: "level", expected: "\(words.dropLast().joined(separator: ", ")) or \(words.last ?? "")",
        among: words)
    }
    let why = try reason(values.prefix(2), function)
    if values.count > 3 { throw PolicyAnswerError("\(function) returned \(values.count) values: expected a level, a reason and a weight") }
    let bounds = Priority.weights
    let range = "\(Int(bounds.lowerBound)) to \(Int(bounds.upperBound))"
    let weight: Double
    switch values.count == 3 ? values[2] : .none {
    case .none: return (priority, why, 0)
    case .integer(let minutes) where bounds.contains(Double(minutes)): weight = Double(minutes)
    case .number(let minutes) where bounds.contains(minutes): weight = minutes
    default: throw PolicyAnswerError(function, values[2], as: "weight", expected: "nil or a number of minutes from \(range)")
    }
    if weight == 0 { return (priority, why, 0) }
    let shown = weight.rounded() == weight ? "\(Int(weight))" : "\((weight * 100).rounded() / 100)"
    return (priority, why + (why.isEmpty ? "" : " ") + "(weight \(shown))", weight)
  }

  /// A whole number from 0; minimum and maximum are the host's rule and bound it here too.
  static func scale(_ values: [LuaValue], pool: PolicyPool) throws -> (Int, String) {
    let wanted: Int
    switch values.first ?? .none {
    case .integer(let count) where (0...1_000_000).contains(count): wanted = Int(count)
    case .number(let count) where count >= 0 && count <= 1_000_000 && count.rounded() == count: wanted = Int(count)
    default:
      throw PolicyAnswerError("scaling.scale", values.first ?? .none, expected: "a whole number of containers from 0 to 1000000")
    }
    let bounded = max(pool.minimum, min(pool.maximum, wanted))
    let why = try reason(values[...], "scaling.scale")
    if bounded == wanted { return (wanted, why) }
    return (bounded, "\(why) (\(wanted) wanted, pool \(pool.name) allows \(pool.minimum) to \(pool.maximum))")
  }

  /// - Parameter values: of `filter` and then of `score`, two each; `score` is not asked for what was filtered out.
  static func candidate(_ values: [LuaValue]) throws -> CandidateVerdict {
    guard values.count >= 2, case .bool(let isAllowed) = values[0] else {
      throw PolicyAnswerError("affinity.filter", values.first ?? .none, expected: "true, or false and a reason")
    }
    let filterReason = try reason(values[..<2], "affinity.filter")
    if !isAllowed { return CandidateVerdict(score: nil, reason: filterReason) }
    let answer = values[2...]
    let score: Double
    switch answer.first ?? .none {
    case .integer(let value) where (0...100).contains(value): score = Double(value)
    case .number(let value) where value >= 0 && value <= 100: score = value
    default: throw PolicyAnswerError("affinity.score", answer.first ?? .none, expected: "a number from 0 to 100")
    }
    return CandidateVerdict(score: score, reason: try reason(answer, "affinity.score"))
  }

  static func strategy(_ values: [LuaValue]) throws -> LoadBalancingStrategy? {
    switch values.first ?? .none {
    case .none: return nil
    case .text(let word):
      if let strategy = LoadBalancingStrategy(rawValue: word) { return strategy }
      fallthrough
    default:
      let words = LoadBalancingStrategy.allCases.map(\.rawValue)
      throw PolicyAnswerError(
        "affinity.strategy", values.first ?? .none, expected: "nil or one of \(words.joined(separator: ", "))", among: words)
    }
  }

  /// Bytes of a reason at most.
  static let reasonLimit = 500

  /// A reason often repeats what others chose: names of jobs, branches, workflows. A long name or a control character in one must not take
  /// a policy out of force, so it is cut and cleaned, and only what is no text is refused.
  private static func reason(_ values: ArraySlice<LuaValue>, _ function: String) throws -> String {
    if values.count > 2 { throw PolicyAnswerError("\(function) returned \(values.count) values: expected a value and a reason") }
    guard values.count == 2, let why = values.last else { return "" }
    switch why {
    case .none: return ""
    case .text(let reason): return cleaned(reason)
    default: throw PolicyAnswerError(function, why, as: "reason", expected: "nil or a text")
    }
  }

  /// A reason as it is kept and shown.
  static func cleaned(_ reason: String) -> String { cut(PrintableText.line(reason)) }

  private static func cut(_ text: String) -> String {
    if text.utf8.count <= reasonLimit { return text }
    var kept = ""
    var bytes = 0
    for character in text {
      bytes += character.utf8.count
      if bytes > reasonLimit - 3 { break }
      kept.append(character)
    }
    return kept + "…"
  }
}
