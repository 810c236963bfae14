import Domain
import Foundation
import Scheduling
import Testing

/// A small RunnerHub and a small forge that hands any registered runner to any waiting job, and whose news is late, lost, doubled and reordered.
@Suite("Jobs, runners and containers walked at random with exchanges")
struct ExchangeWalkTests {
  @Test("each job has at most one active runner, each container one; no job is lost or runs twice", arguments: 0..<400)
  func walk(seed: UInt64) throws {
    var world = ForgeAndHub(seed: seed)
    for _ in 0..<120 {
      world.step()
      try world.check()
    }
    world.finish()
    try world.check()
    #expect(world.jobs.values.allSatisfy { $0.state.isFinal }, "every job ends")
    #expect(world.runs.values.allSatisfy { $0 <= 1 }, "none runs twice")
  }

  @Test("a job whose runner went to another goes back to its old place in the queue")
  func oldPlace() throws {
    var world = ForgeAndHub(seed: 1)
    let ids = world.jobs.keys.sorted()
    world.bind(ids[0])
    world.start(ids[0])
    let before = try #require(world.jobs[ids[0]])
    let runner = try #require(before.assignment)
    world.deliver(.inProgress(job: ids[1], runner: runner))
    let back = try #require(world.jobs[ids[0]])
    #expect(back.state == .queued && back.orderKey == before.orderKey && back.assignment == nil && back.containerID == nil)
    #expect(world.jobs[ids[1]]?.state == .running && world.jobs[ids[1]]?.containerID == before.containerID)
    #expect(world.containers[try #require(before.containerID)]?.state == .busy)
  }

  @Test("two jobs of a class exchange their runners in one step")
  func swap() throws {
    var world = ForgeAndHub(seed: 2)
    let ids = world.jobs.keys.sorted()
    for id in ids.prefix(2) { world.bind(id) }
    world.start(ids[0])
    let runner = try #require(world.jobs[ids[0]]?.assignment)
    let other = try #require(world.jobs[ids[1]]?.assignment)
    world.deliver(.inProgress(job: ids[1], runner: runner))
    #expect(world.jobs[ids[1]]?.assignment == runner && world.assignments[runner]?.phase == .running)
    #expect(world.jobs[ids[0]]?.assignment == other && world.assignments[other]?.jobID == ids[0])
    #expect(world.jobs[ids[0]]?.state == .assigned, "its new runner is only bound")
    try world.check()
  }
}

private struct ForgeAndHub {
  enum News: Hashable {
    case inProgress(job: JobID, runner: AssignmentID)
    case completed(job: JobID, runner: AssignmentID?, Conclusion)
  }
  static let start = Date(timeIntervalSince1970: 1_780_000_000)
  static let classes = [JobClass(scope: "acme", labels: ["linux"]), JobClass(scope: "acme", labels: ["linux", "gpu"])]

  var random: SeededGenerator
  // The hub.
  var jobs: [JobID: Job] = [:]
  var assignments: [AssignmentID: Assignment] = [:]
  var containers: [ContainerID: Container] = [:]
  var runs: [JobID: Int] = [:]
  // The forge: what is true there, and what it still tells.
  var waiting: Set<JobID> = []
  var online: Set<AssignmentID> = []
  var working: [AssignmentID: JobID] = [:]
  var ended: [JobID: (AssignmentID?, Conclusion)] = [:]
  var mail: [News] = []
  var lastID = 0

  init(seed: UInt64) {
    random = SeededGenerator(seed: seed)
    for id in Int64(1)...8 {
      var job = Job(
        id: JobID(forgeID: id, attempt: 1), forgeID: id, runID: 1, runAttempt: 1,
        repository: Repository(id: id % 2, fullName: "acme/\(id % 2)", isPrivate: true, defaultBranch: nil), name: "job", labels: [],
        headSHA: "a",
        state: .queued, createdAt: Self.start, receivedAt: Self.start)
      job.jobClass = Self.classes[seed == 2 ? 0 : Int(id) % 2]
      job.orderKey = Double(id)
      jobs[job.id] = job
      waiting.insert(job.id)
    }
  }

  mutating func step() {
    switch Int.random(in: 0..<9, using: &random) {
    case 0, 1: if let id = pick(jobs.values.filter { $0.state == .queued }.map(\.id)) { bind(id) }
    case 2, 3: if let id = pick(jobs.values.filter { $0.state == .assigned }.map(\.id)) { start(id) }
    case 4: handOut()
    case 5: if let runner = pick(Array(working.keys)) { end(runner) }
    case 6: if let id = pick(Array(waiting)), Int.random(in: 0..<6, using: &random) == 0 { cancel(id) }
    case 7: if let id = pick(jobs.values.filter { $0.state == .starting }.map(\.id)) { timeOut(id) }
    default:
      guard let index = mail.indices.randomElement(using: &random) else { return }
      deliver(mail[index])
      // A third of the messages come again.
      if Int.random(in: 0..<3, using: &random) > 0 { mail.remove(at: index) }
    }
  }

  /// The reconciler at the end: asks the forge about every job, as if all news had been lost.
  mutating func finish() {
    for runner in working.keys.sorted() { end(runner) }
    for id in waiting.sorted() { cancel(id) }
    mail = []
    for (id, end) in ended.sorted(by: { $0.key < $1.key }) { deliver(.completed(job: id, runner: end.0, end.1)) }
  }

  // MARK: The hub

  mutating func bind(_ id: JobID) {
    guard var job = jobs[id], case .to(let state) = job.state.transition(on: .assign) else { return }
    lastID += 1
    var container = Container(
      id: ContainerID(rawValue: "c\(lastID)"), name: "c\(lastID)", pool: "linux", engine: "process", image: "i",
      resources: Resources(milliCPUs: 1, memory: ByteCount(bytes: 1)), labels: ["linux", "gpu"], state: .ready, createdAt: Self.start)
    let assignment = Assignment(
      id: AssignmentID(rawValue: "rh-\(lastID)"), jobID: id, containerID: container.id, jobClass: job.jobClass ?? Self.classes[0],
      priority: .normal, use: 1, assignedAt: Self.start)
    container.state = .assigned
    container.assignment = assignment.id
    job.state = state
    job.assignment = assignment.id
    job.containerID = container.id
    jobs[id] = job
    assignments[assignment.id] = assignment
    containers[container.id] = container
  }

  mutating func start(_ id: JobID) {
    guard var job = jobs[id], let runner = job.assignment, case .to(let state) = job.state.transition(on: .start) else { return }
    job.state = state
    jobs[id] = job
    assignments[runner]?.phase = .started
    online.insert(runner)
  }

  /// The runner did not begin in time: it is given up, although the forge may just have given it a job.
  mutating func timeOut(_ id: JobID) {
    guard var job = jobs[id], let runner = job.assignment else { return }
    job.goBackToQueue()
    jobs[id] = job
    assignments[runner]?.release(because: "start took too long", now: Self.start)
    if working[runner] == nil, online.remove(runner) != nil { release(runner) }
  }

  mutating func release(_ runner: AssignmentID) {
    guard let container = assignments[runner]?.containerID else { return }
    assignments[runner]?.phase = .released
    containers[container]?.state = .gone
    containers[container]?.assignment = nil
  }

  mutating func deliver(_ news: News) {
    switch news {
    case .inProgress(let id, let runner):
      guard var job = jobs[id], let assignment = assignments[runner] else { return }
      if let exchange = exchange(assignment, job) { return apply(exchange) }
      if case .to(let state) = job.state.transition(on: .inProgress(ours: true)) {
        job.state = state
        assignments[runner]?.phase = .running
        if let next = containers[assignment.containerID]?.state.next(on: .jobStarted) { containers[assignment.containerID]?.state = next }
        set(job)
      }
    case .completed(let id, let runner, let conclusion):
      guard var job = jobs[id] else { return }
      if case .to(let state) = job.state.transition(on: .completedAtForge(conclusion)) {
        job.state = state
        set(job)
      }
      if let runner, let assignment = assignments[runner], let exchange = exchange(assignment, job) { apply(exchange) }
      let held = assignments.values.filter { $0.jobID == id && $0.phase.isActive }.map(\.id)
      for runner in held where working[runner] == nil {
        online.remove(runner)
        release(runner)
      }
    }
  }

  private func exchange(_ taken: Assignment, _ job: Job) -> Exchange? {
    func side(_ assignment: Assignment) -> Exchange.Side { .init(assignment: assignment, container: containers[assignment.containerID]) }
    let other = job.assignment.flatMap { assignments[$0] }.flatMap { $0.phase.isActive ? $0 : nil }
    return Exchange.runner(of: side(taken), madeFor: jobs[taken.jobID], wentTo: job, whichHad: other.map(side), now: Self.start)
  }

  private mutating func apply(_ exchange: Exchange) {
    for job in exchange.jobs { set(job) }
    for assignment in exchange.assignments { assignments[assignment.id] = assignment }
    for container in exchange.containers { containers[container.id] = container }
    for assignment in exchange.assignments where assignment.phase == .releasing && working[assignment.id] == nil {
      online.remove(assignment.id)
      release(assignment.id)
    }
  }

  private mutating func set(_ job: Job) {
    if job.state == .running, jobs[job.id]?.state != .running { runs[job.id, default: 0] += 1 }
    if let before = jobs[job.id], before.state.isFinal { #expect(job.state == before.state, "a final state is left") }
    jobs[job.id] = job
  }

  // MARK: The forge

  /// Any waiting job may get any idle runner whose labels contain the job's.
  private mutating func handOut() {
    let idle = online.filter { working[$0] == nil }
    guard let runner = pick(Array(idle)), let labels = assignments[runner]?.jobClass.labels else { return }
    guard let id = pick(waiting.filter { jobs[$0]?.jobClass?.labels.isSatisfied(by: labels) == true }.map { $0 }) else { return }
    waiting.remove(id)
    working[runner] = id
    mail.append(.inProgress(job: id, runner: runner))
  }

  private mutating func end(_ runner: AssignmentID) {
    guard let id = working.removeValue(forKey: runner) else { return }
    online.remove(runner)
    ended[id] = (runner, .success)
    mail.append(.completed(job: id, runner: runner, .success))
  }

  private mutating func cancel(_ id: JobID) {
    waiting.remove(id)
    ended[id] = (nil, .cancelled)
    mail.append(.completed(job: id, runner: nil, .cancelled))
  }

  private mutating func pick<Element: Comparable>(_ all: [Element]) -> Element? { all.sorted().randomElement(using: &random) }

  // MARK: What must always hold

  func check() throws {
    let active = assignments.values.filter { $0.phase.isActive }
    let byContainer = Dictionary(grouping: active, by: \.containerID)
    try #require(byContainer.values.allSatisfy { $0.count == 1 }, "a container has two runners")
    let serving = active.filter { $0.phase != .releasing }
    let byJob = Dictionary(grouping: serving, by: \.jobID)
    try #require(byJob.values.allSatisfy { $0.count == 1 }, "a job has two runners")
    for job in jobs.values where !job.state.isFinal {
      if let runner = job.assignment {
        try #require(assignments[runner]?.jobID == job.id, "\(job.id) names a runner that serves another job")
        try #require(job.state.holdsAssignment)
        try #require(job.containerID == assignments[runner]?.containerID)
      } else {
        try #require(job.state == .queued || job.state == .running, "\(job.id) is \(job.state) without a runner")
      }
    }
    for assignment in serving {
      let job = try #require(jobs[assignment.jobID])
      try #require(job.state.isFinal || job.assignment == assignment.id, "\(assignment.id) serves a job that does not know it")
    }
  }
}
