import Domain
import HeapModule

/// GitHub's side: which job a runner gets. Within what a runner's labels allow, the oldest first, roughly.
struct ForgeQueue {
  private struct Entry: Comparable {
    var key: Double
    var job: Int
    static func < (a: Entry, b: Entry) -> Bool { (a.key, a.job) < (b.key, b.job) }
  }
  private var waiting: [JobClass: Heap<Entry>] = [:]
  private var isWaiting: Set<Int> = []
  /// Runners that listen and have no job, the longest first.
  private(set) var idle: [(assignment: AssignmentID, jobClass: JobClass)] = []

  mutating func add(_ job: Int, of jobClass: JobClass, key: Double) {
    isWaiting.insert(job)
    waiting[jobClass, default: Heap()].insert(Entry(key: key, job: job))
  }

  /// It was cancelled.
  mutating func remove(_ job: Int) { isWaiting.remove(job) }

  /// The job that GitHub gives to a runner with the labels of a class.
  mutating func handOut(to jobClass: JobClass) -> Int? {
    var best: (entry: Entry, jobClass: JobClass)?
    for candidate in waiting.keys where candidate.mayBeServed(by: jobClass) {
      while let first = waiting[candidate]?.min, !isWaiting.contains(first.job) { _ = waiting[candidate]?.popMin() }
      guard let first = waiting[candidate]?.min else { continue }
      if best.map({ first < $0.entry }) ?? true { best = (first, candidate) }
    }
    guard let best else { return nil }
    _ = waiting[best.jobClass]?.popMin()
    isWaiting.remove(best.entry.job)
    return best.entry.job
  }

  mutating func wait(_ assignment: AssignmentID, of jobClass: JobClass) { idle.append((assignment, jobClass)) }
  mutating func forget(_ assignment: AssignmentID) { idle.removeAll { $0.assignment == assignment } }

  /// A listening runner that may get a job of a class, taken off the list.
  mutating func takeIdle(for jobClass: JobClass) -> AssignmentID? {
    guard let index = idle.firstIndex(where: { jobClass.mayBeServed(by: $0.jobClass) }) else { return nil }
    return idle.remove(at: index).assignment
  }
}

extension JobClass {
  /// GitHub looks at scope, group and labels only.
  func mayBeServed(by runner: JobClass) -> Bool {
    self == runner || (scope == runner.scope && group == runner.group && labels.isSatisfied(by: runner.labels))
  }
}
