internal import Domain
internal import Foundation

extension PolicyCommands {
  /// `policy replay`: what recorded jobs would have got from other policies.
  /// - Parameters:
  ///   - shown: a kind whose differences are listed one by one.
  ///   - again: how to ask for examples; stands below the counts where something differs.
  package static func replay(_ replay: Replay, seconds: Double, showing shown: String? = nil, again: String? = nil) -> Report {
    var lines = ["\(count(replay.jobCount, "job")) replayed in \(decimal(seconds)) s"]
    if replay.compared.isEmpty && replay.withoutInput.isEmpty {
      return Report(text: "no decisions are recorded in this time", isSuccess: true, values: ["jobs": 0])
    }
    for kind in ["routing", "priority", "affinity"] { lines += line(of: kind, replay).map { [$0] } ?? [] }
    lines += scalingLines(replay)
    for (cause, times) in replay.breaches.sorted(by: { ($1.value, $0.key) < ($0.value, $1.key) }) {
      lines.append("broke      \(times == 1 ? "once" : "\(grouped(times)) times"), the built-in rule answered: \(cause)")
    }
    let missing = replay.withoutInput.values.reduce(0, +)
    if missing > 0 { lines.append("left out   \(count(missing, "decision")) whose input is no longer kept") }
    let listed = replay.differences.filter { $0.kind == shown }
    if shown != nil { lines += [""] + (listed.isEmpty ? ["nothing differs"] : listed.prefix(50).flatMap(example)) }
    if listed.count > 50 { lines.append("… and \(grouped(listed.count - 50)) more; --json has all") }
    if let again, shown == nil, !replay.differences.isEmpty { lines.append("examples: \(again)") }
    return Report(text: lines.joined(separator: "\n"), isSuccess: replay.breaches.isEmpty, values: values(replay, seconds))
  }

  private static func line(of kind: String, _ replay: Replay) -> String? {
    let compared = replay.compared[kind] ?? 0
    let differences = replay.differences.filter { $0.kind == kind }
    var line = kind.padding(toLength: 11, withPad: " ", startingAt: 0)
    if kind == "affinity" {
      if compared + replay.routedElsewhere == 0 { return nil }
      let elsewhere = replay.routedElsewhere == 0 ? "" : " (\(grouped(replay.routedElsewhere)) not comparable: routing differs)"
      return line + "\(grouped(differences.count)) of \(grouped(compared)) differ\(elsewhere)"
    }
    if compared == 0 { return nil }
    line +=
      differences.isEmpty
      ? "0 of \(grouped(compared)) differ"
      : "\(grouped(differences.count)) \(differences.count == 1 ? "differs" : "differ") (\(share(differences.count, of: compared)))"
    let groups = DifferenceGroup.groups(of: differences, factCounts: replay.factCounts[kind] ?? [:])
    let told = groups.prefix(5).map { "\(grouped($0.count)) \($0.change)" + ($0.common.map { ", \($0)" } ?? "") }
    if !told.isEmpty { line += ": " + told.joined(separator: "; ") }
    if groups.count > 5 { line += "; …" }
    return line
  }

  private static func scalingLines(_ replay: Replay) -> [String] {
    replay.scaling.sorted { $0.key < $1.key }.map { name, pool in
      let peak = pool.peak.before == pool.peak.after ? "peak \(pool.peak.before)" : "peak \(pool.peak.before) → \(pool.peak.after)"
      var line = "scaling    pool \(name): \(peak) containers"
      if pool.seconds.before > 0 {
        let percent = Int(((pool.seconds.after / pool.seconds.before - 1) * 100).rounded())
        line += ", container-hours " + (percent == 0 ? "the same" : "\(percent < 0 ? "−" : "+")\(abs(percent)) %")
      }
      return line
    }
  }

  private static func example(_ difference: Replay.Difference) -> [String] {
    let id = difference.jobID.map { " (\($0))" } ?? ""
    return [
      "\(difference.subject)\(id): \(difference.change)", "  before  \(difference.before.reason)", "  after   \(difference.after.reason)",
    ]
  }

  private static func values(_ replay: Replay, _ seconds: Double) -> [String: ReportValue] {
    [
      "jobs": .integer(replay.jobCount), "seconds": .number(seconds),
      "compared": .object(replay.compared.mapValues(ReportValue.integer)),
      "without_input": .object(replay.withoutInput.mapValues(ReportValue.integer)),
      "routed_elsewhere": .integer(replay.routedElsewhere), "breaches": .object(replay.breaches.mapValues(ReportValue.integer)),
      "pools": .object(
        replay.scaling.mapValues {
          .object([
            "peak_before": .integer($0.peak.before), "peak_after": .integer($0.peak.after),
            "container_hours_before": .number($0.seconds.before / 3600), "container_hours_after": .number($0.seconds.after / 3600),
          ])
        }),
      "differences": .list(replay.differences.map(value)),
    ]
  }

  static func value(_ difference: Replay.Difference) -> ReportValue {
    .object([
      "kind": .text(difference.kind), "job": .optional(difference.jobID?.rawValue), "pool": .optional(difference.pool),
      "subject": .text(difference.subject), "at": .text(difference.at.formatted(.iso8601)),
      "before": .text(difference.before.output), "before_reason": .text(difference.before.reason),
      "after": .text(difference.after.output), "after_reason": .text(difference.after.reason),
    ])
  }
}
