package import Domain
package import Foundation
package import RunnerHub

/// Recorded decisions, made again by other policies. Pure: the same records and inputs give the same comparison.
///
/// Each decision is made from the input that was recorded with it, so what a changed decision would have changed later (another container
/// busy, another queue) is not followed; a simulation does that.
package struct Replay {
  /// Somebody's answer to a recorded question.
  package struct Answer: Hashable, Sendable {
    package var output: String
    package var reason: String
  }

  /// A decision that would be another one.
  package struct Difference: Hashable, Sendable {
    package var kind: String
    package var jobID: JobID?
    package var pool: String?
    package var at: Date
    package var before: Answer
    package var after: Answer
    /// What is known of the job: `event=push`, `label=linux`.
    package var facts: Set<String>
    /// For people: the job's name and repository, or the pool.
    package var subject: String

    package var change: String { "\(before.output) → \(after.output)" }
  }

  private let candidate: any PolicyEngine
  private let baseline: (any PolicyEngine)?
  package private(set) var differences: [Difference] = []
  /// Decisions that could be compared, by kind.
  package private(set) var compared: [String: Int] = [:]
  /// Decisions whose input is not there (any more), by kind.
  package private(set) var withoutInput: [String: Int] = [:]
  /// Affinity decisions of jobs that would not have come here.
  package private(set) var routedElsewhere = 0
  /// Questions that the replayed policies could not answer, by why.
  package private(set) var breaches: [String: Int] = [:]
  package private(set) var scaling: [String: ReplayedPool] = [:]
  private var jobs: Set<JobID> = []
  private var rerouted: Set<JobID> = []
  /// How many of the jobs that were compared have a fact, by kind.
  private(set) var factCounts: [String: [String: Int]] = [:]

  /// - Parameters:
  ///   - candidate: the policies to try.
  ///   - baseline: what they are compared with; nil: with what was decided then.
  package init(candidate: any PolicyEngine, baseline: (any PolicyEngine)? = nil) {
    self.candidate = candidate
    self.baseline = baseline
  }

  package var jobCount: Int { jobs.count }

  /// Takes decisions in the order in which they fell.
  package mutating func add(_ record: DecisionRecord, job: PolicyJob?, snapshot: FleetSnapshot?) {
    if let id = record.jobID { jobs.insert(id) }
    guard let snapshot, job != nil || record.kind == "scaling" else {
      withoutInput[record.kind, default: 0] += 1
      return
    }
    switch (record.kind, job) {
    case ("routing", let job?):
      let after = candidate.route(job, fleet: snapshot.fleet)
      let before = baseline?.route(job, fleet: snapshot.fleet)
      note(before?.fallbackCause)
      compare(
        record, job, recorded(record, before?.value.rawValue, before?.reason), Answer(output: after.value.rawValue, reason: after.reason),
        after.fallbackCause)
    case ("priority", let job?):
      let after = candidate.prioritise(job, fleet: snapshot.fleet)
      let before = baseline?.prioritise(job, fleet: snapshot.fleet)
      note(before?.fallbackCause)
      compare(
        record, job, recorded(record, before?.value.word, before?.reason), Answer(output: after.value.word, reason: after.reason),
        after.fallbackCause)
    case ("affinity", let job?): place(record, job, snapshot)
    case ("scaling", _): scale(record, snapshot)
    default: return
    }
  }

  /// A baseline that breaks is no measure: it is said too.
  private mutating func note(_ breachOfBaseline: String?) {
    if let breachOfBaseline { breaches["what it is compared with: \(breachOfBaseline)", default: 0] += 1 }
  }

  private func recorded(_ record: DecisionRecord, _ output: String?, _ reason: String?) -> Answer {
    output.map { Answer(output: $0, reason: reason ?? "") } ?? Answer(output: record.output, reason: record.reason)
  }

  private mutating func compare(_ record: DecisionRecord, _ job: PolicyJob, _ before: Answer, _ after: Answer, _ breach: String?) {
    compared[record.kind, default: 0] += 1
    if let breach { breaches[breach, default: 0] += 1 }
    let facts = Self.facts(of: job)
    for fact in facts { factCounts[record.kind, default: [:]][fact, default: 0] += 1 }
    if before.output == after.output { return }
    if record.kind == "routing", let id = record.jobID { rerouted.insert(id) }
    differences.append(
      Difference(
        kind: record.kind, jobID: record.jobID, pool: record.pool, at: record.at, before: before, after: after, facts: facts,
        subject: "\(job.name) · \(job.repository)"))
  }

  // MARK: - Affinity

  /// The host chooses among containers within so many points of the best: `Planner` breaks ties by strategy.
  private static let tie = 5.0

  private mutating func place(_ record: DecisionRecord, _ job: PolicyJob, _ snapshot: FleetSnapshot) {
    if let id = record.jobID, rerouted.contains(id) {
      routedElsewhere += 1
      return
    }
    let asked = Set(record.candidates.map { $0.id.isEmpty ? $0.name : $0.id })
    let containers = snapshot.containers.filter { asked.contains($0.id.isEmpty ? $0.name : $0.id) }
    guard !containers.isEmpty else {
      withoutInput[record.kind, default: 0] += 1
      return
    }
    let now = snapshot.fleet.now
    let after = candidate.place(job, candidates: containers, now: now)
    let preferred = Self.preferred(after.value, among: containers)
    let chosen: [Int]
    let before: Answer
    if let baseline {
      let verdict = baseline.place(job, candidates: containers, now: now)
      note(verdict.fallbackCause)
      chosen = Self.preferred(verdict.value, among: containers)
      before = Self.answer(verdict.value, chosen, containers)
    } else if record.output == "none", record.pool == nil {
      (chosen, before) = ([], Answer(output: record.output, reason: "every candidate is filtered out"))
    } else {
      // A new container got its name only once it was chosen.
      let named = containers.firstIndex { $0.name == record.output } ?? containers.firstIndex { $0.isNew && $0.pool == record.pool }
      guard let named else {
        withoutInput[record.kind, default: 0] += 1
        return
      }
      chosen = [named]
      before = Answer(output: containers[named].name, reason: record.candidates.first { $0.name == containers[named].name }?.reason ?? "")
    }
    var answer = Self.answer(after.value, preferred, containers)
    // Both may choose the same one: no difference of policy.
    if !Set(chosen).isDisjoint(with: preferred) || (chosen.isEmpty && preferred.isEmpty) { answer.output = before.output }
    compare(record, job, before, answer, after.fallbackCause)
  }

  /// Candidates that the host may choose: the best, and those that are as good.
  private static func preferred(_ placement: Placement, among containers: [PolicyContainer]) -> [Int] {
    let scored = zip(containers.indices, placement.candidates).compactMap { index, said in said.score.map { (index, $0) } }
    guard let best = scored.map(\.1).max() else { return [] }
    return scored.filter { $0.1 >= best - tie }.sorted { ($1.1, $0.0) < ($0.1, $1.0) }.map(\.0)
  }

  private static func answer(_ placement: Placement, _ preferred: [Int], _ containers: [PolicyContainer]) -> Answer {
    guard let first = preferred.first else { return Answer(output: "none", reason: "every candidate is filtered out") }
    return Answer(output: containers[first].name, reason: placement.candidates[first].reason)
  }

  // MARK: - Scaling

  private mutating func scale(_ record: DecisionRecord, _ snapshot: FleetSnapshot) {
    guard let pool = snapshot.fleet.pools.first(where: { $0.name == record.pool }) else {
      withoutInput[record.kind, default: 0] += 1
      return
    }
    let after = candidate.scale(pool, fleet: snapshot.fleet)
    let before = baseline?.scale(pool, fleet: snapshot.fleet)
    note(before?.fallbackCause)
    guard let wanted = before?.value ?? Int(record.output) else {
      withoutInput[record.kind, default: 0] += 1
      return
    }
    compared[record.kind, default: 0] += 1
    if let breach = after.fallbackCause { breaches[breach, default: 0] += 1 }
    scaling[pool.name, default: ReplayedPool()].add(before: wanted, after: after.value, at: record.at)
    if wanted == after.value { return }
    differences.append(
      Difference(
        kind: record.kind, jobID: nil, pool: pool.name, at: record.at,
        before: Answer(output: "\(wanted)", reason: before?.reason ?? record.reason),
        after: Answer(output: "\(after.value)", reason: after.reason), facts: [], subject: "pool \(pool.name)"))
  }

  // MARK: - Facts

  /// Fields that are another for each job, and tell nothing of a group.
  private static let identities: Set<String> = ["id", "commit", "run_id", "forge_id", "url", "html_url"]

  /// What a job's input says in single words.
  static func facts(of job: PolicyJob) -> Set<String> {
    guard case .object(_, let fields) = PolicyInput.job.value(of: .init(job: job, now: job.createdAt)) else { return [] }
    var facts: Set<String> = []
    for field in fields where !identities.contains(field.name) {
      switch field.value {
      case .text(let text): facts.insert("\(field.name)=\(text)")
      case .bool(let value): facts.insert("\(field.name)=\(value)")
      case .labels(let labels): for label in labels { facts.insert("label=\(label)") }
      default: continue
      }
    }
    return facts
  }
}

/// What a pool would have been asked to be, over the time of a replay.
package struct ReplayedPool: Sendable {
  package private(set) var peak = (before: 0, after: 0)
  /// Containers × seconds, between the first and the last decision.
  package private(set) var seconds = (before: 0.0, after: 0.0)
  private var last: (before: Int, after: Int, at: Date)?

  mutating func add(before: Int, after: Int, at now: Date) {
    peak = (max(peak.before, before), max(peak.after, after))
    if let last {
      let span = max(0, now.timeIntervalSince(last.at))
      seconds = (seconds.before + Double(last.before) * span, seconds.after + Double(last.after) * span)
    }
    last = (before, after, now)
  }
}
