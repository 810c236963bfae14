import Domain
import Foundation
import Logging
import Scheduling
import Storage
import Synchronization
import Testing

@testable import RunnerHub

/// A clock that a test moves.
final class TestClock: Sendable {
  private let time = Mutex(Date(timeIntervalSince1970: 1_777_000_000))
  var now: Date { time.withLock { $0 } }
  func advance(_ seconds: TimeInterval) { time.withLock { $0 += seconds } }
}

/// Identities in a fixed order.
final class CountingIdentities: IdentitySource {
  private let last = Mutex(0)
  func token(digits: Int) -> String {
    let number = last.withLock { last in
      last += 1
      return String(last, radix: 16)
    }
    return String(repeating: "0", count: max(0, digits - number.count)) + number
  }
}

/// Reads deliveries whose body is a `JobReport` or a `RunReport` as our own coders write it.
struct PlainDecoder: DeliveryDecoder {
  func decode(_ delivery: Delivery) throws(MalformedDelivery) -> ForgeEvent {
    do {
      switch delivery.event {
      case "workflow_job": return .job(try JSONDecoder().decode(JobReport.self, from: delivery.body))
      case "workflow_run": return .run(try JSONDecoder().decode(RunReport.self, from: delivery.body))
      default: return .ignored(reason: "event \(delivery.event)")
      }
    } catch {
      throw MalformedDelivery("\(error)")
    }
  }
}

struct BuiltInSource: PolicySource {
  var activeBundle: String { "built-in" }
  func makeEngine() -> any PolicyEngine { BuiltInPolicy() }
  var status: PolicyStatus { PolicyStatus(bundle: "built-in") }
}

actor MemoryBlobs: BlobStore {
  private var blobs: [String: Data] = [:]
  func append(_ data: Data, to name: String, at offset: Int64) async throws(StoreError) {
    guard let known = Int(exactly: offset), known <= blobs[name, default: Data()].count else { throw .damaged("a gap in \(name)") }
    blobs[name] = blobs[name, default: Data()].prefix(known) + data
  }
  func size(of name: String) async throws(StoreError) -> Int64 { Int64(blobs[name]?.count ?? 0) }
  /// Names of those that were compressed, and when each was changed last.
  private(set) var compressed: Set<String> = []
  private var changed: [String: Date] = [:]
  func compress(_ name: String) async throws(StoreError) { if blobs[name] != nil { compressed.insert(name) } }
  func remove(_ name: String) async throws(StoreError) { blobs[name] = nil }
  func list(_ folder: String) async throws(StoreError) -> [BlobEntry] {
    blobs.filter { $0.key.hasPrefix(folder + "/") }.map { name, data in
      BlobEntry(
        name: name, bytes: Int64(data.count), changedAt: changed[name] ?? .distantPast, isCompressed: compressed.contains(name))
    }
  }
  func put(_ bytes: Int, as name: String, at time: Date) {
    blobs[name] = Data(count: bytes)
    changed[name] = time
  }
  func read(_ name: String, from offset: Int64, limit: Int) async throws(StoreError) -> Data {
    Data((blobs[name] ?? Data()).dropFirst(Int(offset)).prefix(limit))
  }
}

/// The core over a real store in memory, a fake forge and a fake engine, one turn at a time.
final class Bench: Sendable {
  let clock = TestClock()
  let store: any Store
  let forge = FakeForge()
  /// Another CI platform, beside GitHub.
  let gitlab = FakeForge()
  let forges: ForgeRoster
  let engine = FakeEngine()
  let blobs = MemoryBlobs()
  let drain = DrainSwitch()
  let identities = CountingIdentities()
  let fleetMemory = FleetMemory()
  let settings: Settings
  let transactor: Transactor
  /// One for all turns: it remembers.
  private let hints: HintSource
  private let guid = Mutex(0)
  private let memory = Mutex(PlanningTurn.Memory())
  private let logger = Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() })

  /// - Parameter store: nil: one of its own.
  init(store given: (any Store)? = nil, _ change: (inout Settings) -> Void = { _ in }) throws {
    var settings = Settings(scope: .repository, pools: [Self.pool()])
    settings.definitionTimeLimit = .milliseconds(200)
    change(&settings)
    self.settings = settings
    store = try given ?? SQLiteStore()
    forges = ForgeRoster(github: forge)
    forges.add(gitlab, as: "gitlab")
    hints = HintSource(forge: forges)
    let clock = clock
    transactor = Transactor(store: store, signals: Signals(), now: { clock.now })
  }

  static func pool(_ change: (inout Pool) -> Void = { _ in }) -> Pool {
    var pool = Pool(
      name: "p", engine: "fake", image: "runner:1", labels: ["self-hosted", "linux", "x64"],
      resources: Resources(milliCPUs: 4000, memory: ByteCount(gibibytes: 8), disk: ByteCount(gibibytes: 20)), minimum: 0, maximum: 10,
      warm: 0)
    change(&pool)
    return pool
  }

  static let repository = Repository(id: 1, fullName: "acme/shop", isPrivate: true, defaultBranch: "main")

  // MARK: What the forge says

  static func report(
    _ id: Int64, _ action: String?, status: String? = nil, conclusion: String? = nil, runner: String? = nil, run: Int64 = 100,
    name: String = "build", labels: [String] = ["self-hosted", "linux"], repository: Repository = repository
  ) -> JobReport {
    JobReport(
      action: action, status: status ?? action ?? "queued", conclusion: conclusion, forgeID: id, runID: run, runAttempt: 1, name: name,
      workflow: "CI", labels: labels, headSHA: String(repeating: "a", count: 40), headBranch: "main", htmlURL: nil, runnerID: nil,
      runnerName: runner, runnerGroupName: nil, createdAt: nil, startedAt: nil, completedAt: nil, steps: [], repository: repository,
      organization: "acme", installationID: nil)
  }

  func deliver(_ reports: JobReport...) async throws { try await deliver(reports) }
  func deliver(_ reports: [JobReport]) async throws {
    for report in reports { try await store(report) }
    _ = try await intake.turn()
  }
  func store(_ report: JobReport) async throws {
    let number = guid.withLock { guid in
      guid += 1
      return guid
    }
    _ = try await store.append(
      Delivery(guid: "\(number)", hookID: "1", event: "workflow_job", body: try JSONEncoder().encode(report), receivedAt: clock.now))
  }

  // MARK: The parts, each made anew as after a restart

  private var roster: EngineRoster { EngineRoster(engines: [engine], pools: settings.pools) }
  var reducer: JobReducer { JobReducer(settings: settings) }
  var intake: Intake {
    Intake(transactor: transactor, decoder: PlainDecoder(), reducer: reducer, runs: DefinitionSource(forge: forges), logger: logger)
  }
  var triage: Triage {
    Triage(
      transactor: transactor,
      parser: JobParser(
        source: DefinitionSource(forge: forges, rules: settings.workflow.rules), hints: hints, history: store, settings: settings),
      policies: BuiltInSource(), fleet: observer, settings: settings, order: QueueOrder(), logger: logger)
  }
  var observer: FleetObserver {
    let clock = clock
    return FleetObserver(store: store, pools: settings.pools, drain: drain, memory: fleetMemory, now: { clock.now })
  }
  var planning: PlanningTurn {
    PlanningTurn(transactor: transactor, engines: roster, settings: settings, identities: identities, logger: logger)
  }
  var planner: PlannerService {
    PlannerService(
      planning: planning, scaling: scaling, policies: BuiltInSource(), signals: transactor.signals, drain: drain, interval: 1,
      logger: logger,
      now: { [clock] in clock.now })
  }
  var scaling: ScalingTurn {
    ScalingTurn(transactor: transactor, settings: settings, identities: identities, memory: fleetMemory, logger: logger)
  }
  var start: RunnerStart {
    RunnerStart(
      transactor: transactor, engines: roster, forge: forges, settings: settings, retry: .starts, memory: fleetMemory, logger: logger)
  }
  var release: RunnerRelease {
    RunnerRelease(
      transactor: transactor, engines: roster, forge: forges,
      logs: LogCollector(transactor: transactor, engines: roster, blobs: blobs, logger: logger), settings: settings, drain: drain,
      logger: logger)
  }
  func makeManager() -> ContainerAssignmentManager {
    ContainerAssignmentManager(
      transactor: transactor, engines: roster, forge: forges,
      logs: LogCollector(transactor: transactor, engines: roster, blobs: blobs, logger: logger), settings: settings, drain: drain,
      logger: logger)
  }
  func makeReconciler() -> Reconciler {
    Reconciler(transactor: transactor, forge: forges, reducer: reducer, engines: roster, settings: settings, logger: logger)
  }
  func makeSweeper() -> Sweeper {
    Sweeper(
      transactor: transactor, search: forges, reducer: reducer, runs: DefinitionSource(forge: forges), settings: settings, logger: logger)
  }
  var images: ImageKeeper { ImageKeeper(transactor: transactor, engines: roster, pools: settings.pools, logger: logger) }
  var fleetDesk: FleetDesk {
    FleetDesk(transactor: transactor, engines: roster, settings: settings, images: images, logger: logger)
  }
  func makeHealth() -> HealthMonitor {
    HealthMonitor(
      transactor: transactor, engines: roster, reconciler: makeReconciler(), settings: settings,
      monitor: OrchestratorMonitor(startedAt: clock.now), logger: logger)
  }

  // MARK: Turns

  func decide(with engine: any PolicyEngine = BuiltInPolicy()) async throws { try await triage.turn(with: engine) }
  func plan(with engine: any PolicyEngine = BuiltInPolicy()) async throws {
    var memory = memory.withLock { $0 }
    _ = try await planning.turn(&memory, with: engine)
    self.memory.withLock { [memory] in $0 = memory }
  }
  /// Carries every assignment and every free container as far as it goes now. Returns the reasons to come back.
  @discardableResult
  func work() async throws -> [String] {
    var reasons: [String] = []
    for assignment in try await store.activeAssignments() {
      do {
        try await start.run(assignment.id)
        try await release.run(assignment.id)
      } catch let comeBack as ComeBack {
        reasons.append(comeBack.reason)
      }
    }
    let manager = makeManager()
    for container in try await store.liveContainers() {
      do { try await manager.tend(container.id) } catch let comeBack as ComeBack { reasons.append(comeBack.reason) }
    }
    return reasons
  }

  /// A queued job that has been decided.
  func queue(
    _ id: Int64, name: String = "build", repository: Repository = Bench.repository, labels: [String] = ["self-hosted", "linux"]
  ) async throws {
    try await deliver(Self.report(id, "queued", name: name, labels: labels, repository: repository))
    try await decide()
  }
  /// A job whose runner has its files. Returns the assignment.
  func begin(_ id: Int64, repository: Repository = Bench.repository) async throws -> Assignment {
    try await queue(id, repository: repository)
    try await plan()
    try await work()
    return try await assignment(of: id)
  }
  /// A job that runs on its own runner.
  func running(_ id: Int64, repository: Repository = Bench.repository) async throws -> Assignment {
    let assignment = try await begin(id, repository: repository)
    forge.with { _ = $0.busy.insert(assignment.id.rawValue) }
    try await deliver(Self.report(id, "in_progress", runner: assignment.id.rawValue, repository: repository))
    return try await self.assignment(of: id)
  }
  /// The runner ends, and the forge says so.
  func finish(
    _ id: Int64, on assignment: Assignment, conclusion: String = "success", repository: Repository = Bench.repository, log: String = ""
  )
    async throws
  {
    engine.endUse(assignment.containerID, log: log)
    forge.runnerLeft(assignment.id.rawValue)
    try await deliver(Self.report(id, "completed", conclusion: conclusion, runner: assignment.id.rawValue, repository: repository))
  }

  // MARK: Looking

  func job(_ id: Int64, of source: String? = nil) async throws -> Job {
    try #require(try await store.job(JobID(source: source, forgeID: id, attempt: 1)))
  }
  func assignment(of id: Int64, at source: String? = nil) async throws -> Assignment {
    let name = try #require(try await job(id, of: source).assignment, "job \(id) has no assignment")
    return try #require(try await store.assignment(name))
  }
  func container(_ id: ContainerID) async throws -> Container { try #require(try await store.container(id)) }
  func now(_ assignment: Assignment) async throws -> Assignment { try #require(try await store.assignment(assignment.id)) }
}
