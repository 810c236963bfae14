import Domain
import Foundation

/// Makes figures of a ledger: of spans of existence and of work, cut to one window for all sides.
struct Accounts {
  let trace: Trace
  let yardstick: [Priority]
  let window: Double
  let price: PriceCurve
  private static let points = 240

  private func cut(_ from: Double, _ to: Double?, at end: Double) -> (from: Double, to: Double)? {
    let (from, to) = (max(0, from), min(end, to ?? end))
    return to > from ? (from, to) : nil
  }

  /// Seconds of all spans before an end.
  private func sum(_ spans: [(from: Double, to: Double?)], until end: Double) -> Double {
    spans.reduce(0) { sum, span in sum + (cut(span.from, span.to, at: end).map { $0.to - $0.from } ?? 0) }
  }

  private func created(_ job: Int) -> Double { trace.jobs[job].createdAt.timeIntervalSince(trace.start) }

  func waits(_ runs: [Ledger.Run]) -> [Outcome.Waits] {
    var all: [Double] = []
    var byLevel: [Priority: [Double]] = [:]
    var byClass: [String: [Double]] = [:]
    for run in runs {
      let wait = max(0, run.from - created(run.job))
      all.append(wait)
      byLevel[yardstick[run.job], default: []].append(wait)
      byClass["\(Labels(trace.jobs[run.job].labels))", default: []].append(wait)
    }
    var rows: [Outcome.Waits] = []
    if let quantiles = Quantiles(all) { rows.append(.init(kind: .all, name: "all", quantiles: quantiles)) }
    for level in Priority.allCases {
      if let quantiles = Quantiles(byLevel[level] ?? []) { rows.append(.init(kind: .level, name: level.word, quantiles: quantiles)) }
    }
    for (name, values) in byClass.sorted(by: { $0.key < $1.key }) {
      if let quantiles = Quantiles(values) { rows.append(.init(kind: .jobClass, name: name, quantiles: quantiles)) }
    }
    return rows
  }

  func outcome(_ contender: Contender, _ simulator: Simulator) -> Outcome {
    let ledger = simulator.ledger
    var endings = Outcome.Endings()
    for ending in ledger.endings {
      switch ending {
      case .completed: endings.completed += 1
      case .lost: endings.lost += 1
      case .givenUp: endings.givenUp += 1
      case .forwarded: endings.forwarded += 1
      case .refused: endings.refused += 1
      case .abandoned: endings.abandoned += 1
      case nil: break
      }
    }
    endings.endedTwice = ledger.endedTwice
    var outcome = outcome(name: contender.name, existences: ledger.existences, runs: ledger.runs, endings: endings)
    outcome.bundle = contender.bundle
    outcome.assignment = Quantiles(ledger.assignedAt.enumerated().compactMap { job, moment in moment.map { max(0, $0 - created(job)) } })
    outcome.containersMade = simulator.containersMade
    outcome.scaling = .init(
      growths: ledger.growths, shrinks: ledger.shrinks, made: ledger.madeByScaling, retired: ledger.retiredByScaling,
      evictions: ledger.evictions)
    outcome.failures = .init(
      containers: ledger.containerFailures, runners: ledger.runnerLosses, jobs: ledger.jobLosses, expiredStarts: ledger.expiredStarts)
    outcome.registrations = .init(
      count: simulator.gate.granted.count, peakPerMinute: simulator.gate.peakPerMinute, delayed: ledger.delayedRegistrations,
      longestDelay: ledger.longestDelay)
    outcome.fallbacks = ledger.fallbacks
    return outcome
  }

  /// What spans tell of any side.
  func outcome(name: String, existences: [Ledger.Existence], runs: [Ledger.Run], endings: Outcome.Endings) -> Outcome {
    let lives = existences.map { (from: $0.from, to: $0.to) }
    let work = runs.map { (from: $0.from, to: $0.to) }
    func utilisation(until end: Double) -> Double {
      let existing = sum(lives, until: end)
      return existing > 0 ? sum(work, until: end) / existing : 0
    }
    let dollars = existences.reduce(0) { sum, existence in
      guard let span = cut(existence.from, existence.to, at: window) else { return sum }
      return sum + existence.cores * price.cost(from: span.from, to: span.to)
    }
    var endings = endings
    endings.late = runs.count { $0.to.map { $0 > window } ?? true }
    let starts = Dictionary(grouping: runs) { Int($0.from / 60) }.mapValues(\.count)
    let waiting = runs.map { (from: created($0.job), to: Optional($0.from)) }
    return Outcome(
      name: name, bundle: nil, waits: waits(runs), assignment: nil, endings: endings, utilisation: utilisation(until: window),
      trafficUtilisation: utilisation(until: trace.span > 0 ? trace.span : window),
      busyHours: sum(work, until: window) / 3600, containerHours: sum(lives, until: window) / 3600, dollars: dollars,
      peakContainers: peak(existences.map { ($0.from, $0.to) }),
      peakRunning: peak(runs.map { ($0.from, $0.to) }), peakWaiting: peak(waiting), containersMade: existences.count,
      reuse: runs.isEmpty ? 0 : Double(runs.count(where: \.isReuse)) / Double(runs.count), peakStartsPerMinute: starts.values.max() ?? 0,
      scaling: .init(), failures: .init(), registrations: .init(), fallbacks: [:],
      series: .init(
        step: window / Double(Self.points), existing: counts(existences.map { ($0.from, $0.to) }),
        busy: counts(runs.map { ($0.from, $0.to) }),
        waiting: counts(waiting)))
  }

  /// The most spans at one moment; one that ends as another begins does not count with it.
  private func peak(_ spans: [(from: Double, to: Double?)]) -> Int {
    let changes = spans.flatMap { [($0.from, 1), ($0.to ?? .infinity, -1)] }.sorted { ($0.0, $0.1) < ($1.0, $1.1) }
    var (count, most) = (0, 0)
    for change in changes {
      count += change.1
      most = max(most, count)
    }
    return most
  }

  /// How many spans hold each of the points.
  private func counts(_ spans: [(from: Double, to: Double?)]) -> [Int] {
    let step = window / Double(Self.points)
    guard step > 0 else { return [] }
    var changes = Array(repeating: 0, count: Self.points + 2)
    func point(_ moment: Double) -> Int { Int(min(Double(Self.points) + 1, max(0, (moment / step).rounded(.up)))) }
    for span in spans {
      changes[point(span.from)] += 1
      changes[point(span.to ?? .infinity)] -= 1
    }
    var sum = 0
    return changes.prefix(Self.points + 1).map { change in
      sum += change
      return sum
    }
  }
}
