import Domain

/// What happened, as it happened: spans and counts from which the figures are made.
struct Ledger {
  /// The time of a container on its engine.
  struct Existence {
    var cores: Double
    var from: Double
    var to: Double?
  }
  /// A runner's time on a job.
  struct Run {
    var job: Int
    var from: Double
    var to: Double?
    var isReuse: Bool
  }
  enum Ending { case completed, lost, givenUp, forwarded, refused, abandoned }

  private(set) var existences: [Existence] = []
  private(set) var runs: [Run] = []
  private var existenceOf: [ContainerID: Int] = [:]
  private var runOf: [Int: Int] = [:]
  /// By place in the trace; nil: not yet.
  private(set) var endings: [Ending?]
  /// Seconds of the clock.
  private(set) var assignedAt: [Double?]
  var growths = 0
  var shrinks = 0
  var madeByScaling = 0
  var retiredByScaling = 0
  var evictions = 0
  var containerFailures = 0
  var runnerLosses = 0
  var jobLosses = 0
  var exchanges = 0
  var expiredStarts = 0
  /// Registrations that had to wait for GitHub's limits, and how long the longest waited.
  var delayedRegistrations = 0
  var longestDelay = 0.0
  var fallbacks: [String: Int] = [:]
  var peakExisting = 0
  /// How often a job ended: the test of conservation.
  private(set) var endedTwice = 0

  init(jobs: Int) {
    endings = Array(repeating: nil, count: jobs)
    assignedAt = Array(repeating: nil, count: jobs)
  }

  mutating func made(_ container: Container, at moment: Double) {
    existenceOf[container.id] = existences.count
    existences.append(Existence(cores: Double(container.resources.milliCPUs) / 1000, from: moment, to: nil))
    peakExisting = max(peakExisting, existenceOf.count)
  }

  mutating func gone(_ id: ContainerID, at moment: Double) {
    guard let index = existenceOf.removeValue(forKey: id) else { return }
    existences[index].to = moment
  }

  mutating func assigned(_ job: Int, at moment: Double) {
    if assignedAt[job] == nil { assignedAt[job] = moment }
  }

  mutating func began(_ job: Int, at moment: Double, isReuse: Bool) {
    runOf[job] = runs.count
    runs.append(Run(job: job, from: moment, to: nil, isReuse: isReuse))
  }

  mutating func stopped(_ job: Int, at moment: Double) {
    guard let index = runOf.removeValue(forKey: job) else { return }
    runs[index].to = moment
  }

  mutating func ended(_ job: Int, _ ending: Ending) {
    if endings[job] != nil { endedTwice += 1 }
    endings[job] = ending
  }
}
