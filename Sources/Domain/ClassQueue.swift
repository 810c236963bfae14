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

  package init(jobClass: JobClass, count: Int, heads: [Job], holdsForkJob: Bool, largest: Resources?) {
    self.jobClass = jobClass
    self.count = count
    self.heads = heads
    self.holdsForkJob = holdsForkJob
    self.largest = largest
  }
}
