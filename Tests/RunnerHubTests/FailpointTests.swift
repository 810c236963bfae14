import Domain
import Foundation
import Logging
import Synchronization
import Testing

@testable import RunnerHub

@Suite("Failpoints")
struct FailpointTests {
  /// Failpoints of an environment, and how often they killed.
  private func failpoints(_ name: String?) throws -> (Failpoints, deaths: Shared<Int>) {
    let deaths = Shared(0)
    let failpoints = try Failpoints(
      environment: name.map { [Failpoints.variable: $0] } ?? [:],
      logger: Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() })
    ) { deaths.withLock { $0 += 1 } }
    return (failpoints, deaths)
  }

  @Test("every step has a name of its own, and one failpoint before and one after it")
  func names() {
    let names = Failpoint.allCases.map(\.description)
    #expect(Set(names).count == 2 * (CommitPoint.allCases.count + OutwardCall.allCases.count))
    #expect(names.count == Set(names).count)
  }

  @Test("a name is read back as what it says", arguments: Failpoint.allCases)
  func read(failpoint: Failpoint) throws {
    #expect(try FailpointOrder("\(failpoint)") == FailpointOrder(failpoint))
    #expect(try FailpointOrder("\(failpoint):3") == FailpointOrder(failpoint, hit: 3))
    #expect("\(try FailpointOrder("\(failpoint):3"))" == "\(failpoint):3")
  }

  @Test(
    "what is no failpoint is refused, with the nearest one",
    arguments: [
      ("regster:after", "did you mean register:after?"), ("register", "register:before or register:after"),
      ("plan-made:befor", "plan-made:before"),
      ("something else", "docs/failpoints.md"), ("put:after:0", "put:after:3"), ("put:after:x", "put:after:3"),
      ("put:after:1:1", "put:after:3"),
    ])
  func unknown(text: String, hint: String) throws {
    let error = #expect(throws: UnknownFailpoint.self) { try failpoints(text) }
    #expect(error?.description.hasPrefix(Failpoints.variable) == true)
    #expect(error?.description.contains(hint) == true, "\(error?.description ?? "")")
  }

  @Test("without the variable, or with an empty one, the ports are what they were", arguments: [nil, ""])
  func absent(name: String?) throws {
    let (failpoints, _) = try failpoints(name)
    #expect(failpoints.guarding(FakeEngine()) is FakeEngine)
    #expect(failpoints.guarding(FakeForge()) is FakeForge)
    #expect(failpoints.guarding(MemoryBlobs()) is MemoryBlobs)
    #expect(!(failpoints.guarding(try Bench().store) is FailingStore))
  }

  @Test("the process dies at the hit that is ordered, before or after the effect, once")
  func hit() async throws {
    let engine = FakeEngine()
    let (failpoints, deaths) = try failpoints("remove:before:2")
    let guarded = failpoints.guarding(engine)
    for expected in [0, 1, 1] {
      try await guarded.remove(ContainerID(rawValue: "rh-p-1"))
      #expect(deaths.withLock { $0 } == expected)
    }
  }

  @Test("the moment after a step is not reached by one that failed")
  func failed() async throws {
    let engine = FakeEngine()
    engine.set(.unavailable("no answer"), on: .remove)
    let (failpoints, deaths) = try failpoints("remove:after")
    let guarded = failpoints.guarding(engine)
    await #expect(throws: EngineError.self) { try await guarded.remove(ContainerID(rawValue: "rh-p-1")) }
    #expect(deaths.withLock { $0 } == 0)
    engine.set(nil, on: .remove)
    try await guarded.remove(ContainerID(rawValue: "rh-p-1"))
    #expect(deaths.withLock { $0 } == 1)
  }

  @Test("death comes before the effect, or after it", arguments: [("create:before", false), ("create:after", true)])
  func moment(name: String, isDone: Bool) async throws {
    let engine = FakeEngine()
    let id = ContainerID(rawValue: "rh-p-1")
    let found = Shared<Bool?>(nil)
    let trap = FailpointTrap(try FailpointOrder(name)) { found.withLock { $0 = engine.containers.contains(id) } }
    let resources = Resources(milliCPUs: 1, memory: ByteCount(bytes: 1))
    try await FailingEngine(engine, trap).create(ContainerSpec(id: id, pool: "p", image: "i", resources: resources, isReusable: false))
    #expect(found.withLock { $0 } == isDone)
  }

  @Test("of commits only the one that is named kills")
  func commit() async throws {
    let (failpoints, deaths) = try failpoints("plan-made:after")
    let store = failpoints.guarding(try Bench().store)
    var changes = Changes()
    for (point, expected) in [(CommitPoint.poolScaled, 0), (.planMade, 1), (.installationNamed, 1)] {
      changes.memory = ["at": point.rawValue]
      try await store.commit(changes, at: point)
      #expect(deaths.withLock { $0 } == expected)
      #expect(try await store.value(forKey: "at") == point.rawValue)
    }
  }

  @Test("the page of failpoints names every step, and no other")
  func page() throws {
    let file = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
      .appending(path: "docs/failpoints.md")
    let rows = try String(contentsOf: file, encoding: .utf8).split(separator: "\n").filter { $0.hasPrefix("| `") }
    let named = rows.compactMap { $0.split(separator: "`").dropFirst().first.map(String.init) }
    #expect(named.sorted() == Failpoint.Step.allCases.map(\.name).sorted())
  }
}
