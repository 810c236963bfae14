import Domain
import Foundation
import RunnerHub

/// A job's story in plain words: what happened, and beside each decision who made it, in what time, and what else was possible. Pure.
struct StoryText {
  /// A moment of the story: one line with its time, and what belongs to it below.
  private struct Moment {
    var at: Date
    var text: String
    /// At the end of the line: who decided, in what time.
    var note: String?
    var below: [String] = []
  }

  /// Column at which notes stand, where the text leaves them room.
  private static let noteColumn = 72
  /// Candidates that are told of, of each kind.
  private static let candidates = 10

  private let story: JobStory
  private var moments: [Moment] = []

  init(_ story: JobStory) {
    self.story = story
    moments = story.timeline.map { Moment(at: $0.at, text: $0.text) }
    var untold: [DecisionRecord] = []
    for decision in story.decisions where !join(decision) { untold.append(decision) }
    for (decision, last, count) in Self.runs(of: untold) {
      var moment = Moment(at: decision.at, text: "\(decision.kind) → \(decision.output): \(decision.reason)")
      if count > 1 { moment.text += " (\(count) times until \(Self.time(last)))" }
      describe(decision, in: &moment)
      moments.append(moment)
    }
    // Stable: what happened at once stays in the order of telling.
    moments = moments.enumerated().sorted { ($0.element.at, $0.offset) < ($1.element.at, $1.offset) }.map(\.element)
  }

  /// All lines. What comes from outside is fit for a terminal.
  var lines: [String] {
    var lines = [PrintableText.line(header), ""]
    var day = moments.first.map { Self.day($0.at) }
    for moment in moments {
      if Self.day(moment.at) != day {
        day = Self.day(moment.at)
        lines.append("— \(day ?? "") —")
      }
      var line = "\(Self.time(moment.at))  \(PrintableText.line(moment.text))"
      if let note = moment.note {
        line += String(repeating: " ", count: max(2, Self.noteColumn - line.count)) + PrintableText.line(note)
      }
      lines.append(line)
      lines += moment.below.map { String(repeating: " ", count: 16) + PrintableText.line($0) }
    }
    return lines
  }

  private var header: String {
    let job = story.job
    let branch = job.headBranch.map { "\($0)@" } ?? ""
    let workflow = job.workflow ?? "workflow unknown"
    return
      "\(job.name) · \(job.repository.qualifiedName) · \(workflow) run \(job.runID), attempt \(job.runAttempt) · \(branch)\(job.headSHA.prefix(7)) · \(Self.day(job.receivedAt))"
  }

  // MARK: Decisions

  /// Joins a decision to the line that tells of it.
  /// - Returns: whether there is one.
  private mutating func join(_ decision: DecisionRecord) -> Bool {
    let beginning =
      decision.kind != "affinity" ? "\(decision.kind) → " : decision.output == "none" ? "waits: affinity" : "placement:"
    // The store keeps times to the millisecond.
    guard
      let index = moments.firstIndex(where: {
        $0.note == nil && abs($0.at.timeIntervalSince(decision.at)) < 0.002 && $0.text.hasPrefix(beginning)
      })
    else { return false }
    if decision.kind == "affinity" {
      takePlaces(following: index)
    } else if !moments[index].text.hasPrefix("\(beginning)\(decision.output):") {
      // A rule of the host stands above what the policy said.
      moments[index].below.append("the policy said \(decision.output): \(decision.reason)")
    }
    describe(decision, in: &moments[index])
    return true
  }

  /// The planner tells of places in lines of their own, which belong to the line before them.
  private mutating func takePlaces(following index: Int) {
    let next = index + 1
    while next < moments.count, moments[next].at == moments[index].at, Self.isPlace(moments[next].text) {
      moments[index].below.append(moments.remove(at: next).text)
    }
  }

  private static func isPlace(_ text: String) -> Bool {
    text.contains(" filtered: ") || text.contains(" scored ") || text.contains(" left out: ")
  }

  private func describe(_ decision: DecisionRecord, in moment: inout Moment) {
    moment.note = "\(decision.isCanary ? "canary bundle" : "bundle") \(Self.short(decision.bundle)), \(Self.span(decision.microseconds))"
    moment.below += Self.places(decision, toldIn: moment.below)
    if decision.isCanary, let cause = decision.fallbackCause, let live = decision.shadow {
      let who = live.fallbackCause == nil ? "the live bundle \(Self.short(live.bundle))" : "the built-in rule"
      moment.below.append("the canary failed, and \(who) answered: \(cause)")
      if let also = live.fallbackCause { moment.below.append("the live bundle failed too: \(also)") }
      return
    }
    if let cause = decision.fallbackCause { moment.below.append("the built-in rule answered: \(cause)") }
    if let shadow = decision.shadow, shadow.differs {
      let fallback = shadow.fallbackCause.map { " (the built-in rule answered: \($0))" } ?? ""
      let who = decision.isCanary ? "the live bundle" : "shadow"
      moment.below.append("\(who) \(Self.short(shadow.bundle)) would have said \(shadow.output): \(shadow.reason)\(fallback)")
    }
  }

  /// The candidates that no line has told of yet: those with a score, and why others were left out.
  private static func places(_ decision: DecisionRecord, toldIn lines: [String]) -> [String] {
    let untold = decision.candidates.filter { candidate in !lines.contains { $0.hasPrefix("\(candidate.name) ") } }
    let scored = untold.compactMap { candidate in candidate.score.map { "\(candidate.name) scored \(Int($0.rounded()))" } }
    var text: [String] = []
    if !scored.isEmpty { text.append(shortened(scored)) }
    let rejected = untold.filter { $0.score == nil }
    for candidate in rejected.prefix(candidates) { text.append("\(candidate.name) left out: \(candidate.reason)") }
    if rejected.count > candidates { text.append("and \(rejected.count - candidates) more were left out") }
    return text
  }

  private static func shortened(_ words: [String]) -> String {
    words.prefix(candidates).joined(separator: ", ") + (words.count > candidates ? " and \(words.count - candidates) more" : "")
  }

  /// Decisions that follow each other and say the same, as one: a job that cannot be looked up yet is routed again and again.
  private static func runs(of decisions: [DecisionRecord]) -> [(first: DecisionRecord, last: Date, count: Int)] {
    var runs: [(first: DecisionRecord, last: Date, count: Int)] = []
    for decision in decisions {
      if let run = runs.last, run.first.says(what: decision) {
        runs[runs.count - 1] = (run.first, decision.at, run.count + 1)
      } else {
        runs.append((decision, decision.at, 1))
      }
    }
    return runs
  }

  // MARK: Words

  private static func short(_ bundle: String) -> String { bundle == "built-in" ? bundle : String(bundle.prefix(6)) }

  private static func span(_ microseconds: Double) -> String {
    guard microseconds.isFinite, microseconds < 1e12 else { return "–" }
    return microseconds < 1000 ? "\(Int(max(0, microseconds).rounded())) µs" : "\((microseconds / 100).rounded() / 10) ms"
  }

  private static func time(_ date: Date) -> String {
    // Formatting cuts: a time of whole milliseconds is often a little less, as a binary fraction.
    date.addingTimeInterval(0.000_1).formatted(
      Date.VerbatimFormatStyle(
        format: """
          \(hour: .twoDigits(clock: .twentyFourHour, hourCycle: .zeroBased)):\(minute: .twoDigits):\(second: .twoDigits)\
          .\(secondFraction: .fractional(3))
          """,
        timeZone: .gmt, calendar: Calendar(identifier: .gregorian)))
  }

  private static func day(_ date: Date) -> String {
    date.formatted(Date.ISO8601FormatStyle(timeZone: .gmt).year().month().day())
  }
}

extension DecisionRecord {
  fileprivate func says(what other: DecisionRecord) -> Bool {
    (kind, output, reason, bundle, fallbackCause) == (other.kind, other.output, other.reason, other.bundle, other.fallbackCause)
  }
}
