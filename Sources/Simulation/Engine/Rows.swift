import Domain
import RunnerHub

/// The rows that the product keeps in its store, as arrays that the planner can be given as they are.
struct Rows {
  /// By place in the trace.
  var jobs: [Job]
  private(set) var containers: [Container] = []
  /// Of `containers`, kept in step.
  private(set) var counts = FleetCounts()
  private(set) var assignments: [Assignment] = []
  private var placeOfContainer: [ContainerID: Int] = [:]
  private var placeOfAssignment: [AssignmentID: Int] = [:]
  private let placeOfJob: [JobID: Int]
  /// Jobs that are assigned or starting.
  private var bound: Set<Int> = []
  private var queues: [JobClass: WaitingJobs] = [:]

  init(jobs: [Job]) {
    self.jobs = jobs
    placeOfJob = Dictionary(jobs.enumerated().map { ($1.id, $0) }, uniquingKeysWith: { first, _ in first })
  }

  func place(of id: JobID) -> Int? { placeOfJob[id] }
  func container(_ id: ContainerID) -> Container? { placeOfContainer[id].map { containers[$0] } }
  func assignment(_ id: AssignmentID) -> Assignment? { placeOfAssignment[id].map { assignments[$0] } }

  /// Writes a job, and keeps queue and bound jobs in step with its state.
  mutating func put(_ job: Job, at place: Int) {
    let before = jobs[place]
    jobs[place] = job
    if before.state == .queued, job.state != .queued || before.orderKey != job.orderKey { leaveQueue(before, place) }
    if job.state == .queued, before.state != .queued || before.orderKey != job.orderKey { enterQueue(job, place) }
    if job.state == .assigned || job.state == .starting { bound.insert(place) } else { bound.remove(place) }
  }

  mutating func put(_ container: Container) {
    let isLive = container.state.isLive
    if let place = placeOfContainer[container.id] {
      counts.replace(containers[place], by: isLive ? container : nil)
      if isLive { containers[place] = container } else { remove(container.id, at: place) }
    } else if isLive {
      counts.replace(nil, by: container)
      placeOfContainer[container.id] = containers.count
      containers.append(container)
    }
  }

  /// The planner and the autoscaler sort what they need sorted, so the last may take an empty place.
  private mutating func remove(_ id: ContainerID, at place: Int) {
    placeOfContainer[id] = nil
    let last = containers.removeLast()
    if place < containers.count {
      containers[place] = last
      placeOfContainer[last.id] = place
    }
  }

  mutating func put(_ assignment: Assignment) {
    if let place = placeOfAssignment[assignment.id] {
      if assignment.phase.isActive {
        assignments[place] = assignment
      } else {
        placeOfAssignment[assignment.id] = nil
        let last = assignments.removeLast()
        if place < assignments.count {
          assignments[place] = last
          placeOfAssignment[last.id] = place
        }
      }
    } else if assignment.phase.isActive {
      placeOfAssignment[assignment.id] = assignments.count
      assignments.append(assignment)
    }
  }

  var boundJobs: [Job] { bound.sorted().map { jobs[$0] } }
  var isQueueEmpty: Bool { queues.isEmpty }
  var waitingCount: Int { queues.values.reduce(0) { $0 + $1.order.count } }

  /// The queue as the store shows it: by class, each with its first jobs.
  func classQueues(heads: Int) -> [ClassQueue] {
    queues.values.sorted { $0.key < $1.key }.map { waiting in
      ClassQueue(
        jobClass: waiting.jobClass, count: waiting.order.count, heads: waiting.order.prefix(heads).map { jobs[$0.place] },
        holdsForkJob: waiting.forks > 0, largest: waiting.needs.keys.reduce(nil) { $0?.union($1) ?? $1 })
    }
  }

  private mutating func enterQueue(_ job: Job, _ place: Int) {
    guard let jobClass = job.jobClass else { return }
    queues[jobClass, default: WaitingJobs(jobClass)].add(job, place)
  }

  private mutating func leaveQueue(_ job: Job, _ place: Int) {
    guard let jobClass = job.jobClass else { return }
    queues[jobClass]?.remove(job, place)
    if queues[jobClass]?.order.isEmpty == true { queues[jobClass] = nil }
  }
}

/// The waiting jobs of one class, by rising order key, with what the store's indices would tell of them.
private struct WaitingJobs {
  struct Waiting: Comparable {
    var key: Double
    var place: Int
    static func < (a: Waiting, b: Waiting) -> Bool { (a.key, a.place) < (b.key, b.place) }
  }
  let jobClass: JobClass
  /// The class's own, made once: the queue is shown at each turn.
  let key: String
  private(set) var order: [Waiting] = []
  private(set) var forks = 0
  private(set) var needs: [Resources: Int] = [:]

  init(_ jobClass: JobClass) {
    self.jobClass = jobClass
    key = jobClass.key
  }

  mutating func add(_ job: Job, _ place: Int) {
    let new = Waiting(key: job.orderKey ?? 0, place: place)
    order.insert(new, at: index(of: new))
    if job.isFromFork { forks += 1 }
    if let need = job.estimate?.resources { needs[need, default: 0] += 1 }
  }

  mutating func remove(_ job: Job, _ place: Int) {
    let index = index(of: Waiting(key: job.orderKey ?? 0, place: place))
    guard order.indices.contains(index), order[index].place == place else { return }
    order.remove(at: index)
    if job.isFromFork { forks -= 1 }
    if let need = job.estimate?.resources {
      needs[need, default: 1] -= 1
      if needs[need] == 0 { needs[need] = nil }
    }
  }

  /// The first place that is not before it.
  private func index(of waiting: Waiting) -> Int {
    var (low, high) = (0, order.count)
    while low < high {
      let middle = (low + high) / 2
      if order[middle] < waiting { low = middle + 1 } else { high = middle }
    }
    return low
  }
}
