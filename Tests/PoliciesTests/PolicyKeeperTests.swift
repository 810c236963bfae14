import Domain
import Foundation
import Logging
import RunnerHub
import Storage
import Synchronization
import Testing

@testable import Policies

@Suite("Keeping policies")
struct PolicyKeeperTests {
  /// A folder with a routing policy, and a store. Each keeper is one life of the process.
  private struct Desk {
    let folder: ScratchFolder
    let store: SQLiteStore

    init(_ reason: String? = "one") throws {
      folder = try ScratchFolder()
      store = try SQLiteStore()
      if let reason { try folder.write("routing.lua", routing(reason)) }
    }

    func start() async throws -> PolicyKeeper {
      let keeper = PolicyKeeper(
        folder: folder.path, archive: store, logger: Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() }))
      try await keeper.start()
      return keeper
    }

    /// Changes the folder and has the keeper look.
    func submit(_ reason: String, to keeper: PolicyKeeper) async throws -> PolicyChange {
      try folder.write("routing.lua", routing(reason))
      return try await keeper.lookAgain()
    }

    /// Oldest first: `activated by start`.
    func events() async throws -> [String] {
      try await store.policyEvents(limit: 99).reversed().map { "\($0.kind.rawValue) by \($0.actor)" }
    }
  }

  @Test("a good change becomes active as a whole, and engines made before keep their bundle")
  func swap() async throws {
    let desk = try Desk()
    let keeper = try await desk.start()
    let first = keeper.active.activeBundle
    let old = keeper.active.makeEngine()
    let change = try await desk.submit("two", to: keeper)
    #expect(change.outcome == .activated && change.previous == first && change.bundle == keeper.active.activeBundle)
    #expect(change.bundle != first && reason(keeper.active) == "two")
    #expect(old.route(PolicySamples.job, fleet: PolicySamples.fleet).reason == "one")
    #expect(try await keeper.lookAgain().outcome == .unchanged)
    #expect(try await desk.events() == ["activated by start", "activated by folder"])
    #expect(try await desk.store.bundle(first)?.files["routing.lua"] == Data(routing("one").utf8))
  }

  @Test(
    "a broken change is refused with its place, and the last good bundle stays",
    arguments: [
      ("return {", "routing.lua:1:"), ("return { api = 1 }", "no function 'routing.route'"),
      ("return { api = 3, route = print }", "api = 3"),
      // No test comes by it, and still it is certain.
      (
        "return { api = 1, route = function(job)\n  if job.nmae == 'x' then return 'traditional', 'y' end\nend }",
        "routing.lua:2:10: unknown field 'job.nmae'"
      ),
    ])
  func broken(source text: String, refusal: String) async throws {
    let desk = try Desk()
    let keeper = try await desk.start()
    let first = keeper.active.activeBundle
    try desk.folder.write("routing.lua", text)
    let change = try await keeper.lookAgain()
    #expect(change.outcome == .refused && change.problem?.contains(refusal) == true)
    #expect(keeper.active.activeBundle == first && keeper.active.status.refusal == change.problem && reason(keeper.active) == "one")
    // It is not tested again until it changes, but by wish.
    #expect(try await keeper.lookAgain().outcome == .unchanged)
    #expect(try await keeper.reload(by: "api").outcome == .refused)
    #expect(try await desk.submit("three", to: keeper).outcome == .activated)
    #expect(keeper.active.status.refusal == nil && reason(keeper.active) == "three")
    #expect(try await desk.events() == ["activated by start", "refused by folder", "refused by api", "activated by folder"])
    #expect(try await desk.store.policyEvents(limit: 9).contains { $0.kind == .refused && $0.detail?.contains(refusal) == true })
  }

  @Test("a change whose tests fail is refused with the test's name; the folder as it was before is no change")
  func failingTests() async throws {
    let desk = try Desk()
    let keeper = try await desk.start()
    try desk.folder.write(
      "routing_test.lua",
      "local r = require('routing')\ntest('goes', function()\n  expect((r.route(job(), fleet()))).equals('orchestrator')\nend)")
    let change = try await keeper.lookAgain()
    #expect(change.problem == "routing_test.lua:3: goes: expected \"orchestrator\", got \"traditional\"" && change.tests == 1)
    try desk.folder.remove("routing_test.lua")
    #expect(try await keeper.lookAgain().outcome == .unchanged)
    #expect(keeper.active.status.refusal == nil)
  }

  @Test("a folder that is broken or missing at the first start leaves the built-in rule, and recovers")
  func brokenAtStart() async throws {
    let desk = try Desk(nil)
    let keeper = try await desk.start()
    #expect(keeper.active.activeBundle == "built-in")
    #expect(keeper.active.status.refusal?.contains("no policy files") == true)
    let verdict = keeper.active.makeEngine().route(PolicySamples.job, fleet: PolicySamples.fleet)
    #expect(verdict.value == .orchestrator && verdict.fallbackCause?.contains("no policy files") == true)
    _ = try await desk.start()
    #expect(try await desk.events() == ["refused by start"])
    #expect(try await desk.submit("now", to: keeper).outcome == .activated)
    #expect(reason(keeper.active) == "now")
  }

  @Test(
    "after a restart with a broken or missing folder the bundle acts that acted last, and the refusal is shown", arguments: [true, false])
  func lastGood(isMissing: Bool) async throws {
    let desk = try Desk()
    _ = try await desk.start()
    if isMissing { try desk.folder.remove("routing.lua") } else { try desk.folder.write("routing.lua", "return {") }
    for _ in 0..<2 {
      let keeper = try await desk.start()
      #expect(reason(keeper.active) == "one")
      #expect(keeper.active.status.refusal?.contains(isMissing ? "no policy files" : "routing.lua:1:") == true)
    }
    // The same refusal at each start is one event.
    #expect(try await desk.events() == ["activated by start", "refused by start"])
  }

  @Test("after a restart a folder that has changed meanwhile acts, and one that has not is no event")
  func restart() async throws {
    let desk = try Desk()
    _ = try await desk.start()
    #expect(reason(try await desk.start().active) == "one")
    #expect(try await desk.events() == ["activated by start"])
    try desk.folder.write("routing.lua", routing("two"))
    #expect(reason(try await desk.start().active) == "two")
    #expect(try await desk.events() == ["activated by start", "activated by start"])
  }

  @Test("a rollback holds over looks and restarts until the folder changes")
  func rollback() async throws {
    let desk = try Desk()
    var keeper = try await desk.start()
    let first = keeper.active.activeBundle
    let second = try await desk.submit("two", to: keeper).bundle
    let change = try await keeper.rollBack(to: nil, by: "api", note: "late deploys")
    #expect(change == PolicyChange(outcome: .rolledBack, bundle: first, previous: second))
    for _ in 0..<2 {
      #expect(reason(keeper.active) == "one")
      #expect(keeper.active.status.refusal?.contains(second) == true)
      #expect(try await keeper.lookAgain().outcome == .unchanged)
      keeper = try await desk.start()
    }
    #expect(try await desk.store.policyEvents(limit: 1).first?.detail == "late deploys")
    #expect(try await desk.submit("three", to: keeper).outcome == .activated)
    #expect(keeper.active.status.refusal == nil && reason(keeper.active) == "three")
    // Back in the folder, what was rolled back is a change too.
    #expect(try await desk.submit("two", to: keeper).bundle == second)
  }

  @Test("what was saved just before a rollback, and not judged yet, is a change: the next look takes it")
  func unjudged() async throws {
    let desk = try Desk()
    let keeper = try await desk.start()
    _ = try await desk.submit("two", to: keeper)
    try desk.folder.write("routing.lua", routing("three"))
    _ = try await keeper.rollBack(to: nil, by: "api", note: nil)
    #expect(reason(keeper.active) == "one" && keeper.active.status.refusal == nil)
    #expect(try await keeper.lookAgain().outcome == .activated)
    #expect(reason(keeper.active) == "three")
  }

  @Test("changes at once follow each other, and the process does as the archive says")
  func atOnce() async throws {
    let desk = try Desk()
    let keeper = try await desk.start()
    let first = keeper.active.activeBundle
    _ = try await desk.submit("two", to: keeper)
    try await withThrowingTaskGroup(of: Void.self) { group in
      for number in 0..<12 {
        group.addTask {
          if number % 2 == 0 {
            _ = try await keeper.rollBack(to: first, by: "api", note: nil)
          } else {
            _ = try await keeper.reload(by: "api")
          }
        }
      }
      try await group.waitForAll()
    }
    #expect(try await desk.store.policyEvent(actingIn: .live)?.bundle == keeper.active.activeBundle)
    // Each of them found what the one before had done: no bundle came into its place twice in a row.
    let acted = try await desk.store.policyEvents(limit: 99).map(\.bundle)
    #expect(zip(acted, acted.dropFirst()).allSatisfy { $0 != $1 })
  }

  private final class Occupancy: Sendable {
    let counts = Mutex((now: 0, most: 0, done: 0))
  }

  @Test("work under the mutex never overlaps, also where some of it is cancelled")
  func mutex() async {
    let mutex = AsyncMutex()
    let inside = Occupancy()
    await withTaskGroup(of: Void.self) { group in
      for number in 0..<50 {
        group.addTask {
          await mutex.withLock { () async -> Void in
            inside.counts.withLock { ($0.now, $0.most) = ($0.now + 1, max($0.most, $0.now + 1)) }
            await Task.yield()
            inside.counts.withLock { ($0.now, $0.done) = ($0.now - 1, $0.done + 1) }
          }
        }
        if number == 25 { group.cancelAll() }
      }
    }
    let seen = inside.counts.withLock { $0 }
    #expect(seen.most == 1 && seen.done == 50)
  }

  @Test("a reload by wish ends a rollback, and a second rollback goes the other way")
  func reloadAfterRollback() async throws {
    let desk = try Desk()
    let keeper = try await desk.start()
    let second = try await desk.submit("two", to: keeper).bundle
    _ = try await keeper.rollBack(to: nil, by: "api", note: nil)
    #expect(try await keeper.reload(by: "api").bundle == second)
    #expect(reason(keeper.active) == "two" && keeper.active.status.refusal == nil)
    _ = try await keeper.rollBack(to: nil, by: "api", note: nil)
    let back = try await keeper.rollBack(to: nil, by: "api", note: nil)
    #expect(back.bundle == second && keeper.active.status.refusal == nil)
  }

  @Test("a rollback names a bundle by its first digits, and says which ones there are")
  func targets() async throws {
    let desk = try Desk()
    let keeper = try await desk.start()
    let first = keeper.active.activeBundle
    await #expect(throws: PolicyWishError.unknown("no other bundle has acted before \(first)")) {
      try await keeper.rollBack(to: nil, by: "api", note: nil)
    }
    await #expect(throws: PolicyWishError.unknown("no bundle x has acted; these have acted: \(first)")) {
      try await keeper.rollBack(to: "x", by: "api", note: nil)
    }
    #expect(try await keeper.rollBack(to: first, by: "api", note: nil).outcome == .unchanged)
    _ = try await desk.submit("two", to: keeper)
    #expect(try await keeper.rollBack(to: String(first.prefix(7)).uppercased(), by: "api", note: nil).bundle == first)
  }

  @Test("first digits that fit two bundles, and none, are no name of one")
  func ambiguous() throws {
    let events = ["aa1", "aa2", "b"].map { PolicyEvent(kind: .activated, slot: .live, bundle: $0, actor: "x", at: .distantPast) }
    #expect(throws: PolicyWishError.unknown("aa could be aa1 or aa2")) { try Rollback.target("aa", present: "b", events: events) }
    #expect(throws: PolicyWishError.self) { try Rollback.target("", present: "b", events: events) }
    let refused = PolicyEvent(kind: .refused, slot: .live, bundle: "c", actor: "x", at: .distantPast)
    let shadow = PolicyEvent(kind: .activated, slot: .shadow, bundle: "d", actor: "x", at: .distantPast)
    #expect(try Rollback.target(nil, present: "aa1", events: [refused, shadow] + events) == "aa2")
  }

  @Test("of two changes at once the later one acts, in the process as in the archive")
  func order() async throws {
    let desk = try Desk()
    let active = ActivePolicies()
    func event(_ id: Int64) -> PolicyEvent { PolicyEvent(id: id, kind: .activated, slot: .live, bundle: "x", actor: "x", at: .distantPast) }
    let (old, new) = (try PolicyBundle(files: ["routing.lua": [1]]), try PolicyBundle(files: ["routing.lua": [2]]))
    active.put(new, event: event(2))
    active.put(old, event: event(1))
    #expect(active.activeBundle == new.digest)
    withExtendedLifetime(desk) {}
  }

  @Test("a policy that is deleted is answered by the built-in rule, which is no failure")
  func deleted() async throws {
    let desk = try Desk()
    try desk.folder.write("scaling.lua", "return { api = 1, scale = function() return 3, 'three' end }")
    let keeper = try await desk.start()
    try desk.folder.remove("routing.lua")
    #expect(try await keeper.lookAgain().outcome == .activated)
    let engine = keeper.active.makeEngine()
    let verdict = engine.route(PolicySamples.job, fleet: PolicySamples.fleet)
    #expect(verdict.value == .orchestrator && verdict.fallbackCause == nil && verdict.bundle == "built-in")
    #expect(engine.scale(PolicySamples.pool, fleet: PolicySamples.fleet).reason == "three")
  }

  @Test("a stored bundle that is gone leaves the folder's, with a note")
  func lostBundle() async throws {
    let desk = try Desk()
    var changes = Changes()
    changes.policyEvents = [PolicyEvent(kind: .activated, slot: .live, bundle: "0123456789ab", actor: "folder", at: .distantPast)]
    try await desk.store.commit(changes, at: .policyChanged)
    let keeper = try await desk.start()
    #expect(reason(keeper.active) == "one")
    #expect(try await desk.store.policyEvents(limit: 1).first?.detail == "bundle 0123456789ab is not in the store")
  }
}

@Suite("Watching the policies folder")
struct PolicyWatchTests {
  /// What a watcher hears of a change, before the next slow look would come.
  private static func watching(
    _ mode: PolicyWatch.Mode, below part: String = "", _ prepare: (ScratchFolder) throws -> Void,
    _ change: @escaping @Sendable (ScratchFolder) throws -> Void
  ) async throws {
    let folder = try ScratchFolder()
    try prepare(folder)
    let logger = Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() })
    let keeper = PolicyKeeper(folder: folder.path + part, archive: try SQLiteStore(), logger: logger)
    try await keeper.start()
    let pace = PolicyWatch.Pace(poll: mode == .poll ? 0.02 : 600, look: 600, stillness: 0.02)
    let watch = PolicyWatch(folder: folder.path + part, mode: mode, keeper: keeper, pace: pace, logger: logger)
    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask { try await watch.run() }
      try change(folder)
      let deadline = ContinuousClock.now + .seconds(10)
      while reason(keeper.active) != "two", ContinuousClock.now < deadline { try await Task.sleep(for: .milliseconds(5)) }
      #expect(reason(keeper.active) == "two")
      group.cancelAll()
      try await group.waitForAll()
    }
  }

  /// Makes a folder with a revision, and swaps a link for one to it.
  private static func mount(_ text: String, in folder: ScratchFolder, as link: String, hidden prefix: String = "") throws {
    let files = FileManager.default
    try files.createDirectory(atPath: "\(folder.path)/\(prefix)\(text)", withIntermediateDirectories: true)
    try folder.write("\(prefix)\(text)/routing.lua", routing(text))
    try files.createSymbolicLink(atPath: "\(folder.path)/\(prefix)new", withDestinationPath: "\(prefix)\(text)")
    #expect(rename("\(folder.path)/\(prefix)new", "\(folder.path)/\(link)") == 0)
  }

  @Test("a written file is seen, by events and by looks", arguments: [PolicyWatch.Mode.auto, .poll])
  func written(mode: PolicyWatch.Mode) async throws {
    try await Self.watching(mode) {
      try $0.write("routing.lua", routing("one"))
    } _: {
      try $0.write("routing.lua", routing("two"))
    }
  }

  @Test("a library's change is seen")
  func library() async throws {
    try await Self.watching(.auto) {
      try $0.write("routing.lua", "local w = require('lib.words')\nreturn { api = 1, route = function() return 'traditional', w.text end }")
      try $0.write("lib/words.lua", "return { text = 'one' }")
    } _: {
      try $0.write("lib/words.lua", "return { text = 'two' }")
    }
  }

  @Test("a change of data is seen")
  func data() async throws {
    try await Self.watching(.auto) {
      try $0.write("routing.lua", "return { api = 1, route = function() return 'traditional', data.words.text end }")
      try $0.write("data/words.yaml", "text: one")
    } _: {
      try $0.write("data/words.yaml", "text: two")
    }
  }

  @Test("a swap of links is seen, as Kubernetes mounts a new revision of a config map")
  func configMap() async throws {
    try await Self.watching(.auto) {
      try Self.mount("one", in: $0, as: "..data", hidden: "..")
      try FileManager.default.createSymbolicLink(atPath: "\($0.path)/routing.lua", withDestinationPath: "..data/routing.lua")
    } _: {
      try Self.mount("two", in: $0, as: "..data", hidden: "..")
    }
  }

  @Test("a swap of the link that is the folder itself is seen")
  func folderLink() async throws {
    try await Self.watching(.auto, below: "/current") {
      try Self.mount("one", in: $0, as: "current")
    } _: {
      try Self.mount("two", in: $0, as: "current")
    }
  }

  @Test("a folder that is made after the start is seen")
  func late() async throws {
    try await Self.watching(.auto, below: "/late") { _ in
    } _: {
      try FileManager.default.createDirectory(atPath: $0.path + "/late", withIntermediateDirectories: false)
      try $0.write("late/routing.lua", routing("two"))
    }
  }

  @Test("where it is off, a change waits for a reload")
  func off() async throws {
    let folder = try ScratchFolder()
    try folder.write("routing.lua", routing("one"))
    let logger = Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() })
    let keeper = PolicyKeeper(folder: folder.path, archive: try SQLiteStore(), logger: logger)
    try await keeper.start()
    let watch = PolicyWatch(
      folder: folder.path, mode: .off, keeper: keeper, pace: .init(poll: 0.001, look: 0.001, stillness: 0.001), logger: logger)
    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask { try await watch.run() }
      try folder.write("routing.lua", routing("two"))
      try await Task.sleep(for: .milliseconds(60))
      #expect(reason(keeper.active) == "one")
      #expect(try await keeper.reload(by: "api").outcome == .activated)
      group.cancelAll()
      try await group.waitForAll()
    }
  }
}
