import Domain
import Foundation
import Storage
import Testing

@testable import RunnerHub

@Suite("What those who look on are told")
struct EventFeedTests {
  private func event(_ kind: HubEventKind = .job, _ subject: String = "1") -> HubEvent {
    HubEvent(kind: kind, at: Date(timeIntervalSince1970: 0), action: "queued", subject: subject, text: "")
  }

  @Test("events come in order, with rising ids, of the kinds that are followed only")
  func order() async throws {
    let feed = EventFeed()
    feed.begin(start: 3)
    let follower = feed.follow([.job])
    feed.publish { [event(), event(.container), event(.job, "2")] }
    let batch = try #require(await follower.next(limit: 10))
    #expect(batch.events.map(\.subject) == ["1", "2"] && batch.missed == 0)
    #expect(batch.events.map(\.id) == [30_000_000_001, 30_000_000_003])
  }

  @Test("a batch comes again until it has arrived, whatever came meanwhile")
  func again() async throws {
    let feed = EventFeed()
    let follower = feed.follow([.job])
    feed.publish { [event()] }
    let first = try #require(await follower.next(limit: 10))
    feed.publish { [event(.job, "2")] }
    #expect(await follower.next(limit: 10) == first)
    follower.told()
    #expect(await follower.next(limit: 10)?.events.map(\.subject) == ["2"])
  }

  @Test("a follower that is too slow loses the oldest, counted before the events that follow them")
  func overflow() async throws {
    let feed = EventFeed()
    let follower = feed.follow([.job], capacity: 16)
    feed.publish { [event(.job, "first")] }
    #expect(await follower.next(limit: 1)?.missed == 0)
    for number in 1...100 { feed.publish { [event(.job, "\(number)")] } }
    #expect(await follower.next(limit: 1)?.events.map(\.subject) == ["first"], "what is under way is not lost")
    follower.told()
    let batch = try #require(await follower.next(limit: 1000))
    #expect(batch.events.last?.subject == "100" && batch.events.count <= 16)
    #expect(batch.missed + batch.events.count == 100)
    follower.skipped()
    feed.publish { [event(.job, "101")] }
    #expect(await follower.next(limit: 1000)?.missed == 100)
  }

  @Test("while nobody follows no event is made, and whoever left is told nothing more")
  func nobody() async {
    let feed = EventFeed()
    let made = Shared(0)
    let count: @Sendable () -> [HubEvent] = {
      made.withLock { $0 += 1 }
      return []
    }
    feed.publish(count)
    #expect(made.withLock { $0 } == 0)
    let follower = feed.follow([.job])
    feed.publish(count)
    #expect(made.withLock { $0 } == 1)
    feed.leave(follower)
    feed.publish(count)
    #expect(made.withLock { $0 } == 1)
    #expect(await follower.next(limit: 1) == nil)
  }

  @Test("the way of a job is told once for each state, in the order of the commits")
  func wayOfAJob() async throws {
    let feed = EventFeed()
    let follower = feed.follow([.job, .container])
    let store = try SQLiteStore { changes in feed.publish { changes.events(at: Date(timeIntervalSince1970: 0)) } }
    let bench = try Bench(store: store)
    let assignment = try await bench.running(1)
    try await bench.finish(1, on: assignment)
    try await bench.work()
    let events = try #require(await follower.next(limit: 1000)).events
    #expect(events.filter { $0.kind == .job }.map(\.action) == ["received", "queued", "assigned", "starting", "running", "completed"])
    let containers = events.filter { $0.kind == .container }.map(\.action)
    #expect(containers.contains("busy") && zip(containers, containers.dropFirst()).allSatisfy { $0 != $1 }, "\(containers)")
    let end = try #require(events.last { $0.kind == .job })
    #expect(end.details["conclusion"] == "success" && end.details["repository"] == "acme/shop" && end.details["name"] == "build")
    #expect(end.text == "build of acme/shop is completed (success)")
    #expect(events.map(\.id) == events.map(\.id).sorted())
  }

  @Test("alerts and policies are told; texts from outside are one bounded line")
  func others() {
    var changes = Changes()
    let long = String(repeating: "x\n", count: 2000)
    changes.alerts = [Alert(id: "a", key: "k", severity: .critical, title: "T", text: long, raisedAt: Date(timeIntervalSince1970: 1))]
    changes.policyEvents = [
      PolicyEvent(kind: .refused, slot: .live, bundle: nil, actor: "folder", detail: "bad", at: Date(timeIntervalSince1970: 2))
    ]
    let events = changes.events(at: Date(timeIntervalSince1970: 9))
    #expect(events.map(\.kind) == [.policy, .alert] && events.map(\.action) == ["refused", "raised"])
    #expect(events.allSatisfy { !$0.text.contains("\n") && $0.text.count <= 500 && $0.details.values.allSatisfy { $0.count <= 500 } })
  }
}
