internal import Domain
internal import Foundation

/// What became of the tests of one plugin.
package struct PluginTestReport: Sendable {
  package var name: String
  package var kind: PluginKind?
  package var checks: [PluginSuite.Check] = []

  package var passed: Int { checks.count { $0.outcome == .passed } }
  package var failed: Int { checks.count { if case .failed = $0.outcome { true } else { false } } }

  init(name: String) { self.name = name }

  /// The suite in a line, the author's tests in one each, and what is missing.
  package var text: String {
    let suite = checks.filter { !$0.isOwn }
    let own = checks.filter(\.isOwn)
    // GARM's contract is told in sentences.
    if kind == .garmProvider { return (Self.each(suite) + ["GARM's contract      \(Self.count(suite))"]).joined(separator: "\n") }
    var lines = [suite.map { "\($0.name) \($0.outcome.mark)" }.joined(separator: "  ") + "      " + Self.count(suite)]
    lines += suite.compactMap(\.complaint)
    if !own.isEmpty { lines += Self.each(own) + ["its own tests      \(Self.count(own))"] }
    return lines.joined(separator: "\n")
  }

  private static func each(_ checks: [PluginSuite.Check]) -> [String] {
    checks.flatMap { check in ["\(check.outcome.mark) \(check.name)"] + (check.complaint.map { [$0] } ?? []) }
  }

  private static func count(_ checks: [PluginSuite.Check]) -> String {
    let failed = checks.count { if case .failed = $0.outcome { true } else { false } }
    let skipped = checks.count { if case .skipped = $0.outcome { true } else { false } }
    return "\(checks.count - failed - skipped) passed" + (failed > 0 ? ", \(failed) failed" : "")
      + (skipped > 0 ? ", \(skipped) skipped" : "")
  }

  /// As JUnit writes it, for all plugins together.
  package static func junit(_ reports: [PluginTestReport]) -> String {
    var lines = ["<?xml version=\"1.0\" encoding=\"UTF-8\"?>", "<testsuites>"]
    for report in reports {
      let seconds = report.checks.reduce(0) { $0 + $1.seconds }
      lines.append(
        "  <testsuite name=\"\(report.name.escapedForXML)\" tests=\"\(report.checks.count)\" failures=\"\(report.failed)\" time=\"\(seconds.thousandths)\">"
      )
      for check in report.checks {
        let start =
          "    <testcase classname=\"plugin.\(report.name.escapedForXML)\" name=\"\(check.name.escapedForXML)\" time=\"\(check.seconds.thousandths)\""
        switch check.outcome {
        case .passed: lines.append(start + "/>")
        case .failed(let why): lines.append(start + "><failure message=\"\(why.escapedForXML)\"/></testcase>")
        case .skipped(let why): lines.append(start + "><skipped message=\"\(why.escapedForXML)\"/></testcase>")
        }
      }
      lines.append("  </testsuite>")
    }
    return (lines + ["</testsuites>", ""]).joined(separator: "\n")
  }
}

extension PluginTestReport: Encodable {
  private enum Key: String, CodingKey { case name, kind, passed, failed, checks }

  package func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: Key.self)
    try container.encode(name, forKey: .name)
    try container.encodeIfPresent(kind, forKey: .kind)
    try container.encode(passed, forKey: .passed)
    try container.encode(failed, forKey: .failed)
    try container.encode(checks, forKey: .checks)
  }
}

extension PluginSuite.Check: Encodable {
  private enum Key: String, CodingKey { case name, own, outcome, message, seconds }

  package func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: Key.self)
    try container.encode(name, forKey: .name)
    try container.encode(isOwn, forKey: .own)
    switch outcome {
    case .passed: try container.encode("passed", forKey: .outcome)
    case .failed(let why):
      try container.encode("failed", forKey: .outcome)
      try container.encode(why, forKey: .message)
    case .skipped(let why):
      try container.encode("skipped", forKey: .outcome)
      try container.encode(why, forKey: .message)
    }
    try container.encode(seconds, forKey: .seconds)
  }

  fileprivate var complaint: String? {
    switch outcome {
    case .passed: nil
    case .failed(let why): "  \(name): \(why)"
    case .skipped(let why): "  \(name) was skipped: \(why)"
    }
  }
}

extension PluginSuite.Check.Outcome {
  fileprivate var mark: String {
    switch self {
    case .passed: "✓"
    case .failed: "✘"
    case .skipped: "–"
    }
  }
}

extension String {
  fileprivate var escapedForXML: String {
    PrintableText.line(self).replacing("&", with: "&amp;").replacing("<", with: "&lt;").replacing(">", with: "&gt;").replacing(
      "\"", with: "&quot;")
  }
}

extension Double {
  fileprivate var thousandths: String { String(format: "%.3f", self) }
}
