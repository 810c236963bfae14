import Domain
import Foundation
import Logging
import Storage
import Testing

@testable import Policies
@testable import RunnerHub

@Suite("Keeping shadow and canary")
struct SlotKeeperTests {
  private struct Desk {
    let folder: ScratchFolder
    let store: SQLiteStore
    private let logger = Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() })

    init() throws {
      folder = try ScratchFolder()
      store = try SQLiteStore()
      try folder.write("routing.lua", routing("live"))
    }

    func start() async throws -> (PolicyKeeper, SlotKeeper) {
      let keeper = PolicyKeeper(folder: folder.path, archive: store, logger: logger)
      try await keeper.start()
      let slots = SlotKeeper(keeper: keeper, archive: store, logger: logger)
      try await slots.start()
      return (keeper, slots)
    }

    func events() async throws -> [String] {
      try await store.policyEvents(limit: 99).reversed().map { "\($0.slot.rawValue) \($0.kind.rawValue) by \($0.actor)" }
    }
  }

  private static func files(_ reason: String) -> BundleChoice { .files(["routing.lua": Data(routing(reason).utf8)]) }
  private static func route(_ slots: SlotKeeper) -> Verdict<Route> {
    slots.slots.makeEngine().route(PolicySamples.job, fleet: PolicySamples.fleet)
  }

  @Test("a shadow answers beside the live bundle, over a restart too, until it is switched off")
  func shadow() async throws {
    let desk = try Desk()
    let (_, slots) = try await desk.start()
    let change = try await slots.fill(.shadow, with: Self.files("next"), percent: nil, by: "api", note: nil)
    #expect(change.outcome == .activated && change.previous == "none")
    #expect(Self.route(slots).reason == "live" && Self.route(slots).shadow?.reason == "next")
    let (_, again) = try await desk.start()
    #expect(Self.route(again).shadow?.bundle == change.bundle)
    #expect(try await again.clear(.shadow, by: "api", note: nil).previous == change.bundle)
    #expect(Self.route(again).shadow == nil)
    let (_, third) = try await desk.start()
    #expect(Self.route(third).shadow == nil)
    #expect(try await desk.events() == ["live activated by start", "shadow activated by api", "shadow cleared by api"])
  }

  @Test("a canary's bundle is named by its first digits, and its share is kept over a restart")
  func canary() async throws {
    let desk = try Desk()
    let (_, slots) = try await desk.start()
    let change = try await slots.fill(.shadow, with: Self.files("next"), percent: nil, by: "api", note: nil)
    let digits = BundleChoice.digest(String(change.bundle.prefix(5)))
    #expect(try await slots.fill(.canary, with: digits, percent: 100, by: "api", note: nil).bundle == change.bundle)
    #expect(Self.route(slots).isCanary && Self.route(slots).reason == "next" && Self.route(slots).shadow?.reason == "live")
    let (_, again) = try await desk.start()
    #expect(again.slots.bundle(in: .canary)?.percent == 100)
    await #expect(throws: PolicyWishError.self) { try await slots.fill(.canary, with: digits, percent: 101, by: "api", note: nil) }
    await #expect(throws: PolicyWishError.self) { try await slots.fill(.canary, with: .digest(""), percent: 1, by: "api", note: nil) }
  }

  @Test("what is not sound does not come into a slot, and what stood there stays")
  func refused() async throws {
    let desk = try Desk()
    let (_, slots) = try await desk.start()
    let good = try await slots.fill(.shadow, with: Self.files("next"), percent: nil, by: "api", note: nil)
    let bad = try await slots.fill(.shadow, with: .files(["routing.lua": Data("return {".utf8)]), percent: nil, by: "api", note: nil)
    #expect(bad.outcome == .refused && bad.bundle == good.bundle && bad.problem?.contains("routing.lua:1:") == true)
    #expect(slots.slots.bundle(in: .shadow)?.digest == good.bundle)
    await #expect(throws: PolicyWishError.self) {
      try await slots.fill(.shadow, with: .files(["../escape.lua": Data()]), percent: nil, by: "api", note: nil)
    }
    await #expect(throws: PolicyWishError.self) { try await slots.fill(.live, with: Self.files("x"), percent: nil, by: "api", note: nil) }
  }

  @Test("a promoted bundle acts until the folder changes, over a restart too, and its slot is empty")
  func promote() async throws {
    let desk = try Desk()
    let (keeper, slots) = try await desk.start()
    await #expect(throws: PolicyWishError.self) { try await slots.promote(nil, by: "api", note: nil) }
    let change = try await slots.fill(.canary, with: Self.files("next"), percent: 10, by: "api", note: nil)
    #expect(try await slots.promote(nil, by: "api", note: nil).bundle == change.bundle)
    #expect(keeper.active.activeBundle == change.bundle && slots.slots.bundle(in: .canary) == nil)
    #expect(keeper.active.status.refusal?.contains("was promoted: the folder's bundle") == true)
    let (restarted, _) = try await desk.start()
    #expect(restarted.active.activeBundle == change.bundle)
    try desk.folder.write("routing.lua", routing("changed"))
    #expect(try await restarted.lookAgain().outcome == .activated)
    #expect(restarted.active.activeBundle != change.bundle)
  }

  @Test("of bundles that come at once the one stands in its slot that the archive names")
  func atOnce() async throws {
    let desk = try Desk()
    let (_, slots) = try await desk.start()
    try await withThrowingTaskGroup(of: Void.self) { group in
      for number in 0..<8 {
        group.addTask { _ = try await slots.fill(.shadow, with: Self.files("next \(number)"), percent: nil, by: "api", note: nil) }
      }
      try await group.waitForAll()
    }
    let event = try await desk.store.policyEvent(actingIn: .shadow)
    #expect(event?.bundle != nil && slots.slots.bundle(in: .shadow)?.digest == event?.bundle)
  }

  @Test("that a slot was switched off is written down by the host, and holds over a restart", .timeLimit(.minutes(1)))
  func trip() async throws {
    let desk = try Desk()
    let (_, slots) = try await desk.start()
    let endless = """
      return { api = 1, route = function(job)
        while job.name == "endless" do end
        return "orchestrator", "ended"
      end }
      """
    var job = PolicySamples.job
    job.name = "endless"
    let filled = try await slots.fill(.shadow, with: .files(["routing.lua": Data(endless.utf8)]), percent: nil, by: "api", note: nil)
    let verdict = slots.slots.makeEngine().route(job, fleet: PolicySamples.fleet)
    #expect(verdict.reason == "live" && verdict.shadow?.fallbackCause != nil && verdict.shadow?.bundle == filled.bundle)
    for _ in 0..<SlotGuard.tolerance { slots.slots.note("out of instructions", by: filled.bundle, in: .shadow) }
    #expect(slots.slots.bundle(in: .shadow) == nil)
    let writer = Task { try await slots.run() }
    defer { writer.cancel() }
    while try await desk.store.policyEvent(actingIn: .shadow)?.kind != .cleared { await Task.yield() }
    let event = try #require(try await desk.store.policyEvent(actingIn: .shadow))
    #expect(event.actor == "host" && event.detail?.contains("broke their budget") == true)
    let (_, again) = try await desk.start()
    #expect(again.slots.bundle(in: .shadow) == nil)
  }
}
