/// One result: what was measured, against what, and whether the budget holds.
struct Figure: Encodable {
  enum Unit: String, Encodable {
    case perSecond = "/s"
    case milliseconds = "ms"
    case microseconds = "µs"
    case seconds = "s"
    case mebibytes = "MiB"
    case percent = "%"
  }

  enum Verdict: String, Encodable {
    case met
    case missed = "NOT MET"
    /// Shown beside the others.
    case noBudget = "–"
  }

  /// What design and figures are compared by.
  enum Budget {
    case ratioAtLeast(Double)
    case ratioAtMost(Double)
    /// In the unit of the figure.
    case below(Double)

    func text(_ unit: Unit) -> String {
      switch self {
      case .ratioAtLeast(let bound): "ratio ≥ \(Text.number(bound))"
      case .ratioAtMost(let bound): "ratio ≤ \(Text.number(bound))"
      case .below(let bound): "< \(Text.number(bound)) \(unit.rawValue)"
      }
    }

    func judge(_ value: Double, ratio: Double) -> Verdict {
      switch self {
      case .ratioAtLeast(let bound): ratio >= bound ? .met : .missed
      case .ratioAtMost(let bound): ratio <= bound ? .met : .missed
      case .below(let bound): value < bound ? .met : .missed
      }
    }
  }

  var name: String
  var value: Double
  var unit: Unit
  /// What was measured in the same run.
  var baseline: String
  var baselineValue: Double
  var ratio: Double
  /// Smallest and largest ratio of the rounds, where there were several.
  var ratios: [Double]
  var budget: String
  var verdict: Verdict

  /// - Parameters:
  ///   - value: the median of the rounds, in `unit`.
  ///   - baseline: what it is compared with, and how much that was, in the same unit.
  ///   - rounds: the ratio of each round; empty: one ratio, of the two values.
  init(
    _ name: String, _ value: Double, _ unit: Unit, against baseline: (name: String, value: Double), rounds: [Double] = [],
    budget: Budget? = nil
  ) {
    self.name = name
    self.value = value
    self.unit = unit
    self.baseline = baseline.name
    baselineValue = baseline.value
    let all = Samples(rounds)
    ratio = rounds.isEmpty ? value / baseline.value : all.median
    ratios = rounds.isEmpty ? [] : [all.smallest, all.largest]
    self.budget = budget?.text(unit) ?? "–"
    verdict = budget?.judge(value, ratio: ratio) ?? .noBudget
  }
}

/// Numbers for people.
enum Text {
  /// Three digits that count: `0.934`, `12.4`, `1,234`.
  static func number(_ value: Double) -> String {
    guard value.isFinite else { return "–" }
    let size = abs(value)
    if size >= 1000 { return grouped(Int(value.rounded())) }
    let digits = size >= 100 ? 0 : size >= 10 ? 1 : size >= 1 ? 2 : 3
    let factor = [1.0, 10, 100, 1000][digits]
    let text = "\((value * factor).rounded() / factor)"
    return text.hasSuffix(".0") ? String(text.dropLast(2)) : text
  }

  private static func grouped(_ value: Int) -> String {
    var digits = String(value)
    var index = digits.count - 3
    while index > (value < 0 ? 1 : 0) {
      digits.insert(",", at: digits.index(digits.startIndex, offsetBy: index))
      index -= 3
    }
    return digits
  }
}
