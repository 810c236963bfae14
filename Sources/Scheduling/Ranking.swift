import Domain

/// A job's candidates with what affinity said of them. By index throughout: a candidate is dear to copy.
struct Ranking {
  struct Mark {
    /// nil: affinity left it out.
    var points: Double?
    var reason: String

    var outcome: String {
      guard let points else { return "left out: \(reason)" }
      return "scored \(Int(points.rounded()))" + (reason.isEmpty ? "" : ": \(reason)")
    }
  }

  /// Points within which candidates count as equally good.
  static let tie = 5.0

  let candidates: [Candidate]
  /// One for each candidate.
  let marks: [Mark]
  /// The one that affinity asked for, if any.
  let strategy: LoadBalancingStrategy?

  /// - Parameter affinity: nil: none is asked, and all candidates are equal.
  init(_ candidates: [Candidate], _ affinity: Affinity?) {
    self.candidates = candidates
    strategy = affinity?.strategy
    marks = candidates.indices.map { index in
      guard let affinity else { return Mark(points: 0, reason: "") }
      guard affinity.scores.indices.contains(index) else { return Mark(points: nil, reason: "affinity said nothing") }
      let score = affinity.scores[index]
      let points = score.points.map { $0.isNaN ? 0 : min(max($0, 0), 100) }
      return Mark(points: points, reason: score.reason)
    }
  }

  /// The best place: highest score; within five points of it what can begin soonest; among those the strategy decides.
  /// - Returns: the candidate's index; nil: affinity left out all.
  func best(need: Resources, strategy configured: LoadBalancingStrategy, load: FleetLoad, cursor: inout Int) -> Int? {
    guard let top = marks.compactMap(\.points).max() else { return nil }
    let close = candidates.indices.filter { (marks[$0].points ?? -.infinity) >= top - Self.tie }
    guard let soonest = close.map({ candidates[$0].readiness }).min() else { return nil }
    var tied = close.filter { candidates[$0].readiness == soonest }
    let strategy = strategy ?? configured
    if strategy == .affinity { tied.sort { (marks[$0].points ?? 0) > (marks[$1].points ?? 0) } }
    return strategy.tieBreaker.choose(tied, of: candidates, need: need, load: load, cursor: &cursor)
  }

  /// All places for people, the chosen one first, then by falling score.
  func considered(chosen: Int) -> [Plan.Considered] {
    let others = candidates.indices.filter { $0 != chosen }.sorted { (marks[$0].points ?? -1) > (marks[$1].points ?? -1) }
    return ([chosen] + others).map { .init(name: candidates[$0].name, points: marks[$0].points, outcome: marks[$0].outcome) }
  }
}
