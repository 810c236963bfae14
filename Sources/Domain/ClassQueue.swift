/// How many jobs a class has waiting, and the first of them in the order of the queue.
package struct ClassQueue: Hashable, Sendable {
  package var jobClass: JobClass
  /// All its queued jobs, those that are not to be planned yet included.
  package var count: Int
  /// At most as many as were asked for, by rising order key.
  package var heads: [Job]
  /// Whether a job of a fork waits anywhere in the queue.
  package var holdsForkJob: Bool
  /// The largest need of its waiting jobs in each dimension; nil: as large as its heads.
  package var largest: Resources?
  package var left: LeftJobs

  package init(
    jobClass: JobClass, count: Int, heads: [Job], holdsForkJob: Bool, largest: Resources?, left: LeftJobs = LeftJobs()
  ) {
    self.jobClass = jobClass
    self.count = count
    self.heads = heads
    self.holdsForkJob = holdsForkJob
    self.largest = largest
    self.left = left
  }
}

/// What is known of a class's jobs that were left to traditional runners and are not taken yet. They are no demand, but the forge, which
/// was not told, may give them to any registration of the class.
package struct LeftJobs: Hashable, Sendable {
  /// Whether one of them is, or may be, a job of a fork.
  package var holdsForkJob: Bool
  /// Their largest need in each dimension; nil: not known.
  package var largest: Resources?
  /// The first and the last of their repositories by name: enough to tell whether one of them is another than a given one.
  package var repositories: Set<String>

  package init(holdsForkJob: Bool = false, largest: Resources? = nil, repositories: Set<String> = []) {
    self.holdsForkJob = holdsForkJob
    self.largest = largest
    self.repositories = repositories
  }
}
