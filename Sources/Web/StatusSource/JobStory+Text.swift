import Domain
import Foundation
import RunnerHub

extension JobStory {
  /// The story in plain words, a line each, oldest first. What comes from outside is fit for a terminal.
  package var text: String {
    let branch = job.headBranch.map { "\($0)@" } ?? ""
    let workflow = job.workflow ?? "workflow unknown"
    var lines = [
      PrintableText.line(
        "\(job.name) · \(job.repository.fullName) · \(workflow) run \(job.runID), attempt \(job.runAttempt) · \(branch)\(job.headSHA.prefix(7))"
      ),
      "",
    ]
    for entry in timeline { lines.append("\(entry.at.formatted(Self.time))  \(PrintableText.line(entry.text))") }
    if !decisions.isEmpty { lines.append("") }
    for decision in decisions {
      let fallback = decision.fallbackCause.map { " (built-in rule: \($0))" } ?? ""
      let microseconds = decision.microseconds.isFinite ? Int(min(max(decision.microseconds, 0), 1e12)) : 0
      lines.append(
        PrintableText.line(
          "\(decision.kind) → \(decision.output): \(decision.reason)  bundle \(decision.bundle), \(microseconds) µs\(fallback)"))
    }
    return lines.joined(separator: "\n")
  }

  private static let time = Date.VerbatimFormatStyle(
    format: """
      \(hour: .twoDigits(clock: .twentyFourHour, hourCycle: .zeroBased)):\(minute: .twoDigits):\(second: .twoDigits)\
      .\(secondFraction: .fractional(3))
      """,
    timeZone: .gmt, calendar: Calendar(identifier: .gregorian))
}
