import Domain
import Foundation
import Synchronization
import Testing

@testable import RunnerHub

/// Answers with what a test gave it, and counts how often it was asked.
private final class ScriptedPolicy: PolicyEngine {
  let name: String
  var route = Route.orchestrator
  var scores: [Double?] = [50, 50]
  var size = 1
  var cause: String?
  var brokeBudget = false
  var asked = 0

  init(_ name: String) { self.name = name }

  private func verdict<Value>(_ value: Value) -> Verdict<Value> {
    asked += 1
    var verdict = Verdict(value, reason: "\(name) says so", bundle: name, fallbackCause: cause)
    verdict.brokeBudget = brokeBudget
    return verdict
  }
  func route(_ job: PolicyJob, fleet: PolicyFleet) -> Verdict<Route> { verdict(route) }
  func prioritise(_ job: PolicyJob, fleet: PolicyFleet) -> Verdict<Priority> { verdict(.normal) }
  func place(_ job: PolicyJob, candidates: [PolicyContainer], now: Date) -> Verdict<Placement> {
    verdict(Placement(candidates: scores.map { CandidateVerdict(score: $0, reason: "") }, strategy: nil))
  }
  func scale(_ pool: PolicyPool, fleet: PolicyFleet) -> Verdict<Int> { verdict(size) }
}

/// One scene: a live bundle, and what stands beside it. Engines are made in the test's own task only.
private final class Scene {
  let live = ScriptedPolicy("live")
  let other = ScriptedPolicy("other")
  let slots = PolicySlots(live: BuiltInSource())
  /// What a decision of a slot's bundle takes.
  var pace = Duration.zero
  private var time = ContinuousClock.now
  private(set) var engine: RehearsingEngine!

  init() {
    nonisolated(unsafe) let scene = self
    engine = RehearsingEngine(live: live, slots: slots) { scene.tick() }
  }

  private func tick() -> ContinuousClock.Instant {
    time += pace
    return time
  }

  func pass(_ duration: Duration) { time += duration }

  func put(in slot: PolicySlot, percent: Double = 100) {
    nonisolated(unsafe) let other = other
    slots.set(SlottedBundle(digest: "other", percent: percent) { other }, in: slot)
  }

  static let fleet = PolicyFleet(now: TestClock().now, pools: [], pending: 0, active: 0)
  static func job(_ workflow: String = "CI") -> PolicyJob {
    var job = Job(Bench.report(1, "queued"), at: TestClock().now)
    job.workflow = workflow
    return PolicyJob(job)
  }
  func route(_ workflow: String = "CI") -> Verdict<Route> { engine.route(Self.job(workflow), fleet: Self.fleet) }
}

@Suite("Shadow and canary")
struct RehearsalTests {
  @Test("without a bundle in a slot the live one answers alone")
  func alone() {
    let scene = Scene()
    #expect(scene.route().shadow == nil)
    #expect(scene.other.asked == 0)
  }

  @Test("the shadow is asked about every input, its answer is beside the live one, and nothing follows from it")
  func shadow() {
    let scene = Scene()
    scene.put(in: .shadow)
    scene.other.route = .traditional
    let verdict = scene.route()
    #expect(verdict.value == .orchestrator && verdict.bundle == "live" && !verdict.isCanary)
    #expect(verdict.shadow == ShadowVerdict(bundle: "other", output: "traditional", reason: "other says so", differs: true))
    scene.other.route = .orchestrator
    #expect(scene.route().shadow?.differs == false)
    scene.slots.set(nil, in: .shadow)
    #expect(scene.route().shadow == nil)
  }

  @Test("of affinity the best candidates are compared, of scaling the sizes")
  func kinds() {
    let scene = Scene()
    scene.put(in: .shadow)
    let candidates = ["warm-1", "warm-2"].map {
      PolicyContainer(
        id: $0, name: $0, pool: "p", isNew: false, labels: [], resources: Bench.pool().resources, uses: 0, repository: nil, createdAt: nil,
        idleSince: nil)
    }
    func place() -> ShadowVerdict? { scene.engine.place(Scene.job(), candidates: candidates, now: Scene.fleet.now).shadow }
    #expect(place()?.output == "warm-1" && place()?.differs == false)
    scene.other.scores = [nil, 10]
    #expect(place()?.output == "warm-2" && place()?.differs == true)
    scene.other.scores = [nil, nil]
    #expect(place()?.output == "none" && place()?.differs == true)
    scene.other.size = 7
    let pool = PolicyPool(name: "p", minimum: 0, maximum: 9, warm: 0, total: 1, idle: 1, busy: 0, pending: 0, active: 0)
    let verdict = scene.engine.scale(pool, fleet: Scene.fleet)
    #expect(verdict.value == 1 && verdict.shadow?.output == "7")
  }

  @Test("the canary decides for its share of the workflows, always the same ones, and the live bundle is asked too")
  func canary() {
    let scene = Scene()
    scene.put(in: .canary, percent: 30)
    scene.other.route = .traditional
    let names = (0..<1000).map { "workflow \($0)" }
    func chosen() -> [String] { names.filter { scene.route($0).isCanary } }
    let first = chosen()
    #expect(250...350 ~= first.count)
    #expect(chosen() == first)
    #expect(first.allSatisfy { StableHash.percent("acme/shop", $0) < 30 })
    let verdict = scene.route(first[0])
    #expect(verdict.value == .traditional && verdict.bundle == "other")
    #expect(verdict.shadow == ShadowVerdict(bundle: "live", output: "orchestrator", reason: "live says so", differs: true))
    scene.put(in: .canary, percent: 0)
    #expect(chosen().isEmpty)
  }

  @Test("where the canary fails the live bundle answers, which is recorded as the canary's, and a difference")
  func brokenCanary() {
    let scene = Scene()
    scene.put(in: .canary)
    (scene.other.cause, scene.other.route) = ("routing.lua:3: attempt to index a nil value", .traditional)
    let verdict = scene.route()
    #expect(verdict.value == .orchestrator && verdict.bundle == "other" && verdict.isCanary)
    #expect(verdict.fallbackCause == "routing.lua:3: attempt to index a nil value")
    #expect(verdict.shadow == ShadowVerdict(bundle: "live", output: "orchestrator", reason: "live says so", differs: true))
  }

  @Test("no canary decides the size of a pool")
  func noScaling() {
    let scene = Scene()
    scene.put(in: .canary)
    let pool = PolicyPool(name: "p", minimum: 0, maximum: 9, warm: 0, total: 1, idle: 1, busy: 0, pending: 0, active: 0)
    #expect(!scene.engine.scale(pool, fleet: Scene.fleet).isCanary)
    #expect(scene.other.asked == 0)
  }

  @Test(
    "a bundle that breaks its budget too often is switched off, by its limits or by the clock", arguments: [PolicySlot.shadow, .canary],
    [true, false])
  func switchedOff(slot: PolicySlot, byLimit: Bool) {
    let scene = Scene()
    scene.put(in: slot)
    if byLimit { (scene.other.cause, scene.other.brokeBudget) = ("budget", true) } else { scene.pace = .milliseconds(101) }
    // The first one reads the bundle's files, and is not counted.
    for _ in 0..<SlotGuard.tolerance {
      _ = scene.route()
      scene.pass(.seconds(10))
    }
    #expect(scene.slots.bundle(in: slot)?.digest == "other" && scene.slots.takeTrips().isEmpty)
    _ = scene.route()
    #expect(scene.slots.bundle(in: slot) == nil)
    let trips = scene.slots.takeTrips()
    #expect(trips.map(\.slot) == [slot] && trips.first?.digest == "other")
    #expect(trips.first?.cause.contains("broke their budget") == true)
    #expect(scene.slots.takeTrips().isEmpty)
    let asked = scene.other.asked
    _ = scene.route()
    #expect(scene.other.asked == asked)
  }

  @Test("a shadow that costs more than its share of each second is passed over until it has paid")
  func dear() {
    let scene = Scene()
    scene.put(in: .shadow)
    scene.pace = .milliseconds(60)
    #expect(scene.route().shadow != nil)
    scene.pace = .zero
    #expect(scene.route().shadow == nil && scene.other.asked == 1)
    scene.pass(.milliseconds(50))
    #expect(scene.route().shadow == nil)
    scene.pass(.milliseconds(100))
    #expect(scene.route().shadow != nil)
    // Nothing is saved up beyond a second, and a canary is asked in any case.
    scene.pass(.seconds(3600))
    scene.pace = .milliseconds(60)
    #expect(scene.route().shadow != nil)
    scene.pace = .zero
    #expect(scene.route().shadow == nil)
    scene.put(in: .canary)
    #expect(scene.route().isCanary)
  }

  @Test("of a difference that lasts, changes, or comes and goes, the log has the first, the end, and one a minute")
  func pace() {
    var pace = DifferencePace()
    let start = TestClock().now
    func isNews(_ difference: String?, _ seconds: Double, _ bundles: String = "a b") -> Bool {
      pace.isNews(difference, between: bundles, at: start.addingTimeInterval(seconds))
    }
    #expect(!isNews(nil, 0))
    #expect(isNews("1 2", 1))
    #expect(!isNews("1 2", 2) && !isNews("1 3", 3))
    #expect(isNews("1 4", 61))
    #expect(isNews(nil, 62) && !isNews(nil, 63))
    #expect(!isNews("1 2", 64) && !isNews(nil, 65))
    #expect(isNews("1 2", 122))
    #expect(isNews("1 2", 123, "a c"))
  }

  @Test("of two changes of a slot at once the later one holds, as in the archive")
  func order() {
    let scene = Scene()
    scene.slots.set(SlottedBundle(digest: "new") { BuiltInPolicy() }, in: .shadow, event: 2)
    scene.slots.set(SlottedBundle(digest: "old") { BuiltInPolicy() }, in: .shadow, event: 1)
    #expect(scene.slots.bundle(in: .shadow)?.digest == "new")
    scene.slots.set(nil, in: .shadow, event: 3)
    #expect(scene.slots.bundle(in: .shadow) == nil)
  }

  @Test("breaches that are rare are borne: a hundred good decisions later one is forgotten")
  func rare() {
    var guardian = SlotGuard()
    var trips = 0
    for number in 0..<10_000 { trips += guardian.note(isBreach: number % 12 == 0) ? 1 : 0 }
    #expect(trips == 0)
    var last = false
    for number in 0..<100 { last = guardian.note(isBreach: number % 9 == 0) }
    #expect(last)
  }

  @Test("an engine that was made before a slot was filled sees it, and keeps the state of a bundle that stays")
  func renewed() {
    let scene = Scene()
    let made = Mutex(0)
    func fill(_ percent: Double) {
      nonisolated(unsafe) let other = scene.other
      scene.slots.set(
        SlottedBundle(digest: "other", percent: percent) {
          made.withLock { $0 += 1 }
          return other
        }, in: .canary)
    }
    fill(0)
    _ = scene.route()
    fill(100)
    #expect(scene.route().isCanary)
    #expect(made.withLock { $0 } == 1)
  }
}
