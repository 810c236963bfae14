import Domain
import Foundation
import RunnerHub
import Scheduling
import Testing

@Suite("What is told to the forge, and when")
struct StatusOutboxTests {
  private let now = Sample.start

  @Test("a newer update of a job takes the place of the older one")
  func coalesces() {
    var outbox = StatusOutbox()
    outbox.enqueue(Sample.update(1, title: "old"))
    outbox.enqueue(Sample.update(1, title: "new"))
    #expect(outbox.next(at: now) == .send(Sample.update(1, title: "new")))
    #expect(outbox.next(at: now) == .idle)
  }

  @Test("ends of jobs go first")
  func endsFirst() {
    var outbox = StatusOutbox()
    outbox.enqueue(Sample.update(1))
    outbox.enqueue(Sample.update(2, .completed))
    #expect(outbox.next(at: now) == .send(Sample.update(2, .completed)))
    #expect(outbox.next(at: now) == .send(Sample.update(1)))
  }

  @Test("a job is not written twice in ten seconds, unless its state changed")
  func quiet() {
    var outbox = StatusOutbox()
    outbox.enqueue(Sample.update(1, .inProgress, title: "step 1"))
    #expect(outbox.next(at: now) == .send(Sample.update(1, .inProgress, title: "step 1")))
    outbox.sent(Sample.update(1, .inProgress, title: "step 1"), at: now)
    let step2 = Sample.update(1, .inProgress, title: "step 2")
    outbox.enqueue(step2)
    #expect(outbox.next(at: now.addingTimeInterval(3)) == .postpone(step2, until: now.addingTimeInterval(10)))
    outbox.enqueue(Sample.update(1, .completed))
    #expect(outbox.next(at: now.addingTimeInterval(4)) == .send(Sample.update(1, .completed)))
    outbox.sent(Sample.update(1, .completed), at: now.addingTimeInterval(4))
    outbox.enqueue(step2)
    #expect(outbox.next(at: now.addingTimeInterval(10)) == .send(step2))
  }

  @Test("a second update waits while the first of its job is on its way")
  func inFlight() {
    var outbox = StatusOutbox()
    outbox.enqueue(Sample.update(1))
    #expect(outbox.next(at: now) == .send(Sample.update(1)))
    outbox.enqueue(Sample.update(1, .completed))
    #expect(outbox.next(at: now) == .idle)
    outbox.sent(Sample.update(1), at: now)
    #expect(outbox.next(at: now) == .send(Sample.update(1, .completed)))
  }

  @Test("when throttled, only ends of jobs wait for the opening; the rest is put off")
  func throttled() {
    var outbox = StatusOutbox()
    let until = now.addingTimeInterval(120)
    let failure = outbox.failed(Sample.update(9), .throttled(until: until, "secondary limit"), tries: 0, at: now, random: 0.5)
    #expect(failure == .retry(at: until))
    outbox.enqueue(Sample.update(1))
    outbox.enqueue(Sample.update(2, .completed))
    #expect(outbox.next(at: now) == .postpone(Sample.update(1), until: until))
    #expect(outbox.next(at: now) == .wait(until: until))
    #expect(outbox.next(at: until) == .send(Sample.update(2, .completed)))
  }

  @Test("the content budget of a minute is kept, and three quarters of it are the most that running jobs get")
  func budget() {
    var outbox = StatusOutbox(settings: .init(writesPerMinute: 8, writesPerHour: 100))
    var sent = 0
    for id in Int64(1)...8 {
      outbox.enqueue(Sample.update(id))
      guard case .send(let update) = outbox.next(at: now) else { continue }
      outbox.sent(update, at: now)
      sent += 1
    }
    #expect(sent == 6)
    for id in Int64(21)...23 { outbox.enqueue(Sample.update(id, .completed)) }
    for _ in 0..<2 {
      guard case .send(let update) = outbox.next(at: now) else { return #expect(Bool(false), "an end has the rest of the budget") }
      outbox.sent(update, at: now)
    }
    #expect(outbox.next(at: now) == .wait(until: now.addingTimeInterval(60)))
    #expect(outbox.next(at: now.addingTimeInterval(60)) == .send(Sample.update(23, .completed)))
  }

  struct FailureCase: Sendable, CustomTestStringConvertible {
    var testDescription: String
    var error: ForgeError
    var status: StatusUpdate.Status = .completed
    var tries = 0
    var expected: StatusOutbox.Failure
  }

  @Test(
    "what becomes of a failed update",
    arguments: [
      FailureCase(
        testDescription: "no answer", error: .unavailable("x"), tries: 2, expected: .retry(at: Sample.start.addingTimeInterval(2))),
      FailureCase(
        testDescription: "never given up", error: .unavailable("x"), tries: .max, expected: .retry(at: Sample.start.addingTimeInterval(150))
      ),
      FailureCase(testDescription: "invalid", error: .invalid("x"), expected: .giveUp("refused as invalid: x")),
      FailureCase(testDescription: "denied end", error: .forbidden("x"), expected: .retry(at: Sample.start.addingTimeInterval(30))),
      FailureCase(testDescription: "denied end, tries used", error: .forbidden("x"), tries: 4, expected: .giveUp("not allowed: x")),
      FailureCase(testDescription: "denied step", error: .forbidden("x"), status: .inProgress, expected: .giveUp("not allowed: x")),
    ])
  func failures(_ example: FailureCase) {
    var outbox = StatusOutbox()
    let found = outbox.failed(Sample.update(1, example.status), example.error, tries: example.tries, at: now, random: 0.5)
    #expect(found == example.expected)
  }

  @Test("over random traffic the budget holds in every window, and every end is sent", arguments: 0..<40)
  func property(seed: UInt64) {
    var random = SeededGenerator(seed: seed)
    var outbox = StatusOutbox(settings: .init(writesPerMinute: 10, writesPerHour: 60, degradedBacklog: 8))
    var time = now
    var writes: [Date] = []
    var wanted: Set<JobID> = []
    var arrived: Set<JobID> = []
    func drain() {
      while true {
        switch outbox.next(at: time) {
        case .send(let update):
          if Int.random(in: 0..<10, using: &random) == 0 {
            _ = outbox.failed(update, .throttled(until: time.addingTimeInterval(30), ""), tries: 0, at: time, random: 0)
            outbox.enqueue(update)
          } else {
            outbox.sent(update, at: time)
            writes.append(time)
            if update.isTerminal { arrived.insert(update.jobID) }
          }
        case .postpone(let update, let until):
          #expect(!update.isTerminal && until > time)
        case .wait(let until):
          #expect(until > time)
          return
        case .idle: return
        }
      }
    }
    for id in Int64(1)...150 {
      time += Double.random(in: 0...20, using: &random)
      let isEnd = Bool.random(using: &random)
      outbox.enqueue(Sample.update(id, isEnd ? .completed : .inProgress))
      if isEnd { wanted.insert(JobID(forgeID: id, attempt: 1)) }
      drain()
    }
    for _ in 0..<600 where outbox.count > 0 {
      time += 60
      drain()
    }
    #expect(arrived == wanted)
    for (index, write) in writes.enumerated() {
      let later = writes[index...]
      #expect(later.count { $0 < write.addingTimeInterval(60) } <= 10)
      #expect(later.count { $0 < write.addingTimeInterval(3600) } <= 60)
    }
  }
}
