import Domain
import Foundation
import RunnerHub
import Testing

extension StoreContract {
  static var inbox: [StoreContract] {
    [
      StoreContract("a delivery comes back byte for byte, pending") { store async throws in
        let delivery = Sample.delivery("a", transition: "1.1/queued/queued", at: 1.25)
        #expect(try await store.append(delivery) == .stored)
        let stored = try #require(try await store.pendingDeliveries(limit: 10).first)
        #expect(stored.delivery == delivery)
        #expect(stored.status == .pending && stored.note == nil)
      },
      StoreContract("the same GUID of the same hook is a duplicate and writes nothing; of another hook it is stored") {
        store async throws in
        #expect(try await store.append(Sample.delivery("a")) == .stored)
        #expect(try await store.append(Sample.delivery("a", at: 9)) == .duplicate)
        #expect(try await store.append(Sample.delivery("a", hook: "8")) == .stored)
        let pending = try await store.pendingDeliveries(limit: 10)
        #expect(pending.map(\.delivery.hookID) == ["7", "8"])
        #expect(pending.first?.delivery.receivedAt == Sample.time(0))
      },
      StoreContract("a transition that was stored before is not stored again, whatever its GUID and hook, nor after it was applied") {
        store async throws in
        let waiting = "1.1/queued/waiting"
        #expect(try await store.append(Sample.delivery("a", transition: waiting)) == .stored)
        #expect(try await store.append(Sample.delivery("b", transition: waiting, at: 9)) == .repeated)
        #expect(try await store.append(Sample.delivery("c", hook: "8", transition: waiting)) == .repeated)
        #expect(try await store.append(Sample.delivery("a", transition: waiting)) == .duplicate)
        #expect(try await store.append(Sample.delivery("d", transition: "1.1/queued/queued")) == .stored)
        #expect(try await store.append(Sample.delivery("e", transition: "1.2/queued/waiting")) == .stored)
        let pending = try await store.pendingDeliveries(limit: 10)
        #expect(pending.map(\.delivery.guid) == ["a", "d", "e"])
        try await store.commit { $0.deliveries = pending.map { DeliveryOutcome(id: $0.id, status: .processed) } }
        #expect(try await store.append(Sample.delivery("f", transition: waiting)) == .repeated)
        #expect(try await store.deliveryCounts() == [.processed: 3])
      },
      StoreContract("deliveries without a transition differ by GUID only, and a GUID that is there wins over a new transition") {
        store async throws in
        for name in ["a", "b"] { #expect(try await store.append(Sample.delivery(name)) == .stored) }
        #expect(try await store.append(Sample.delivery("a", transition: "1.1/queued/queued")) == .duplicate)
        #expect(try await store.append(Sample.delivery("c", transition: "1.1/queued/queued")) == .stored)
        #expect(try await store.pendingDeliveries(limit: 10).map(\.delivery.transition) == [nil, nil, "1.1/queued/queued"])
      },
      StoreContract("pending deliveries come in the order of storing, recent ones newest first, both up to the limit") {
        store async throws in
        for name in ["c", "a", "b"] { _ = try await store.append(Sample.delivery(name)) }
        let pending = try await store.pendingDeliveries(limit: 2)
        #expect(pending.map(\.delivery.guid) == ["c", "a"])
        #expect(pending.map(\.id) == pending.map(\.id).sorted())
        #expect(try await store.recentDeliveries(limit: 2).map(\.delivery.guid) == ["b", "a"])
        #expect(try await store.recentDeliveries(limit: 0).isEmpty)
        #expect(try await store.recentDeliveries(limit: -1).isEmpty)
      },
      StoreContract("an outcome takes a delivery out of the pending ones, keeps its note and moves the counts") { store async throws in
        for name in ["a", "b", "c"] { _ = try await store.append(Sample.delivery(name)) }
        let pending = try await store.pendingDeliveries(limit: 10)
        try await store.commit {
          $0.deliveries = [
            DeliveryOutcome(id: pending[0].id, status: .malformed, note: "no `workflow_job`"),
            DeliveryOutcome(id: pending[1].id, status: .processed, jobID: JobID(rawValue: "1")),
          ]
        }
        #expect(try await store.pendingDeliveries(limit: 10).map(\.delivery.guid) == ["c"])
        #expect(try await store.recentDeliveries(limit: 10).map(\.status) == [.pending, .processed, .malformed])
        #expect(try await store.recentDeliveries(limit: 10).last?.note == "no `workflow_job`")
        #expect(try await store.deliveryCounts() == [.pending: 1, .processed: 1, .malformed: 1])
      },
      StoreContract("an outcome for a delivery that is not there is a conflict") { store async throws in
        #expect(try await conflicts { try await store.commit { $0.deliveries = [DeliveryOutcome(id: 404, status: .ignored)] } })
      },
      StoreContract("1,000 deliveries from 64 tasks, each sent twice at once, are stored once each") { store async throws in
        let receipts = try await withThrowingTaskGroup(of: [DeliveryReceipt].self) { group in
          for task in 0..<64 {
            group.addTask {
              var receipts: [DeliveryReceipt] = []
              for number in stride(from: task, to: 2000, by: 64) {
                receipts.append(try await store.append(Sample.delivery("g\(number / 2)")))
              }
              return receipts
            }
          }
          return try await group.reduce(into: []) { $0 += $1 }
        }
        #expect(receipts.count { $0 == .stored } == 1000)
        #expect(receipts.count { $0 == .duplicate } == 1000)
        let guids = try await store.pendingDeliveries(limit: 5000).map(\.delivery.guid)
        #expect(guids.count == 1000 && Set(guids).count == 1000)
        #expect(try await store.deliveryCounts() == [.pending: 1000])
      },
      StoreContract("of 600 deliveries at once that share 100 transitions under GUIDs of their own, one each is stored") {
        store async throws in
        let receipts = try await withThrowingTaskGroup(of: DeliveryReceipt.self) { group in
          for number in 0..<600 {
            group.addTask { try await store.append(Sample.delivery("g\(number)", transition: "\(number % 100).1/queued/queued")) }
          }
          return try await group.reduce(into: []) { $0.append($1) }
        }
        #expect(receipts.count { $0 == .stored } == 100)
        #expect(receipts.count { $0 == .repeated } == 500)
        let stored = try await store.pendingDeliveries(limit: 1000)
        #expect(Set(stored.map(\.delivery.transition)).count == 100 && stored.count == 100)
      },
      StoreContract("a delivery is stored although the task that brought it is cancelled") { store async throws in
        try await withThrowingTaskGroup(of: Void.self) { group in
          group.addTask { () async throws in
            withUnsafeCurrentTask { $0?.cancel() }
            #expect(try await store.append(Sample.delivery("a")) == .stored)
          }
          try await group.waitForAll()
        }
        #expect(try await store.pendingDeliveries(limit: 10).count == 1)
      },
    ]
  }
}
