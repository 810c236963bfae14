import Domain
import Foundation
import Synchronization
import Testing

@testable import RunnerHub

@Suite("Places for starts", .timeLimit(.minutes(1)))
struct StartPlacesTests {
  @Test("never more starts than places, and each that is done makes room for the next until all have started")
  func places() async throws {
    let bench = try Bench { settings in
      settings.pools = [Bench.pool { $0.maximum = 40 }]
      settings.maximumStarts = 3
    }
    let underWay = Mutex((now: 0, most: 0))
    bench.engine.with { state in
      state.duringCreate = {
        underWay.withLock { count in
          count.now += 1
          count.most = max(count.most, count.now)
        }
        for _ in 0..<20 { await Task.yield() }
        underWay.withLock { $0.now -= 1 }
      }
    }
    for id in 1...30 { try await bench.queue(Int64(id)) }
    try await bench.plan()
    let manager = bench.makeManager()
    let loop = Task { try await manager.run() }
    while try await bench.store.activeAssignments().contains(where: { $0.phase != .started }) {
      try await Task.sleep(for: .milliseconds(5))
    }
    loop.cancel()
    try await loop.value
    #expect(underWay.withLock { $0.most } == 3)
    #expect(bench.engine.containers.count == 30)
    #expect(bench.forge.runnerNames.count == 30)
  }
}
