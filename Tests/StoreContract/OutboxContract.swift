import Domain
import Foundation
import RunnerHub
import Testing

extension StoreContract {
  static var outbox: [StoreContract] {
    [
      StoreContract("effects come when they are due, by due time, and whole") { store async throws in
        let update = StatusUpdate(
          jobID: JobID(rawValue: "1"), repository: "acme/storefront", installationID: 5, headSHA: "abc", name: "RunnerHub / build",
          status: .completed, conclusion: .timedOut, title: "t", summary: "s", detailsURL: nil, startedAt: Sample.time(0), completedAt: nil)
        let told = OutboxEffect(key: "status/1", kind: .status(update), dueAt: Sample.time(2), tries: 3)
        let stored = try await store.commit { $0.effects = [told, Sample.effect("b", due: 1), Sample.effect("c", due: 3)] }.effects
        #expect(try await store.dueEffects(at: Sample.time(0.999), limit: 10).isEmpty)
        #expect(try await store.dueEffects(at: Sample.time(2), limit: 10) == [stored[1], stored[0]])
        #expect(try await store.dueEffects(at: Sample.time(9), limit: 1).map(\.key) == ["b"])
        #expect(stored[0].kind == told.kind && stored[0].tries == 3)
        #expect(try await store.nextEffectTime() == Sample.time(1))
        #expect(try await store.effectCount() == 3)
      },
      StoreContract("effects come by rank, and a newer one under the same key takes its own rank") { store async throws in
        func update(_ id: String, _ status: StatusUpdate.Status) -> OutboxEffect {
          .status(
            StatusUpdate(
              jobID: JobID(rawValue: id), repository: "acme/storefront", installationID: nil, headSHA: "abc", name: "RunnerHub / build",
              status: status, conclusion: nil, title: "t", summary: "s", detailsURL: nil, startedAt: nil, completedAt: nil),
            dueAt: Sample.time(Double(id) ?? 0))
        }
        let stored = try await store.commit { $0.effects = [update("1", .queued), update("2", .completed), update("3", .inProgress)] }
          .effects
        #expect(try await store.dueEffects(.ordinary, to: nil, at: Sample.time(9), limit: 9) == [stored[0], stored[2]])
        #expect(try await store.dueEffects(.ordinary, to: nil, at: Sample.time(2), limit: 9) == [stored[0]])
        #expect(try await store.dueEffects(.urgent, to: nil, at: Sample.time(9), limit: 9) == [stored[1]])
        #expect(try await store.nextEffectTime(.ordinary, to: nil) == Sample.time(1))
        #expect(try await store.nextEffectTime(.urgent, to: nil) == Sample.time(2))
        let ended = try await store.owe(update("1", .completed))
        #expect(try await store.dueEffects(.ordinary, to: nil, at: Sample.time(9), limit: 9) == [stored[2]])
        #expect(try await store.dueEffects(.urgent, to: nil, at: Sample.time(9), limit: 1) == [ended])
        let cancel = try await store.owe(
          OutboxEffect(
            key: "cancel/4", kind: .cancelRun(jobID: JobID(rawValue: "4"), repository: "acme/storefront", runID: 1), dueAt: Sample.time(0)))
        #expect(try await store.dueEffects(.urgent, to: nil, at: Sample.time(0), limit: 9) == [cancel])
      },
      StoreContract("no effect, no next time") { store async throws in
        #expect(try await store.nextEffectTime() == nil)
        #expect(try await store.effectCount() == 0)
      },
      StoreContract("at the time that the store names an effect is due, whatever fraction of a millisecond it has") { store async throws in
        try await store.commit { $0.effects = [Sample.effect("a", due: 1.000_4), Sample.effect("b", due: 2.000_6)] }
        let first = try #require(try await store.nextEffectTime())
        let due = try await store.dueEffects(at: first, limit: 9)
        #expect(due.map(\.key) == ["a"])
        try await store.settle(finished: due)
        let second = try #require(try await store.nextEffectTime())
        #expect(try await store.dueEffects(at: second, limit: 9).map(\.key) == ["b"])
      },
      StoreContract("an effect replaces the one under its key and has a greater revision") { store async throws in
        let old = try await store.owe(Sample.effect("a", run: 1))
        let new = try await store.owe(Sample.effect("a", run: 2, due: 5))
        #expect(new.revision > old.revision)
        #expect(try await store.dueEffects(at: Sample.time(9), limit: 9) == [new])
      },
      StoreContract("finishing or postponing an old revision leaves the newer one owed as it is") { store async throws in
        let old = try await store.owe(Sample.effect("a", run: 1))
        let new = try await store.owe(Sample.effect("a", run: 2))
        var later = old
        later.dueAt = Sample.time(100)
        later.tries = 1
        let postponed = later
        try await store.settle(finished: [old], postponed: [postponed])
        #expect(try await store.dueEffects(at: Sample.time(9), limit: 9) == [new])
        try await store.settle(finished: [new])
        #expect(try await store.effectCount() == 0)
        try await store.settle(postponed: [postponed])
        #expect(try await store.effectCount() == 0)
      },
      StoreContract("an effect that is owed anew after its end has a revision of its own") { store async throws in
        let first = try await store.owe(Sample.effect("a"))
        try await store.settle(finished: [first])
        let second = try await store.owe(Sample.effect("a", run: 2))
        try await store.settle(finished: [first])
        #expect(try await store.dueEffects(at: Sample.time(9), limit: 9) == [second])
      },
      StoreContract("a postponed effect keeps its revision and has its new time and tries") { store async throws in
        var effect = try await store.owe(Sample.effect("a"))
        effect.dueAt = Sample.time(60)
        effect.tries = 1
        let postponed = effect
        try await store.settle(postponed: [postponed])
        #expect(try await store.dueEffects(at: Sample.time(59), limit: 9).isEmpty)
        #expect(try await store.dueEffects(at: Sample.time(60), limit: 9) == [postponed])
      },
      StoreContract("an effect owed in the commit that finishes its predecessor stays") { store async throws in
        let old = try await store.owe(Sample.effect("a"))
        let new = try await store.settle(finished: [old], owed: [Sample.effect("a", run: 2)])
        #expect(try await store.dueEffects(at: Sample.time(9), limit: 9) == new)
      },
    ]
  }

  static var records: [StoreContract] {
    [
      StoreContract("a transition that is there already makes no second row and no conflict") { store async throws in
        let transition = AppliedTransition(jobID: JobID(rawValue: "1"), action: "queued")
        try await store.commit { $0.transitions = [transition, transition] }
        try await store.commit {
          $0.transitions = [transition]
          $0.memory = ["done": "yes"]
        }
        #expect(try await store.value(forKey: "done") == "yes")
      },
      StoreContract("decisions come back whole, by job, in the order of writing, and all are counted") { store async throws in
        func decision(_ kind: String, job: String?) -> DecisionRecord {
          DecisionRecord(
            kind: kind, jobID: job.map(JobID.init(rawValue:)), pool: job == nil ? "demo" : nil, output: "orchestrator", reason: "labels",
            bundle: "built-in", fallbackCause: job == nil ? nil : "budget", microseconds: 1.5, at: Sample.time(1))
        }
        #expect(try await store.decisionCount() == 0)
        try await store.commit {
          $0.decisions = [decision("routing", job: "1"), decision("scaling", job: nil), decision("priority", job: "1")]
        }
        #expect(try await store.decisions(ofJob: JobID(rawValue: "1")) == [decision("routing", job: "1"), decision("priority", job: "1")])
        #expect(try await store.decisionCount() == 3)
      },
      StoreContract("a job's story comes oldest first") { store async throws in
        let job = JobID(rawValue: "1")
        let story = [3.0, 1, 2, 1].enumerated().map { TimelineEntry(jobID: job, at: Sample.time($1), text: "\($0)") }
        try await store.commit { $0.timeline = story + [TimelineEntry(jobID: JobID(rawValue: "2"), at: Sample.time(0), text: "other")] }
        #expect(try await store.timeline(ofJob: job).map(\.text) == ["1", "3", "2", "0"])
      },
      StoreContract("a value in memory is the last one set") { store async throws in
        #expect(try await store.value(forKey: "check/1") == nil)
        try await store.commit { $0.memory = ["check/1": "7", "check/2": ""] }
        try await store.commit { $0.memory = ["check/1": "8"] }
        #expect(try await store.value(forKey: "check/1") == "8")
        #expect(try await store.value(forKey: "check/2")?.isEmpty == true)
      },
      StoreContract("an empty commit changes nothing") { store async throws in
        #expect(try await store.commit(Changes(), at: .statusesSettled).isEmpty)
      },
    ]
  }
}
