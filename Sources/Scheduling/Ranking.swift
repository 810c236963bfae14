import Domain

/// A job's candidates with what affinity said of them.
struct Ranking {
  struct Place {
    var candidate: Candidate
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

  private(set) var places: [Place]
  /// The one that affinity asked for, if any.
  let strategy: LoadBalancingStrategy?

  /// - Parameter affinity: nil: none is asked, and all candidates are equal.
  init(_ candidates: [Candidate], _ affinity: Affinity?) {
    strategy = affinity?.strategy
    places = candidates.enumerated().map { index, candidate in
      guard let affinity else { return Place(candidate: candidate, points: 0, reason: "") }
      guard affinity.scores.indices.contains(index) else {
        return Place(candidate: candidate, points: nil, reason: "affinity said nothing")
      }
      let score = affinity.scores[index]
      let points = score.points.map { $0.isNaN ? 0 : min(max($0, 0), 100) }
      return Place(candidate: candidate, points: points, reason: score.reason)
    }
  }

  /// The best place: highest score; within five points of it what can begin soonest; among those the strategy decides.
  func best(need: Resources, strategy configured: LoadBalancingStrategy, load: FleetLoad, cursor: inout Int) -> Place? {
    guard let top = places.compactMap(\.points).max() else { return nil }
    let close = places.filter { ($0.points ?? -.infinity) >= top - Self.tie }
    guard let soonest = close.map(\.candidate.readiness).min() else { return nil }
    var tied = close.filter { $0.candidate.readiness == soonest }
    let strategy = strategy ?? configured
    if strategy == .affinity { tied.sort { ($0.points ?? 0) > ($1.points ?? 0) } }
    let index = strategy.tieBreaker.choose(tied.map(\.candidate), need: need, load: load, cursor: &cursor)
    return tied.indices.contains(index) ? tied[index] : tied.first
  }

  /// All places for people, the chosen one first, then by falling score.
  func considered(chosen: Place) -> [Plan.Considered] {
    let others = places.filter { $0.candidate.id != chosen.candidate.id }.sorted { ($0.points ?? -1) > ($1.points ?? -1) }
    return ([chosen] + others).map { .init(name: $0.candidate.name, points: $0.points, outcome: $0.outcome) }
  }
}
