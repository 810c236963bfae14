/// What a simulation assumes of engine, forge and prices. Seconds and probabilities; printed with every result.
package struct Conditions: Hashable, Sendable, Codable {
  /// From a job's creation at GitHub to its decided place in the queue: delivery, look-up of the definition, triage.
  package var delivery = Distribution.logNormal(median: 0.4, sigma: 0.5)
  /// From asking the engine to a container that runs; the image is there.
  package var containerStart = Distribution.logNormal(median: 1.2, sigma: 0.4)
  package var registration = Distribution.logNormal(median: 0.15, sigma: 0.3)
  /// From the runner's files in its home to a runner that listens at GitHub.
  package var connection = Distribution.logNormal(median: 2.5, sigma: 0.3)
  /// From the job's end to the runner's own.
  package var runnerEnd = Distribution.logNormal(median: 0.6, sigma: 0.4)
  /// Cleaning a container for its next job.
  package var recycling = Distribution.constant(0.4)
  package var removal = Distribution.logNormal(median: 0.5, sigma: 0.3)
  /// Seconds by which GitHub may take a job out of the order of creation, within a class.
  package var handOutDisorder = 2.0

  /// An engine does not make a container that it was asked for.
  package var containerFailure = 0.002
  /// A runner vanishes between its registration and its job.
  package var runnerLoss = 0.001
  /// A container dies under its job.
  package var jobLoss = 0.0005
  /// Seconds after which GitHub gives up a job whose runner has died.
  package var lockTime = 600.0

  /// What a core costs in an hour of an existing container, in dollars, drawn anew for each ten minutes: a spot price.
  package var corePrice = Distribution.logNormal(median: 0.02, sigma: 0.15)
  package var limits = RegistrationLimit.github

  package init() {}

  /// Lines for people.
  package var stated: [(name: String, value: String)] {
    [
      ("delivery and triage", "\(delivery) s"), ("container start", "\(containerStart) s"), ("registration", "\(registration) s"),
      ("runner connects", "\(connection) s"), ("runner ends", "\(runnerEnd) s"), ("recycling", "\(recycling) s"),
      ("removal", "\(removal) s"), ("GitHub's order within a class", "oldest first, ± \(handOutDisorder) s"),
      (
        "failures",
        "container start \(percent(containerFailure)), runner before its job \(percent(runnerLoss)), under the job \(percent(jobLoss))"
      ),
      ("price", "\(corePrice) $ a core-hour, drawn each 10 min"),
      ("GitHub's limits of JIT configurations", limits.map { "\($0.count) in \(Int($0.seconds)) s" }.joined(separator: ", ")),
    ]
  }

  private func percent(_ share: Double) -> String { "\((share * 1e5).rounded() / 1e3) %" }
}

/// How many JIT configurations GitHub gives out within a span of time.
package struct RegistrationLimit: Hashable, Sendable, Codable {
  package var count: Int
  package var seconds: Double
  package init(count: Int, seconds: Double) {
    self.count = count
    self.seconds = seconds
  }

  /// "Rate limits for the REST API": 900 points a minute and endpoint at 5 a call, 10,000 registrations an hour; "Self-hosted runners
  /// reference": 1,500 registrations in five minutes.
  package static let github = [
    RegistrationLimit(count: 180, seconds: 60), RegistrationLimit(count: 1500, seconds: 300),
    RegistrationLimit(count: 10_000, seconds: 3600),
  ]
}

/// Gives each registration the first moment that all limits allow, in the order of asking.
struct RegistrationGate {
  let limits: [RegistrationLimit]
  private(set) var granted: [Double] = []

  init(limits: [RegistrationLimit]) { self.limits = limits }

  mutating func next(_ now: Double) -> Double {
    var moment = max(now, granted.last ?? now)
    for limit in limits where limit.count > 0 && granted.count >= limit.count {
      moment = max(moment, granted[granted.count - limit.count] + limit.seconds)
    }
    granted.append(moment)
    return moment
  }

  /// The most that were granted within any 60 s.
  var peakPerMinute: Int {
    var first = 0
    var peak = 0
    for last in granted.indices {
      // A moment that was made by adding 60 to another may be a hair less than that after it.
      while granted[last] - granted[first] >= 60 - 1e-6 { first += 1 }
      peak = max(peak, last - first + 1)
    }
    return peak
  }
}

/// What a core costs over time: a step each ten minutes.
struct PriceCurve {
  private static let step = 600.0
  let draws: Draws
  let distribution: Distribution

  /// Dollars for one core between two moments.
  func cost(from: Double, to: Double) -> Double {
    guard to > from else { return 0 }
    var sum = 0.0
    var moment = from
    while moment < to {
      let index = (moment / Self.step).rounded(.down)
      let end = min(to, (index + 1) * Self.step)
      sum += (end - moment) / 3600 * draws.sample(distribution, .price, Int(index))
      moment = end
    }
    return sum
  }
}
