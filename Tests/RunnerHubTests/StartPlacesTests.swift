import Contracts
import Domain
import Foundation
import Synchronization
import Testing

@testable import RunnerHub

@Suite("Places for starts", .timeLimit(.minutes(1)))
struct StartPlacesTests {
  @Test(
    "never more containers are made at once than starts or their engine allow, and each that is done makes room for the next",
    arguments: [(3, nil), (32, 2), (2, 5)] as [(Int, Int?)])
  func bounds(all: Int, engine: Int?) async throws {
    let bench = try Bench { settings in
      settings.pools = [Bench.pool { $0.maximum = 40 }]
      settings.maximumStarts = all
      if let engine { settings.startsByEngine = ["fake": engine] }
    }
    let underWay = Mutex((now: 0, most: 0))
    bench.engine.with { state in
      state.duringCreate = {
        underWay.withLock { count in
          count.now += 1
          count.most = max(count.most, count.now)
        }
        // Until others have come too, however slow the machine is; one more than may be would be seen.
        for _ in 0..<2000 where underWay.withLock({ $0.most < min(all, engine ?? all) }) { await Task.yield() }
        for _ in 0..<20 { await Task.yield() }
        underWay.withLock { $0.now -= 1 }
      }
    }
    for id in 1...30 { try await bench.queue(Int64(id)) }
    try await bench.plan()
    let manager = bench.makeManager()
    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask { try await manager.run() }
      _ = try await eventually("all starts") {
        try await bench.store.activeAssignments().allSatisfy { $0.phase == .started } ? true : nil
      }
      group.cancelAll()
    }
    #expect(underWay.withLock { $0.most } == min(all, engine ?? all))
    #expect(bench.engine.containers.count == 30)
    #expect(bench.forge.runnerNames.count == 30)
  }

  @Test("an engine's limit holds for what it has to make, and the limit of all for everything")
  func limits() {
    var places = StartPlaces(all: 4, byMaker: ["docker": 1])
    let (cold, warm, other) = (StartPlaces.Start(maker: "docker"), StartPlaces.Start(maker: nil), StartPlaces.Start(maker: "process"))
    #expect([cold, cold, warm, other, other, other].map { places.take($0) } == [true, false, true, true, true, false])
    places.giveBack(warm)
    #expect([cold, other, warm].map { places.take($0) } == [false, true, false])
    places.giveBack(cold)
    #expect([cold, warm].map { places.take($0) } == [true, false])
  }
}
