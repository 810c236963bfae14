import Foundation

/// A strict reader of the text exposition format 0.0.4: what it accepts, Prometheus accepts.
enum ExpositionParser {
  struct Family {
    var type: String
    /// By the line's text before the value.
    var samples: [String: Double] = [:]
  }
  struct Fault: Error, CustomStringConvertible {
    var line: String
    var problem: String
    var description: String { "\(problem): \(line)" }
  }

  static func parse(_ text: String) throws -> [String: Family] {
    guard text.hasSuffix("\n") else { throw Fault(line: String(text.suffix(40)), problem: "no newline at the end") }
    var families: [String: Family] = [:]
    var helped: Set<String> = []
    var current = ""
    for line in text.dropLast().split(separator: "\n", omittingEmptySubsequences: false).map(String.init) {
      if let match = line.wholeMatch(of: /# HELP ([a-zA-Z_:][a-zA-Z0-9_:]*) (.*)/) {
        guard helped.insert(String(match.1)).inserted else { throw Fault(line: line, problem: "second HELP") }
        guard match.2.replacing("\\\\", with: "").replacing("\\n", with: "").firstIndex(of: "\\") == nil else {
          throw Fault(line: line, problem: "unknown escape")
        }
        current = String(match.1)
      } else if let match = line.wholeMatch(of: /# TYPE ([a-zA-Z_:][a-zA-Z0-9_:]*) (counter|gauge|histogram)/) {
        guard families[String(match.1)] == nil, current == match.1 else {
          throw Fault(line: line, problem: "TYPE without its HELP, or twice")
        }
        families[current] = Family(type: String(match.2))
      } else {
        try sample(line, of: current, into: &families)
      }
    }
    for (name, family) in families where family.type == "histogram" { try histogram(name, family) }
    return families
  }

  private static func sample(_ line: String, of current: String, into families: inout [String: Family]) throws {
    guard
      let match = line.wholeMatch(
        of: /([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{((?:[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\\n]|\\\\|\\n|\\")*",?)*)\})? (\+Inf|-Inf|NaN|[-+0-9.eE]+)/)
    else { throw Fault(line: line, problem: "no sample") }
    guard var family = families[current] else { throw Fault(line: line, problem: "sample without TYPE") }
    let suffixes = family.type == "histogram" ? ["_bucket", "_sum", "_count"] : [""]
    guard suffixes.contains(where: { current + $0 == match.1 }) else { throw Fault(line: line, problem: "sample of another family") }
    if family.type == "counter", !current.hasSuffix("_total") { throw Fault(line: line, problem: "counter without _total") }
    let names = (match.2 ?? "").matches(of: /([a-zA-Z_][a-zA-Z0-9_]*)="(?:[^"\\\n]|\\\\|\\n|\\")*"/).map { String($0.1) }
    if Set(names).count != names.count { throw Fault(line: line, problem: "label twice") }
    guard let value = Double(match.3.replacing("Inf", with: "inf")) else { throw Fault(line: line, problem: "no number") }
    let key = String(line.prefix(line.count - match.3.count - 1))
    if family.samples.updateValue(value, forKey: key) != nil { throw Fault(line: line, problem: "series twice") }
    families[current] = family
  }

  /// Buckets rise, and the last equals the count.
  private static func histogram(_ name: String, _ family: Family) throws {
    var series: [String: [(Double, Double)]] = [:]
    for (key, value) in family.samples {
      guard let match = key.wholeMatch(of: /.*_bucket\{(.*?),?le="([^"]*)"\}/) else { continue }
      guard let bound = Double(match.2.replacing("Inf", with: "inf")) else { throw Fault(line: key, problem: "no bound") }
      series[String(match.1), default: []].append((bound, value))
    }
    for (labels, buckets) in series {
      let counts = buckets.sorted { $0.0 < $1.0 }
      guard counts.last?.0 == .infinity, zip(counts, counts.dropFirst()).allSatisfy({ $0.1 <= $1.1 }) else {
        throw Fault(line: name + labels, problem: "buckets do not rise to +Inf")
      }
      let total = family.samples[name + "_count" + (labels.isEmpty ? "" : "{\(labels)}")]
      guard total == counts.last?.1 else { throw Fault(line: name + labels, problem: "the last bucket is not the count") }
    }
  }
}
