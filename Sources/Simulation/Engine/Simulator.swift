import Domain
import Foundation
import RunnerHub
import Scheduling

/// RunnerHub under a virtual clock. What decides is the product: planner, autoscaler, order, exchange, the rules of containers, the policies.
/// What the world does is drawn: how long an engine, GitHub and a runner take, and what fails.
struct Simulator {
  let scenario: Scenario
  let trace: Trace
  let policies: any PolicyEngine
  let draws: Draws
  let order = QueueOrder()
  let autoscaler = Autoscaler()
  let retry = Retry.starts
  let epoch: Date

  var rows: Rows
  var events = EventQueue()
  var forge = ForgeQueue()
  var gate: RegistrationGate
  var ledger: Ledger
  var places: StartPlaces
  /// Starts that found no free place, in order.
  var backlog: [StartItem] = []
  /// Something joined the backlog, or a place became free.
  var areStartsDue = false
  /// Places that starts hold.
  var placesHeld: [StartItem: StartPlaces.Start] = [:]
  /// Containers that an engine is making.
  var underWay: Set<ContainerID> = []
  var history: [String: ScaleHistory] = [:]
  /// What policies see of the last minutes.
  var memory = FleetHistory()
  /// Jobs that began in the last minutes: when, and how long after they were queued.
  var begun: [(at: Double, wait: Double)] = []
  var lastWaits = -Double.infinity
  /// Room that the planner keeps for waiting jobs.
  var claims: [Plan.Claim] = []
  var cursor = 0
  var now = 0.0
  var unresolved: Int
  /// When the next turn is due; infinite: none is.
  var turnAt = Double.infinity
  var lastTurn = -Double.infinity
  var lastScaling = -Double.infinity
  /// Numbers for names and chances.
  var containersMade = 0
  var assignmentsMade = 0
  var numberOfContainer: [ContainerID: Int] = [:]
  var numberOfAssignment: [AssignmentID: Int] = [:]

  enum StartItem: Hashable {
    case assignment(AssignmentID)
    case container(ContainerID)
  }

  init(_ trace: Trace, _ scenario: Scenario, _ policies: any PolicyEngine) {
    self.trace = trace
    self.scenario = scenario
    self.policies = policies
    draws = Draws(seed: scenario.seed)
    epoch = trace.start
    rows = Rows(jobs: trace.jobs.map { Job($0, settings: scenario.settings) })
    gate = RegistrationGate(limits: scenario.conditions.limits)
    ledger = Ledger(jobs: trace.jobs.count)
    places = StartPlaces(all: scenario.settings.maximumStarts, byMaker: scenario.settings.startsByEngine)
    unresolved = trace.jobs.count
  }

  var settings: Settings { scenario.settings }
  var conditions: Conditions { scenario.conditions }
  var date: Date { epoch.addingTimeInterval(now) }

  /// Until every job has ended and the traffic is over.
  /// - Parameter watch: told of each event's moment; false: stop.
  mutating func run(_ watch: (Double) -> Bool) -> Bool {
    for place in trace.jobs.indices {
      let created = trace.jobs[place].createdAt.timeIntervalSince(epoch)
      events.ask(.arrival(place), at: created + draws.sample(conditions.delivery, .delivery, place))
    }
    wake()
    while let (moment, event) = events.next() {
      if unresolved == 0, moment > trace.span { break }
      now = moment
      guard watch(moment) else { return false }
      happen(event)
      while areStartsDue { start() }
    }
    return true
  }

  private mutating func happen(_ event: Event) {
    switch event {
    case .arrival(let job): arrive(job)
    case .turn: if now == turnAt { turn() }
    case .containerMade(let id, let failed): containerMade(id, failed: failed)
    case .mayRegister(let id): register(id)
    case .registered(let id): registered(id)
    case .connected(let id, let vanished): connected(id, vanished: vanished)
    case .startLimit(let id): startLimit(id)
    case .jobEnded(let job, let id, let lost): jobEnded(job, id, lost: lost)
    case .runnerEnded(let id): runnerEnded(id)
    case .recycled(let id): finish(id, .recycled, cause: Assignment.jobEnded)
    case .unusedReleased(let id): finish(id, .terminate, cause: "released")
    case .containerGone(let id): containerGone(id)
    case .patienceEnded(let job): patienceEnded(job)
    }
  }

  /// Something changed: the planner looks, at once or when its pause is over.
  mutating func wake() { turn(at: max(now, lastTurn + scenario.pacing.planning)) }

  mutating func turn(at moment: Double) {
    guard moment < turnAt else { return }
    turnAt = moment
    events.ask(.turn, at: moment)
  }

  mutating func resolve(_ job: Int, _ ending: Ledger.Ending) {
    ledger.ended(job, ending)
    unresolved -= 1
  }
}

extension Job {
  /// As it comes from the forge.
  init(_ job: TraceJob, settings: Settings) {
    // One number a name: a fork is a repository with another one.
    let number = Int64(bitPattern: job.repository.utf8.reduce(0xcbf2_9ce4_8422_2325) { ($0 ^ UInt64($1)) &* 0x100_0000_01b3 } >> 2)
    self.init(
      id: JobID(forgeID: job.id, attempt: 1), forgeID: job.id, runID: job.runID, runAttempt: 1,
      repository: Repository(id: number, fullName: job.repository, isPrivate: job.isPrivate, defaultBranch: "main"),
      workflow: job.workflow, name: job.name, labels: job.labels, headSHA: "", headBranch: job.branch, createdAt: job.createdAt,
      receivedAt: job.createdAt)
    run = RunContext(event: job.event ?? "unknown", path: nil, headRepositoryID: job.isFromFork ? number + 1 : number, actor: nil)
    // What a trace does not hold must refuse no job: images are not checked.
    let finding = DefinitionFinding.found(
      .init(path: "", commit: "", key: job.name, isExact: true, images: [], environment: job.environment, timeoutMinutes: nil))
    definition = finding
    estimate = job.estimate ?? ResourceEstimator(settings: settings).estimate(self)
  }
}
