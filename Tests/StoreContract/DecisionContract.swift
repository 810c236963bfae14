import Domain
import Foundation
import RunnerHub
import Testing

extension StoreContract {
  static var decisionLog: [StoreContract] {
    [
      StoreContract("an input comes back whole, by a digest that is its content's alone") { store async throws in
        let job = Sample.policyJob(1)
        let input = try store.input(of: .job(job), at: Sample.time(1))
        let again = try store.input(of: .job(job), at: Sample.time(2))
        let other = try store.input(of: .job(Sample.policyJob(2)), at: Sample.time(1))
        let fleet = try store.input(of: .fleet(Sample.snapshot), at: Sample.time(1))
        #expect(input.digest == again.digest)
        #expect(Set([input.digest, other.digest, fleet.digest]).count == 3)
        try await store.commit { $0.decisionInputs = [input, fleet] }
        #expect(try await store.decisionInput(input.digest)?.content == .job(job))
        #expect(try await store.decisionInput(fleet.digest)?.content == .fleet(Sample.snapshot))
        #expect(try await store.decisionInput(other.digest) == nil)
      },
      StoreContract("an input that is stored already makes no second row and no conflict") { store async throws in
        let input = try store.input(of: .job(Sample.policyJob(1)), at: Sample.time(1))
        try await store.commit { $0.decisionInputs = [input, input] }
        try await store.commit { $0.decisionInputs = [DecisionInput(digest: input.digest, content: input.content, at: Sample.time(9))] }
        let stored = try await store.decisionInput(input.digest)
        #expect(stored?.content == input.content && stored?.at == Sample.time(9))
        try await store.commit { $0.decisionInputs = [input] }
        #expect(try await store.decisionInput(input.digest)?.at == Sample.time(9))
      },
      StoreContract("a decision comes back with inputs, candidates, shadow and canary") { store async throws in
        var record = Sample.decision(job: 1, at: 0)
        (record.input, record.snapshot, record.isCanary) = ("a", "b", true)
        record.candidates = [
          .init(id: "c1", name: "warm-1", score: 80, reason: "cache"), .init(id: "", name: "new", score: nil, reason: "no"),
        ]
        record.shadow = ShadowVerdict(bundle: "0123456789ab", output: "LOW", reason: "r", fallbackCause: "broken", differs: true)
        let whole = record
        try await store.commit { $0.decisions = [whole] }
        #expect(try await store.decisions(ofJob: JobID(forgeID: 1, attempt: 1)) == [whole])
      },
      StoreContract("decisions come page by page since a time, oldest first") { store async throws in
        try await store.commit { $0.decisions = (0..<5).map { Sample.decision(job: $0, at: Double($0)) } }
        let first = try await store.decisions(since: Sample.time(1), after: 0, limit: 2)
        #expect(first.map(\.record) == [Sample.decision(job: 1, at: 1), Sample.decision(job: 2, at: 2)])
        let rest = try await store.decisions(since: Sample.time(1), after: try #require(first.last).id, limit: 9)
        #expect(rest.map(\.record) == [Sample.decision(job: 3, at: 3), Sample.decision(job: 4, at: 4)])
        // By identity, also where times do not rise with it.
        try await store.commit { $0.decisions = [Sample.decision(job: 5, at: 9), Sample.decision(job: 6, at: 8)] }
        let late = try await store.decisions(since: Sample.time(8), after: 0, limit: 9)
        #expect(late.map(\.record) == [Sample.decision(job: 5, at: 9), Sample.decision(job: 6, at: 8)])
        #expect(try await store.decisions(since: Sample.time(10), after: 0, limit: 9).isEmpty)
      },
      StoreContract("decisions of before a time are forgotten, the oldest first, and at most so many a step") { store async throws in
        try await store.commit { $0.decisions = (0..<5).map { Sample.decision(job: $0, at: Double($0)) } }
        let first = try await store.forgetDecisions(before: Sample.time(3), keeping: 99, limit: 2)
        #expect(first == ForgottenDecisions(decisions: 2, inputs: 0))
        #expect(try await store.remaining() == [2, 3, 4])
        #expect(try await store.forgetDecisions(before: Sample.time(3), keeping: 99, limit: 2).decisions == 1)
        #expect(try await store.forgetDecisions(before: Sample.time(3), keeping: 99, limit: 2).decisions == 0)
        #expect(try await store.remaining() == [3, 4])
        #expect(try await store.decisionCount() == 2)
      },
      StoreContract("the oldest decisions beyond a number are forgotten") { store async throws in
        try await store.commit { $0.decisions = (0..<5).map { Sample.decision(job: $0, at: Double($0)) } }
        #expect(try await store.forgetDecisions(before: Sample.time(1), keeping: 2, limit: 2).decisions == 2)
        #expect(try await store.forgetDecisions(before: Sample.time(1), keeping: 2, limit: 2).decisions == 1)
        #expect(try await store.forgetDecisions(before: Sample.time(1), keeping: 2, limit: 2).decisions == 0)
        #expect(try await store.remaining() == [3, 4])
      },
      StoreContract("an input goes with the last decision that was made from it") { store async throws in
        let inputs = try (1...2).map { try store.input(of: .job(Sample.policyJob($0)), at: Sample.time(0)) }
        // The first job is decided on again later, from the same input.
        for (job, at) in [(0, 0.0), (1, 1), (0, 2)] {
          var input = inputs[job]
          input.at = Sample.time(at)
          var decision = Sample.decision(job: Int64(job), at: at)
          decision.input = input.digest
          let (written, from) = (decision, input)
          try await store.commit {
            $0.decisions = [written]
            $0.decisionInputs = [from]
          }
        }
        func isKept() async throws -> [Bool] {
          var kept: [Bool] = []
          for input in inputs { kept.append(try await store.decisionInput(input.digest) != nil) }
          return kept
        }
        _ = try await store.forgetDecisions(before: Sample.time(1), keeping: 9, limit: 9)
        #expect(try await isKept() == [true, true])
        #expect(try await store.forgetDecisions(before: Sample.time(2), keeping: 9, limit: 9).inputs == 1)
        #expect(try await isKept() == [true, false])
        #expect(try await store.forgetDecisions(before: Sample.time(3), keeping: 9, limit: 9).inputs == 1)
        #expect(try await isKept() == [false, false])
      },
    ]
  }

  static var policies: [StoreContract] {
    [
      StoreContract("a bundle comes back whole, and is stored once") { store async throws in
        let bundle = StoredBundle(
          digest: "0123456789ab", files: ["routing.lua": Data([0, 255, 10]), "lib/w.lua": Data()], storedAt: Sample.time(1))
        try await store.commit { $0.bundles = [bundle] }
        try await store.commit { $0.bundles = [StoredBundle(digest: bundle.digest, files: [:], storedAt: Sample.time(2))] }
        #expect(try await store.bundle(bundle.digest) == bundle)
        #expect(try await store.bundle("ba9876543210") == nil)
      },
      StoreContract("what acts in a slot is its newest event that is no refusal") { store async throws in
        func event(_ kind: PolicyEvent.Kind, _ slot: PolicySlot, _ bundle: String?, at seconds: Double) -> PolicyEvent {
          PolicyEvent(
            kind: kind, slot: slot, bundle: bundle, percent: slot == .canary ? 12.5 : nil, actor: "folder", detail: "why",
            at: Sample.time(seconds))
        }
        #expect(try await store.policyEvent(actingIn: .live) == nil)
        let events = [
          event(.activated, .live, "a", at: 0), event(.activated, .canary, "b", at: 1), event(.refused, .live, nil, at: 2),
          event(.rolledBack, .live, "c", at: 3), event(.cleared, .canary, nil, at: 4), event(.refused, .canary, "d", at: 5),
        ]
        var ids: [Int64] = []
        for event in events { ids += try await store.commit { $0.policyEvents = [event] }.policyEvents.map(\.id) }
        #expect(ids == ids.sorted() && Set(ids).count == 6)
        #expect(try await store.policyEvent(actingIn: .live)?.bundle == "c")
        #expect(try await store.policyEvent(actingIn: .canary)?.kind == .cleared)
        #expect(try await store.policyEvent(actingIn: .shadow) == nil)
        let stored = try await store.policyEvents(limit: 5)
        #expect(stored.map(\.id) == Array(ids.reversed().prefix(5)))
        let told = stored.map { event in
          var event = event
          event.id = 0
          return event
        }
        #expect(told == Array(events.reversed().prefix(5)))
      },
    ]
  }
}

extension Sample {
  static func policyJob(_ id: Int64) -> PolicyJob { PolicyJob(job(id)) }

  static var snapshot: FleetSnapshot {
    FleetSnapshot(
      fleet: PolicyFleet(
        now: time(0.123_456),
        pools: [
          PolicyPool(name: "p", minimum: 0, maximum: 9, warm: 1, total: 3, idle: 1, busy: 2, pending: 4, active: 2)
        ], pending: 4, active: 2),
      containers: [
        PolicyContainer(
          id: "c", name: "warm (ü)", pool: "p", isNew: false, labels: ["linux"],
          resources: Resources(milliCPUs: 1, memory: ByteCount(bytes: 2)),
          uses: 1, repository: "acme/shop", createdAt: time(-5), idleSince: nil)
      ])
  }

  static func decision(job: Int64, at seconds: Double) -> DecisionRecord {
    DecisionRecord(
      kind: "routing", jobID: JobID(forgeID: job, attempt: 1), pool: nil, output: "orchestrator", reason: "labels", bundle: "built-in",
      fallbackCause: nil, microseconds: 1.5, at: time(seconds))
  }
}

extension DecisionLog {
  /// Forge ids of the jobs whose decisions are kept.
  fileprivate func remaining() async throws -> [Int64] {
    try await decisions(since: .distantPast, after: 0, limit: 99).compactMap { entry in
      (0..<9).first { JobID(forgeID: $0, attempt: 1) == entry.record.jobID }
    }
  }
}
