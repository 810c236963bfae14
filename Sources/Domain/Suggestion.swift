/// Finds what somebody probably meant.
package enum Suggestion {
  /// The nearest of the valid words, when it is near enough to be meant: at most a third of its letters differ.
  /// - Parameters:
  ///   - word: at most 200 characters are looked at.
  ///   - words: the valid ones.
  package static func nearest(to word: String, among words: some Sequence<String>) -> String? {
    let best = words.map { (word: $0, distance: distance(Array(word.lowercased().prefix(200)), Array($0.lowercased().prefix(200)))) }
      .min { ($0.distance, $0.word) < ($1.distance, $1.word) }
    guard let best, best.distance * 3 <= max(best.word.count, 3) else { return nil }
    return best.word
  }

  /// Levenshtein's distance; two neighbours in the wrong order count as one.
  private static func distance(_ a: [Character], _ b: [Character]) -> Int {
    if a.isEmpty || b.isEmpty { return max(a.count, b.count) }
    var rows = [Array(0...b.count)]
    for i in 1...a.count {
      var row = [i] + Array(repeating: 0, count: b.count)
      for j in 1...b.count {
        let cost = a[i - 1] == b[j - 1] ? 0 : 1
        row[j] = min(rows[i - 1][j] + 1, row[j - 1] + 1, rows[i - 1][j - 1] + cost)
        if i > 1, j > 1, a[i - 1] == b[j - 2], a[i - 2] == b[j - 1] { row[j] = min(row[j], rows[i - 2][j - 2] + 1) }
      }
      rows.append(row)
    }
    return rows[a.count][b.count]
  }
}
