import Domain
import Foundation
import Scheduling

/// What affinity was asked about a job in a turn of the planner, and what it said.
struct AffinityQuestion: Sendable {
  var job: PolicyJob
  var containers: [PolicyContainer]
  var verdict: Verdict<Placement>
  /// Why the job waited before this turn; nil: it is new.
  var waitsBecause: String?

  /// For the decision log: the best candidates, and the chosen one among them.
  /// - Parameter binding: nil: every candidate was left out.
  func answered(with binding: Plan.Binding?) -> AnsweredQuestion {
    let verdicts = verdict.value.candidates
    let points = containers.indices.map { $0 < verdicts.count ? verdicts[$0].score ?? -1 : -1 }
    var order = containers.indices.sorted { (points[$1], $0) < (points[$0], $1) }
    if order.count > DecisionRecord.candidateLimit {
      let kept = order.prefix(DecisionRecord.candidateLimit)
      let chosen = binding.flatMap { binding in order.first { containers[$0].isChosen(by: binding) } }
      order = Array(kept)
      if let chosen, !kept.contains(chosen) { order[order.count - 1] = chosen }
    }
    return AnsweredQuestion(
      job: job, verdict: verdict, containers: order.map { containers[$0] },
      candidates: order.map { index in
        let container = containers[index]
        let said = index < verdicts.count ? verdicts[index] : CandidateVerdict(score: nil, reason: "no answer")
        return .init(id: container.id, name: container.name, score: said.score, reason: said.reason)
      })
  }
}

/// Which of the jobs that wait since affinity left out all their places are to be logged: where the reason has changed, once a minute at most, so
/// that a fleet that changes all the time does not fill the log.
struct Rejections: Sendable {
  static let spacing: TimeInterval = 60
  private var toldAt: [JobID: Date] = [:]

  mutating func news(in plan: Plan, _ questions: [JobID: AffinityQuestion], at now: Date) -> [JobID] {
    var news: [JobID] = []
    var kept: [JobID: Date] = [:]
    for waiting in plan.waiting {
      guard let question = questions[waiting.jobID] else { continue }
      let told = toldAt[waiting.jobID]
      kept[waiting.jobID] = told
      if question.waitsBecause == waiting.reason { continue }
      if let told, (0..<Self.spacing).contains(now.timeIntervalSince(told)) { continue }
      kept[waiting.jobID] = now
      news.append(waiting.jobID)
    }
    toldAt = kept
    return news
  }
}

/// An affinity decision: a question whose job got a container, or whose candidates were all left out.
struct AnsweredQuestion: Sendable {
  var job: PolicyJob
  var verdict: Verdict<Placement>
  /// Those that the record holds, in its order.
  var containers: [PolicyContainer]
  var candidates: [DecisionRecord.Candidate]

  /// - Parameter container: nil: every candidate was left out.
  func record(container: Container?, at now: Date) -> DecisionRecord {
    var record = DecisionRecord(
      kind: "affinity", verdict, output: container?.name ?? "none", jobID: job.id, pool: container?.pool, at: now)
    record.candidates = candidates
    return record
  }
}

extension PolicyContainer {
  /// Tells candidates of a turn apart: a new one has no id.
  var key: String { self.id.isEmpty ? self.name : self.id }

  fileprivate func isChosen(by binding: Plan.Binding) -> Bool {
    switch binding.candidate {
    case .warm(let container): self.id == container.rawValue
    case .new(let pool, let host): self.isNew && self.pool == pool && self.engine == host
    }
  }
}
