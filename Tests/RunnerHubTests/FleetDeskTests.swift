import Domain
import Foundation
import Logging
import Scheduling
import Testing

@testable import RunnerHub

@Suite("An operator's wishes for the fleet")
struct FleetDeskTests {
  private func desk(_ bench: Bench) -> FleetDesk { bench.fleetDesk }

  private func scale(_ bench: Bench) async throws {
    var history: [String: ScaleHistory] = [:]
    try await bench.scaling.turn(&history, with: BuiltInPolicy())
  }

  @Test("a cordoned pool or host gives its jobs a reason to wait, over a restart too, and takes them when it is opened again")
  func cordon() async throws {
    let bench = try Bench()
    for place in [FleetPlace.pool("p"), .host("fake")] {
      try await desk(bench).fulfil(.cordon, of: place, actor: "robin")
      let id: Int64 = place == .host("fake") ? 1 : 2
      try await bench.queue(id)
      try await bench.plan()
      #expect(try await bench.job(id).assignment == nil)
      #expect(try await bench.job(id).placementReason == "\(place) is cordoned")
      try await desk(bench).fulfil(.uncordon, of: place, actor: "robin")
      try await bench.plan()
      #expect(try await bench.job(id).assignment != nil)
    }
    #expect(try await bench.store.fleetMarks() == FleetMarks())
    let audit = try await bench.store.auditEvents(limit: 10).map { "\($0.actor) \($0.action) \($0.detail)" }
    #expect(
      audit.sorted() == [
        "robin fleet-cordon host fake", "robin fleet-cordon pool p", "robin fleet-uncordon host fake", "robin fleet-uncordon pool p",
      ])
  }

  @Test("draining a host ends what idles there at once")
  func drain() async throws {
    let bench = try Bench { $0.pools = [Bench.pool { $0.warm = 2 }] }
    try await scale(bench)
    try await bench.work()
    #expect(try await bench.store.liveContainers().count == 2)
    try await desk(bench).fulfil(.drain, of: .host("fake"), actor: "robin")
    try await scale(bench)
    try await bench.work()
    #expect(bench.engine.containers.isEmpty)
    try await scale(bench)
    #expect(try await bench.store.liveContainers().isEmpty)
    try await desk(bench).fulfil(.uncordon, of: .host("fake"), actor: "robin")
    try await scale(bench)
    #expect(try await bench.store.liveContainers().count == 2)
  }

  @Test("a busy container that is drained keeps its job and is not used again")
  func drainBusy() async throws {
    let bench = try Bench { $0.pools = [Bench.pool { $0.reuse = ReuseRule(maximumUses: 5, maximumAgeSeconds: 3600) }] }
    let assignment = try await bench.running(1)
    let container = assignment.containerID
    try await desk(bench).fulfil(.drain, of: .container(container), actor: "robin")
    #expect(try await bench.container(container).state == .draining)
    #expect(bench.engine.containers == [container])
    try await bench.finish(1, on: assignment)
    try await bench.work()
    #expect(try await bench.container(container).state == .gone)
    #expect(bench.engine.with { $0.recycled }.isEmpty)
    #expect(bench.engine.containers.isEmpty)
  }

  @Test("a container with a job is ended only by force, and its job's story says by whom")
  func kill() async throws {
    let bench = try Bench()
    let container = try await bench.running(1).containerID
    await #expect(throws: FleetWishError.self) { try await desk(bench).end(container, force: false, actor: "robin") }
    #expect(bench.engine.containers == [container])
    try await desk(bench).end(container, force: true, actor: "robin")
    #expect(bench.engine.containers.isEmpty)
    let story = try await bench.store.timeline(ofJob: try await bench.job(1).id).map(\.text)
    #expect(story.contains { $0.hasSuffix("was ended by robin") })
  }

  @Test("what there is not is refused with the nearest name that there is")
  func unknown() async throws {
    let bench = try Bench()
    await #expect(throws: FleetWishError.unknown("there is no host fale – did you mean fake? (known: fake)")) {
      try await desk(bench).fulfil(.drain, of: .host("fale"), actor: "robin")
    }
    await #expect(throws: FleetWishError.self) { try await desk(bench).fulfil(.drain, of: .pool("q"), actor: "robin") }
    await #expect(throws: FleetWishError.self) { try await desk(bench).end(ContainerID(rawValue: "rh-x"), force: true, actor: "robin") }
    #expect(try await bench.store.auditEvents(limit: 10).isEmpty)
  }

  @Test("hosts show what they have and what is taken, and who does not answer says why")
  func picture() async throws {
    let bench = try Bench()
    _ = try await bench.begin(1)
    let hosts = try await desk(bench).hosts()
    #expect(hosts.map(\.name) == ["fake"])
    #expect(hosts.first?.containers == 1)
    #expect(hosts.first?.taken.milliCPUs == 4000)
    #expect(hosts.first?.capacity != nil)
    bench.engine.set(.unavailable("gone"), on: .capacity)
    #expect(try await desk(bench).hosts().first?.silentBecause == "engine unavailable: gone")
  }
}

@Suite("Pools that are resized and renewed")
struct FleetSizeTests {
  private func desk(_ bench: Bench) -> FleetDesk { bench.fleetDesk }

  private func scale(_ bench: Bench) async throws {
    var history: [String: ScaleHistory] = [:]
    try await bench.scaling.turn(&history, with: BuiltInPolicy())
  }

  @Test("a size that an operator sets holds for planner, scaling and policies, and gives way to the configured one again")
  func size() async throws {
    let bench = try Bench()
    try await desk(bench).resize("p", to: PoolSize(maximum: 1, warm: 1), actor: "robin")
    try await bench.queue(1)
    try await bench.queue(2)
    try await bench.plan()
    #expect(try await bench.job(2).placementReason == "pool p is at its maximum of 1")
    #expect(try await bench.observer.fleet().pools.first?.maximum == 1)
    try await desk(bench).resize("p", to: PoolSize(), actor: "robin")
    try await bench.plan()
    #expect(try await bench.job(2).assignment != nil)
    await #expect(throws: FleetWishError.self) { try await desk(bench).resize("p", to: PoolSize(minimum: 11), actor: "robin") }
    await #expect(throws: FleetWishError.self) { try await desk(bench).resize("p", to: PoolSize(maximum: -1), actor: "robin") }
  }

  @Test("a pool is renewed once its hosts have the image anew; until then nothing of it is replaced")
  func renewal() async throws {
    let bench = try Bench { $0.pools = [Bench.pool { $0.minimum = 1 }] }
    try await scale(bench)
    try await bench.work()
    let old = try #require(try await bench.store.liveContainers().first).id
    bench.clock.advance(10)
    try await desk(bench).renew("p", actor: "robin")
    bench.engine.set(.unavailable("gone"), on: .fetch)
    await bench.images.renew()
    #expect(try await bench.store.fleetMarks().renewed.isEmpty)
    bench.engine.set(nil, on: .fetch)
    await bench.images.renew()
    #expect(try await bench.store.fleetMarks().renewing.isEmpty)
    for _ in 0..<3 {
      try await scale(bench)
      try await bench.work()
      bench.clock.advance(1)
    }
    let now = try await bench.store.liveContainers().map(\.id)
    #expect(now.count == 1)
    #expect(now != [old])
    #expect(bench.engine.fetched == ["runner:1 anew", "runner:1 anew"])
  }
}
