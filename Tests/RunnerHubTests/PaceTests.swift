import Domain
import Foundation
import Testing

@testable import RunnerHub

@Suite("How often loops look")
struct PaceTests {
  private let start = Date(timeIntervalSince1970: 1_777_000_000)
  private func time(_ seconds: TimeInterval) -> Date { start.addingTimeInterval(seconds) }

  @Test(
    "a turn is followed by a pause of three times its length, of a tenth of a second at most",
    arguments: [(0.001, 0.003), (0.01, 0.03), (2.0, 0.1), (0.0, 0.0), (-5.0, 0.0)])
  func pause(turn: TimeInterval, pause: TimeInterval) {
    var pace = Pace()
    pace.noteTurn(from: time(0), to: time(turn))
    #expect(abs(pace.pause(at: time(turn)) - pause) < 1e-6)
    #expect(pace.pause(at: time(turn + pause + 0.001)) < 0)
  }

  @Test("the first turn waits for nothing")
  func first() { #expect(Pace().pause(at: start) < 0) }

  private let quiet = AssignmentID(rawValue: "quiet")
  private let loud = AssignmentID(rawValue: "loud")

  @Test("a log that grows is looked at twice a second, a quiet one less and less often")
  func logs() {
    var schedule = LogSchedule()
    schedule.follow([quiet, loud], at: start)
    var looks: [AssignmentID: Int] = [:]
    for step in 0..<1200 {
      let now = time(Double(step) * 0.5)
      for (id, _) in schedule.due(at: now) {
        looks[id, default: 0] += 1
        schedule.looked(at: id, end: id == loud ? Int64(step) : 0, at: now)
      }
    }
    #expect(looks[loud] == 1200)
    let often = looks[quiet] ?? 0
    // Ten minutes: at least every ten seconds, and not much oftener.
    #expect((60...80).contains(often), "\(often)")
  }

  @Test("a quiet log that speaks again is looked at as often as before")
  func speaksAgain() {
    var schedule = LogSchedule()
    schedule.follow([quiet], at: start)
    schedule.looked(at: quiet, end: 0, at: start)
    schedule.looked(at: quiet, end: 0, at: time(400))
    #expect(schedule.due(at: time(409)).isEmpty)
    #expect(schedule.due(at: time(410)).map(\.id) == [quiet])
    schedule.looked(at: quiet, end: 17, at: time(410))
    #expect(schedule.due(at: time(410.5)).map(\.offset) == [17])
  }

  @Test("what is not followed any more is not due, and a failed look knows no offset")
  func follows() {
    var schedule = LogSchedule()
    schedule.follow([quiet, loud], at: start)
    schedule.looked(at: loud, end: nil, at: start)
    schedule.follow([loud], at: time(1))
    #expect(schedule.due(at: time(1)).map(\.id) == [loud])
    #expect(schedule.due(at: time(1))[0].offset == nil)
  }
}
