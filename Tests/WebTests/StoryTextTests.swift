import Domain
import Foundation
import RunnerHub
import Testing

@testable import Web

@Suite("The story of a job")
struct StoryTextTests {
  private static let start = Date(timeIntervalSince1970: 1_795_684_442.118)

  private static func told(_ milliseconds: Double, _ text: String) -> TimelineEntry {
    TimelineEntry(jobID: JobID(rawValue: "1"), at: start + milliseconds / 1000, text: text)
  }
  private static func decided(
    _ milliseconds: Double, _ kind: String, _ output: String, _ reason: String, _ microseconds: Double = 14,
    _ change: (inout DecisionRecord) -> Void = { _ in }
  ) -> DecisionRecord {
    var record = DecisionRecord(
      kind: kind, jobID: JobID(rawValue: "1"), pool: nil, output: output, reason: reason, bundle: "7c1f9e0a1b2c", fallbackCause: nil,
      microseconds: microseconds, at: start + milliseconds / 1000)
    change(&record)
    return record
  }
  private static func lines(_ timeline: [TimelineEntry], _ decisions: [DecisionRecord]) -> [String] {
    let job = Sample.job("deploy", state: .completed) {
      $0.workflow = "Release"
      $0.headBranch = "main"
      $0.receivedAt = start
    }
    return StoryText(
      JobStory(
        row: JobRow(job, now: start) { _ in nil }, job: job, decisions: decisions, timeline: timeline, assignments: [])
    ).lines
  }

  @Test("reads from delivery to end, each decision with its bundle and time, each place with its reason")
  func whole() {
    let text = Self.lines(
      [
        Self.told(0, "delivery 4f1c… workflow_job queued, verified, stored"), Self.told(4, "routing → orchestrator: linux container job"),
        Self.told(4, "priority → CRITICAL: deploys to production"), Self.told(6, "placement: 12 places considered"),
        Self.told(6, "9 filtered: 6 busy, 2 reserved for team data, 1 too small"),
        Self.told(6, "warm-3 scored 88: has this repository's cache  ← chosen (least-loaded)"),
        Self.told(101, "runner rh-7f3a registered"), Self.told(369_284, "completed: success"),
      ],
      [
        Self.decided(4, "routing", "orchestrator", "linux container job"),
        Self.decided(4, "priority", "CRITICAL", "deploys to production", 9),
        Self.decided(6, "affinity", "warm-3", "3 of 5 candidates allowed", 1840) {
          $0.candidates = [
            .init(id: "3", name: "warm-3", score: 88, reason: "has this repository's cache"),
            .init(id: "7", name: "warm-7", score: 54, reason: ""), .init(id: "9", name: "warm-9", score: 51, reason: ""),
            .init(id: "4", name: "warm-4", score: nil, reason: "kept for team data"),
          ]
        },
      ])
    #expect(
      text == [
        "deploy · acme/storefront · Release run 5, attempt 1 · main@f83a356 · 2026-11-26", "",
        "09:14:02.118  delivery 4f1c… workflow_job queued, verified, stored",
        "09:14:02.122  routing → orchestrator: linux container job               bundle 7c1f9e, 14 µs",
        "09:14:02.122  priority → CRITICAL: deploys to production                bundle 7c1f9e, 9 µs",
        "09:14:02.124  placement: 12 places considered                           bundle 7c1f9e, 1.8 ms",
        "                9 filtered: 6 busy, 2 reserved for team data, 1 too small",
        "                warm-3 scored 88: has this repository's cache  ← chosen (least-loaded)",
        "                warm-7 scored 54, warm-9 scored 51", "                warm-4 left out: kept for team data",
        "09:14:02.219  runner rh-7f3a registered", "09:20:11.402  completed: success",
      ])
  }

  @Test("tells where the built-in rule answered, what a shadow would have said, and where a host rule stood above")
  func besides() {
    let text = Self.lines(
      [Self.told(0, "routing → traditional: no pool offers [gpu]"), Self.told(1, "priority → HIGH: release")],
      [
        Self.decided(0, "routing", "orchestrator", "labels") { $0.fallbackCause = "routing.lua of bundle 7c1f9e0a1b2c: out of time" },
        Self.decided(1, "priority", "HIGH", "release") {
          $0.isCanary = true
          $0.shadow = ShadowVerdict(bundle: "9ab2c0000000", output: "NORMAL", reason: "no deploy", differs: true)
        },
      ])
    #expect(text.contains("                the policy said orchestrator: labels"))
    #expect(text.contains("                the built-in rule answered: routing.lua of bundle 7c1f9e0a1b2c: out of time"))
    #expect(text.contains("                the live bundle 9ab2c0 would have said NORMAL: no deploy"))
    #expect(text.contains { $0.hasSuffix("canary bundle 7c1f9e, 14 µs") })
    let failed = Self.lines(
      [],
      [
        Self.decided(0, "routing", "orchestrator", "labels") {
          ($0.isCanary, $0.fallbackCause) = (true, "routing.lua:3: boom")
          $0.shadow = ShadowVerdict(bundle: "9ab2c0000000", output: "orchestrator", reason: "labels", differs: true)
        }
      ])
    #expect(failed.contains("                the canary failed, and the live bundle 9ab2c0 answered: routing.lua:3: boom"))
    #expect(!failed.contains { $0.contains("would have said") || $0.contains("built-in") })
    let shadow = Self.lines(
      [], [Self.decided(0, "routing", "x", "r") { $0.shadow = ShadowVerdict(bundle: "9", output: "y", reason: "s", differs: true) }])
    #expect(shadow.contains("                shadow 9 would have said y: s"))
    let agreed = Self.lines(
      [], [Self.decided(0, "routing", "x", "r") { $0.shadow = ShadowVerdict(bundle: "9", output: "x", reason: "", differs: false) }])
    #expect(!agreed.contains { $0.contains("shadow") })
  }

  @Test("of a job that waits since affinity left out all places, each one's reason is told")
  func leftOut() {
    let text = Self.lines(
      [Self.told(0, "waits: affinity left out all 1 places: kept for data")],
      [
        Self.decided(0, "affinity", "none", "0 of 1 candidates allowed") {
          $0.candidates = [.init(id: "3", name: "warm-3", score: nil, reason: "kept for data")]
        }
      ])
    #expect(text.last == "                warm-3 left out: kept for data" && text.count == 4)
  }

  @Test("decisions that no line tells of have their own, in their place; the same one again and again is one")
  func untold() {
    let text = Self.lines(
      [Self.told(0, "first"), Self.told(60_000, "last")],
      (1...3).map { Self.decided(Double($0) * 5000, "routing", "orchestrator", "labels") })
    #expect(
      Array(text.dropFirst(2)) == [
        "09:14:02.118  first",
        "09:14:07.118  routing → orchestrator: labels (3 times until 09:14:17.118)  bundle 7c1f9e, 14 µs",
        "09:15:02.118  last",
      ])
  }

  @Test("a story over days names them, and nothing of it commands a terminal")
  func days() {
    let text = Self.lines(
      [Self.told(0, "evil \u{1b}[31m\nname"), Self.told(86_400_000, "next day")],
      [Self.decided(0, "routing", "x", "red \u{1b}[31m") { $0.fallbackCause = "line\u{2028}break" }])
    #expect(text.contains("— 2026-11-27 —"))
    #expect(!text.joined().unicodeScalars.contains { $0.value < 32 || $0.value == 0x2028 })
  }

  @Test("of many candidates only some are named, and how many more there are")
  func many() {
    let text = Self.lines(
      [],
      [
        Self.decided(0, "affinity", "c0", "r") {
          $0.candidates =
            (0..<25).map { .init(id: "\($0)", name: "c\($0)", score: Double(50 - $0), reason: "") }
            + (0..<25).map { .init(id: "n\($0)", name: "n\($0)", score: nil, reason: "no") }
        }
      ])
    #expect(text.contains { $0.hasSuffix("c9 scored 41 and 15 more") })
    #expect(text.contains { $0.hasSuffix("and 15 more were left out") })
  }
}
