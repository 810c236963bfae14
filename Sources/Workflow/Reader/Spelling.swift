/// Finds what an author may have meant.
enum Spelling {
  private static let maximumLength = 60

  /// The known word that is nearest, where it is near enough to be a slip: case apart, or an edit for every four characters.
  static func nearest(to word: String, among known: some Collection<String>) -> String? {
    guard !word.isEmpty, word.utf8.count <= maximumLength else { return nil }
    let folded = word.lowercased()
    let ranked = known.map { (word: $0, distance: distance(folded, $0.lowercased())) }
    guard let best = ranked.min(by: { ($0.distance, $0.word) < ($1.distance, $1.word) }) else { return nil }
    return best.distance <= max(1, word.utf8.count / 4) ? best.word : nil
  }

  /// Insertions, deletions, changes and swaps of neighbours (optimal string alignment).
  private static func distance(_ left: String, _ right: String) -> Int {
    let left = Array(left.utf8)
    let right = Array(right.utf8)
    var beforeLast: [Int] = []
    var last = Array(0...right.count)
    for (row, character) in left.enumerated() {
      var current = [row + 1]
      for (column, other) in right.enumerated() {
        var cost = min(last[column + 1] + 1, current[column] + 1, last[column] + (character == other ? 0 : 1))
        if row > 0, column > 0, character == right[column - 1], left[row - 1] == other { cost = min(cost, beforeLast[column - 1] + 1) }
        current.append(cost)
      }
      beforeLast = last
      last = current
    }
    return last[right.count]
  }
}
