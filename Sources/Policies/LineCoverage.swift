/// Which lines of the policy files tests executed. Test files do not count.
package struct LineCoverage: Hashable, Sendable {
  private var covered: [String: Set<Int>] = [:]
  private var active: [String: Set<Int>] = [:]

  package init() {}

  mutating func add(covered: [String: Set<Int>], active: [String: Set<Int>]) {
    for (file, lines) in active where !file.hasSuffix("_test.lua") { self.active[file, default: []].formUnion(lines) }
    for (file, lines) in covered where !file.hasSuffix("_test.lua") { self.covered[file, default: []].formUnion(lines) }
  }

  package func has(_ file: String) -> Bool { active[file] != nil }
  package var files: [String] { active.keys.sorted() }

  /// Lines that can be executed and were, of a file or of all.
  package func counts(of file: String? = nil) -> (covered: Int, active: Int) {
    (file.map { [$0] } ?? files).reduce(into: (0, 0)) { sum, file in
      let lines = active[file] ?? []
      sum.0 += lines.intersection(covered[file] ?? []).count
      sum.1 += lines.count
    }
  }

  /// 0 to 100; 100 where nothing can be executed.
  package func percent(of file: String? = nil) -> Double {
    let (covered, active) = counts(of: file)
    return active == 0 ? 100 : Double(covered) * 100 / Double(active)
  }

  package func uncovered(of file: String) -> [Int] { (active[file] ?? []).subtracting(covered[file] ?? []).sorted() }

  /// Whole percent, rounded down: only full coverage is called 100.
  static func text(_ percent: Double) -> String { "\(Int(percent)) %" }

  /// `3, 7-9`.
  static func ranges(_ lines: [Int]) -> String {
    var ranges: [ClosedRange<Int>] = []
    for line in lines {
      if let last = ranges.last, last.upperBound + 1 == line {
        ranges[ranges.count - 1] = last.lowerBound...line
      } else {
        ranges.append(line...line)
      }
    }
    return ranges.map { $0.count == 1 ? "\($0.lowerBound)" : "\($0.lowerBound)-\($0.upperBound)" }.joined(separator: ", ")
  }
}
