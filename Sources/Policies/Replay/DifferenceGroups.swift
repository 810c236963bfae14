/// Differences with the same change, and what their jobs have in common that the others have not.
struct DifferenceGroup: Hashable {
  var change: String
  var count: Int
  /// `all team=search`, `180 of them event=push`; nil where nothing stands out.
  var common: String?

  /// The largest first.
  static func groups(of differences: [Replay.Difference], factCounts: [String: Int]) -> [DifferenceGroup] {
    Dictionary(grouping: differences, by: \.change).map { change, members in
      DifferenceGroup(change: change, count: members.count, common: common(members, factCounts))
    }.sorted { ($1.count, $0.change) < ($0.count, $1.change) }
  }

  /// The fact that tells these jobs from all others best: it must hold for most of them, and for hardly any other.
  private static func common(_ members: [Replay.Difference], _ factCounts: [String: Int]) -> String? {
    var held: [String: Int] = [:]
    for member in members { for fact in member.facts { held[fact, default: 0] += 1 } }
    let telling = held.filter { fact, count in
      // Of ten jobs with the fact, at least eight are among these; a fact of fewer than four fifths of these says little.
      count * 5 >= members.count * 4 && (factCounts[fact] ?? count) * 4 <= count * 5
    }
    let best = telling.max { left, right in
      // More of these, then fewer of the others, then a field of the team before one of a name.
      (left.value, -(factCounts[left.key] ?? 0), right.key) < (right.value, -(factCounts[right.key] ?? 0), left.key)
    }
    guard let best else { return nil }
    return best.value == members.count ? (members.count == 1 ? best.key : "all \(best.key)") : "\(best.value) of them \(best.key)"
  }
}
