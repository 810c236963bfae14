internal import Domain
internal import RunnerHub

/// What a policy returned is not what it was asked for.
struct PolicyAnswerError: Error, CustomStringConvertible {
  let description: String

  init(_ function: String, _ returned: LuaValue, expected: String) {
    description = "\(function) returned \(returned); expected \(expected)"
  }
  init(_ description: String) { self.description = description }
}

/// Reads what policies return, and refuses what has another shape or range. Pure.
enum PolicyAnswer {
  static func route(_ values: [LuaValue]) throws -> (Route, String) {
    guard case .text(let word)? = values.first, let route = Route(rawValue: word) else {
      throw PolicyAnswerError("routing.route", values.first ?? .none, expected: "\"orchestrator\" or \"traditional\"")
    }
    return (route, try reason(values, "routing.route"))
  }

  static func priority(_ values: [LuaValue]) throws -> (Priority, String) {
    guard case .text(let word)? = values.first, let priority = Priority(word: word) else {
      throw PolicyAnswerError("priority.prioritise", values.first ?? .none, expected: "\"CRITICAL\", \"HIGH\", \"NORMAL\" or \"LOW\"")
    }
    return (priority, try reason(values, "priority.prioritise"))
  }

  /// A whole number from 0; minimum and maximum are the host's rule and bound it here too.
  static func scale(_ values: [LuaValue], pool: PolicyPool) throws -> (Int, String) {
    let wanted: Int
    switch values.first ?? .none {
    case .integer(let count) where (0...1_000_000).contains(count): wanted = Int(count)
    case .number(let count) where count >= 0 && count <= 1_000_000 && count.rounded() == count: wanted = Int(count)
    default: throw PolicyAnswerError("scaling.scale", values.first ?? .none, expected: "a whole number of containers from 0")
    }
    let bounded = max(pool.minimum, min(pool.maximum, wanted))
    let why = try reason(values, "scaling.scale")
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
      let words = LoadBalancingStrategy.allCases.map { "\"\($0.rawValue)\"" }.joined(separator: ", ")
      throw PolicyAnswerError("affinity.strategy", values.first ?? .none, expected: "nil or one of \(words)")
    }
  }

  private static func reason(_ values: [LuaValue], _ function: String) throws -> String { try reason(values[...], function) }

  private static func reason(_ values: ArraySlice<LuaValue>, _ function: String) throws -> String {
    if values.count > 2 { throw PolicyAnswerError("\(function) returned \(values.count) values; expected a value and a reason") }
    guard values.count == 2, let why = values.last else { return "" }
    switch why {
    case .none: return ""
    case .text(let reason) where reason.utf8.count <= 500: return reason
    case .text(let reason): throw PolicyAnswerError("\(function) gave a reason of \(reason.utf8.count) bytes; at most 500 are taken")
    default: throw PolicyAnswerError("\(function) as reason", why, expected: "a text")
    }
  }
}
