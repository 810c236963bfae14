import Domain
import Foundation
import RunnerHub
import Testing

@testable import Command
@testable import Web

@Suite("Tables on a terminal")
struct TerminalTests {
  @Test(
    "a text is as wide as a terminal shows it",
    arguments: [
      ("", 0), ("abc", 3), ("größe", 5), ("gro\u{308}ße", 5), ("日本", 4), ("가", 2), ("🚀 go", 5), ("✓", 1), ("…", 1), ("a\u{200b}b", 2),
      ("\u{1b}x", 1), ("a\u{fe0f}", 1),
    ])
  func width(text: String, columns: Int) {
    #expect(TextTable.width(of: text) == columns)
  }

  @Test("columns stand below each other, also with wide characters, and no line ends in blanks")
  func columns() {
    let table = TextTable(columns: ["A", "B", "C"], rows: [["日本", "x", "end"], ["a", "long", "z"]])
    #expect(table.text(width: nil) == "A     B     C\n日本  x     end\na     long  z")
    #expect(TextTable(columns: ["ONE", "TWO"], rows: []).text(width: nil) == "ONE  TWO")
  }

  @Test("a line that is too long is cut to the width, never within a wide character", arguments: 1...12)
  func cut(columns: Int) {
    for text in ["a long line of text", "日本語日本語日本語", "a日a日a日a日a日", "x"] {
      let cut = TextTable.cut(text, to: columns)
      #expect(TextTable.width(of: cut) <= columns)
      if TextTable.width(of: text) <= columns {
        #expect(cut == text)
      } else {
        #expect(cut.hasSuffix("…") && text.hasPrefix(cut.dropLast()))
      }
    }
    #expect(TextTable.cut("as it is", to: nil) == "as it is")
  }

  @Test("what could move the cursor, change colours or turn the line's direction becomes a blank")
  func printable() {
    #expect(TextTable.printable("a\u{1b}[2Jb\r\n\tc\u{9b}31md\u{7f}") == "a [2Jb   c 31md ")
    #expect(TextTable.printable("x\u{202e}gpj.exe\u{2066}\u{2028}y") == "x gpj.exe  y")
    #expect(TextTable.printable("größe 日本 🚀 ✓") == "größe 日本 🚀 ✓")
  }

  @Test("names, reasons and steps of jobs reach the table without control characters")
  func hostileJobs() {
    let row = Sample.row("evil\u{1b}]0;owned\u{7}\nnext", state: .forwarded, route: .traditional) { $0.routeReason = "label \u{1b}[31mred" }
    let text = JobTable(rows: [row]).text(width: nil)
    #expect(text.split(separator: "\n").count == 2)
    #expect(!text.unicodeScalars.contains { $0.value < 0x20 && $0 != "\n" })
    #expect(text.contains("label  [31mred"))
  }

  @Test(
    "durations read as people say them",
    arguments: [
      (0, "0 ms"), (0.0042, "4 ms"), (0.9999, "999 ms"), (1.25, "1.2 s"), (59.99, "59.9 s"), (60, "1 min 0 s"), (3725, "62 min 5 s"),
      (-1, "–"), (.nan, "–"), (.infinity, "–"), (1e300, "–"), (nil, "–"),
    ] as [(Double?, String)])
  func durations(seconds: Double?, text: String) {
    #expect(JobTable.duration(seconds) == text)
  }

  @Test("a state is one word with a sign for its end")
  func states() {
    #expect(JobTable.state(Sample.row("a", state: .running)) == "running")
    #expect(JobTable.state(Sample.row("a", state: .completed) { $0.conclusion = .success }) == "completed ✓")
    #expect(JobTable.state(Sample.row("a", state: .completed) { $0.conclusion = .failure }) == "completed ✗")
    #expect(JobTable.state(Sample.row("a", state: .completed, route: .traditional) { $0.conclusion = .failure }) == "forwarded")
    #expect(JobTable.state(Sample.row("a", state: .cancelled) { $0.refusal = "image" }) == "refused")
  }

  @Test("on a terminal the table is redrawn in place, with the log above it")
  func redraw() {
    let paper = Paper()
    var screen = LiveScreen(isInteractive: true, size: (80, 24), write: { paper.text += $0 })
    screen.show([Sample.row("a", state: .queued)])
    #expect(!paper.text.contains("\u{1b}"))
    paper.text = ""
    screen.show([Sample.row("a", state: .running), Sample.row("b", id: 2, state: .queued)], log: ["a | hello"])
    #expect(paper.text.hasPrefix("\u{1b}[2A\u{1b}[Ja | hello\n"))
    paper.text = ""
    screen.show([])
    #expect(paper.text.hasPrefix("\u{1b}[3A\u{1b}[J"))
  }

  @Test("a table taller than the screen keeps its head and its newest rows, and every line fits")
  func tallTable() {
    let paper = Paper()
    var screen = LiveScreen(isInteractive: true, size: (40, 10), write: { paper.text += $0 })
    let rows = (1...50).map { number in
      Sample.row("job-\(number)", id: Int64(number), state: .queued) { $0.placementReason = String(repeating: "why ", count: 30) }
    }
    for _ in 1...2 {
      paper.text = ""
      screen.show(rows)
    }
    let lines = paper.text.split(separator: "\n")
    #expect(lines.count < 10)
    #expect(paper.text.hasPrefix("\u{1b}[\(lines.count)A\u{1b}[J"))
    #expect(lines[0].contains("JOB"))
    #expect(lines.last?.hasPrefix("job-50") == true)
    for line in lines { #expect(TextTable.width(of: String(line.replacing("\u{1b}[\(lines.count)A\u{1b}[J", with: ""))) <= 40) }
  }

  @Test("without a terminal each state of a job is one line, once, without escapes")
  func lines() {
    let paper = Paper()
    var screen = LiveScreen(isInteractive: false, size: nil, write: { paper.text += $0 })
    for _ in 1...3 { screen.show([Sample.row("a", state: .queued)]) }
    for _ in 1...3 { screen.show([Sample.row("a", state: .running), Sample.row("b", id: 2, state: .queued)], log: []) }
    screen.show([Sample.row("a", state: .completed) { $0.conclusion = .success }], log: ["a | bye"])
    let lines = paper.text.split(separator: "\n").map { $0.split(separator: " ").joined(separator: " ") }
    #expect(lines.count == 5)
    #expect(lines.map { $0.prefix(1) } == ["a", "a", "b", "a", "a"])
    #expect(lines[1].contains("running"))
    #expect(lines[3] == "a | bye")
    #expect(lines[4].contains("completed ✓"))
    #expect(!paper.text.contains("\u{1b}"))
  }

  @Test("a job's story shows no control characters of its texts")
  func story() throws {
    var job = Sample.job("evil\u{1b}[2J", state: .queued)
    job.workflow = "CI\u{7}"
    let story = JobStory(
      row: JobRow(job, now: Sample.time(9), containerName: { _ in nil }), job: job, decisions: [],
      timeline: [TimelineEntry(jobID: job.id, at: Sample.time(0.118), text: "came\u{1b}[1m")], assignments: [])
    let text = story.text
    #expect(text == "evil [2J · acme/storefront · CI  run 4, attempt 1 · abcdef0 · 2026-04-24\n\n03:06:40.118  came [1m")
  }

  @Test("the history of policies says what acts, and each event in one line")
  func policyHistory() {
    let events = [
      PolicyEvent(kind: .activated, slot: .canary, bundle: "9ab2c01d4e5f", percent: 12.5, actor: "api", at: Sample.time(60)),
      PolicyEvent(kind: .refused, slot: .live, bundle: nil, actor: "folder", detail: "no\u{1b}[2J files\nhere", at: Sample.time(0)),
    ]
    let history = PolicyHistory(events: events, active: PolicyStatus(bundle: "built-in", refusal: "no files"))
    #expect(
      history.text(width: nil) == """
        bundle built-in acts; no files

        WHEN                  WHAT       SLOT           BUNDLE        BY      WHY
        2026-04-24T03:07:40Z  activated  canary 12.5 %  9ab2c01d4e5f  api     –
        2026-04-24T03:06:40Z  refused    live           –             folder  no [2J files here
        """)
    #expect(
      PolicyHistory(events: [], active: PolicyStatus(bundle: "built-in")).text(width: 80).hasSuffix("nothing has happened to policies yet"))
  }

  @Test("a reload says what acts now, what before, and where it was refused")
  func policyChange() {
    func text(_ outcome: PolicyChange.Outcome, problem: String? = nil, tests: Int? = nil) -> String {
      PolicyChangeReport(PolicyChange(outcome: outcome, bundle: "b", previous: "a", problem: problem, tests: tests)).text
    }
    #expect(text(.activated, tests: 36) == "bundle b acts now, 36 tests passed; before: a")
    #expect(text(.refused, problem: "routing.lua:3: no", tests: 1) == "refused: routing.lua:3: no\nbundle b stays")
    #expect(text(.unchanged) == "bundle b acts already")
    #expect(text(.rolledBack) == "rolled back: bundle b acts again until the folder changes; before: a")
  }
}

/// What was written.
private final class Paper {
  var text = ""
}

enum Sample {
  static func time(_ seconds: Double) -> Date { Date(timeIntervalSince1970: 1_777_000_000 + seconds) }

  static func job(
    _ name: String, id: Int64 = 1, state: JobState, route: Route? = .orchestrator, _ change: (inout Job) -> Void = { _ in }
  ) -> Job {
    var job = Job(
      id: JobID(forgeID: id, attempt: 1), forgeID: id, runID: 4, runAttempt: 1,
      repository: Repository(id: 1, fullName: "acme/storefront", isPrivate: true, defaultBranch: "main"), workflow: "CI", name: name,
      labels: ["linux"], headSHA: "abcdef0123", state: state, createdAt: time(0), receivedAt: time(0))
    job.route = route
    change(&job)
    return job
  }

  static func row(
    _ name: String, id: Int64 = 1, state: JobState, route: Route? = .orchestrator, _ change: (inout Job) -> Void = { _ in }
  ) -> JobRow {
    JobRow(job(name, id: id, state: state, route: route, change), now: time(60), containerName: { $0.rawValue })
  }
}
