import Domain
import Foundation
import Scheduling
import Testing

@Suite("The size of a pool")
struct AutoscalerTests {
  private let now = Sample.start.addingTimeInterval(600)
  private let scaler = Autoscaler(shrinkCooldown: 60, recoveryTime: 30)

  private func plan(
    _ pool: Pool, _ containers: [Container], wanted: Int?, room: Int = 100, history: ScaleHistory = .init()
  ) -> ScalePlan {
    let census = scaler.censuses(of: [pool], containers: containers, now: now)[0]
    return scaler.plan(pool, census, wanted: wanted, because: "burst", room: room, history: history, now: now)
  }
  private func idle(_ count: Int, in pool: Pool) -> [Container] {
    (0..<count).map { Sample.container("i\($0)", in: pool, idleSince: Sample.start.addingTimeInterval(Double($0))) }
  }
  private func held(_ count: Int, in pool: Pool) -> [Container] {
    (0..<count).map { Sample.container("h\($0)", in: pool, state: .busy, assignment: "rh-\($0)") }
  }

  @Test(
    "wishes are kept within minimum, warm target, maximum and room",
    arguments: [
      // (wanted, minimum, warm, held, idle, room, made)
      (nil, 2, 0, 0, 0, 100, 2), (nil, 0, 1, 3, 0, 100, 1), (0, 2, 0, 0, 0, 100, 2), (50, 0, 0, 0, 0, 100, 6), (4, 0, 0, 1, 1, 100, 2),
      (6, 0, 0, 0, 0, 3, 3), (6, 0, 0, 0, 0, -1, 0), (-5, 0, 0, 0, 0, 100, 0), (nil, 0, 9, 2, 0, 100, 4), (.max, 0, 0, 6, 0, 100, 0),
    ] as [(Int?, Int, Int, Int, Int, Int, Int)])
  func growth(wanted: Int?, minimum: Int, warm: Int, heldCount: Int, idleCount: Int, room: Int, made: Int) {
    let pool = Sample.pool(minimum: minimum, maximum: 6, warm: warm)
    #expect(plan(pool, held(heldCount, in: pool) + idle(idleCount, in: pool), wanted: wanted, room: room).create == made)
  }

  @Test("it shrinks by the oldest idle, and never ends a held container")
  func shrink() {
    let pool = Sample.pool(maximum: 10)
    let plan = plan(pool, held(2, in: pool) + idle(3, in: pool).reversed(), wanted: 1)
    #expect(plan.retire.map(\.rawValue) == ["rh-i0", "rh-i1", "rh-i2"])
    #expect(self.plan(pool, held(3, in: pool), wanted: 0).retire.isEmpty)
    #expect(self.plan(pool, idle(3, in: pool), wanted: 2).retire.map(\.rawValue) == ["rh-i0"])
  }

  @Test("after a change it does not shrink before the cooldown is over")
  func cooldown() {
    let pool = Sample.pool(maximum: 10)
    let recent = ScaleHistory(lastGrowth: now.addingTimeInterval(-59))
    #expect(plan(pool, idle(3, in: pool), wanted: 0, history: recent).retire.isEmpty)
    let old = ScaleHistory(lastGrowth: now.addingTimeInterval(-61))
    let shrunk = plan(pool, idle(3, in: pool), wanted: 1, history: old)
    #expect(shrunk.retire.count == 2)
    #expect(shrunk.history.lastShrink == now)
    #expect(plan(pool, idle(1, in: pool), wanted: 3, history: recent).create == 2, "growing needs no patience")
  }

  @Test("an unhealthy container is replaced, and ended once it had its time to recover")
  func unhealthy() {
    let pool = Sample.pool(minimum: 1, maximum: 3)
    var sick = Sample.container("sick", in: pool, state: .unhealthy)
    sick.lastHeartbeat = now.addingTimeInterval(-10)
    var plan = plan(pool, [sick], wanted: nil)
    #expect(plan.create == 1 && plan.retire.isEmpty)
    sick.lastHeartbeat = now.addingTimeInterval(-31)
    plan = self.plan(pool, [sick], wanted: nil)
    #expect(plan.create == 1 && plan.retire == [sick.id])
    sick.assignment = AssignmentID(rawValue: "rh-a")
    #expect(self.plan(pool, [sick], wanted: nil).retire.isEmpty)
  }

  @Test("a container that may serve no further job is ended at once")
  func wornOut() {
    let pool = Sample.pool(maximum: 3, reuse: ReuseRule(maximumUses: 2, maximumAgeSeconds: 9000))
    let used = Sample.container("used", in: pool, uses: 2, scope: "acme/storefront")
    let fresh = Sample.container("fresh", in: pool, uses: 1, scope: "acme/storefront")
    #expect(plan(pool, [used, fresh], wanted: 2, history: ScaleHistory(lastGrowth: now)).retire == [used.id])
  }

  @Test("a wish that does not change settles in one plan and stays", arguments: 0..<100)
  func settles(seed: UInt64) {
    var random = SeededGenerator(seed: seed)
    let pool = Sample.pool(
      minimum: Int.random(in: 0...4, using: &random), maximum: Int.random(in: 0...8, using: &random),
      warm: Int.random(in: 0...3, using: &random))
    var containers =
      held(min(pool.maximum, Int.random(in: 0...3, using: &random)), in: pool) + idle(Int.random(in: 0...5, using: &random), in: pool)
    let wanted = Bool.random(using: &random) ? nil : Int.random(in: -1...10, using: &random)
    let heldIDs = Set(containers.filter { $0.assignment != nil }.map(\.id))
    let plan = plan(pool, containers, wanted: wanted)
    #expect(heldIDs.isDisjoint(with: plan.retire))
    containers.removeAll { plan.retire.contains($0.id) }
    containers += (0..<plan.create).map { Sample.container("n\($0)", in: pool) }
    #expect(containers.count <= max(pool.maximum, heldIDs.count))
    #expect(self.plan(pool, containers, wanted: wanted).isEmpty)
  }
}
