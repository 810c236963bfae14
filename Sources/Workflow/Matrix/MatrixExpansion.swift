/// One combination of a matrix.
struct MatrixCombination: Sendable, Equatable {
  let values: ExpressionObject
  /// The names whose values came from vectors; empty for an `include` that stands alone.
  let vectorNames: [String]
}

/// Why a matrix has no combinations.
enum MatrixError: Error, Equatable {
  case tooManyJobs
}

extension Matrix {
  /// Bounds the work that a hostile matrix may cause: combinations times the entries they are compared with.
  private static let maximumComparisons = 2_000_000

  /// The combinations in GitHub's order: the product of the vectors (first slowest) without the excluded, with what `include` adds to
  /// them, then each `include` that fits none. Nil where an expression decides.
  ///
  /// Source: docs.github.com/actions/how-tos/write-workflows/choose-what-workflows-do/run-job-variations.
  func combinations() throws(MatrixError) -> [MatrixCombination]? {
    if isDecidedByExpression { return nil }
    let originals = try product().filter { combination in !exclude.contains { $0.isContained(in: combination) } }
    if originals.count > Self.maximumJobs { throw .tooManyJobs }
    var extended = originals.map(\.entries)
    var alone: [ExpressionObject] = []
    let names = Set(vectors.map(\.name.expressionFolded))
    for addition in include {
      let restriction = ExpressionObject(addition.entries.filter { names.contains($0.key.expressionFolded) })
      let fitting = originals.indices.filter { restriction.isContained(in: originals[$0]) }
      for index in fitting { extended[index] += addition.entries.filter { !names.contains($0.key.expressionFolded) } }
      if fitting.isEmpty { alone.append(addition) }
    }
    if originals.count + alone.count > Self.maximumJobs { throw .tooManyJobs }
    return extended.map { MatrixCombination(values: ExpressionObject($0), vectorNames: vectors.map(\.name)) }
      + alone.map { MatrixCombination(values: $0, vectorNames: []) }
  }

  private func product() throws(MatrixError) -> [ExpressionObject] {
    if vectors.isEmpty { return [] }
    var size = max(1, exclude.count + include.count)
    for vector in vectors {
      let (product, overflows) = size.multipliedReportingOverflow(by: vector.values.count)
      if overflows || product > Self.maximumComparisons { throw .tooManyJobs }
      size = product
    }
    var rows: [[ExpressionObject.Entry]] = [[]]
    for vector in vectors {
      rows = rows.flatMap { row in vector.values.map { row + [.init(key: vector.name, value: $0)] } }
    }
    return rows.map(ExpressionObject.init)
  }
}

extension ExpressionObject {
  /// Whether the other object has every pair of this one; objects inside need to fit in the same way.
  fileprivate func isContained(in other: ExpressionObject) -> Bool {
    entries.allSatisfy { entry in
      guard let value = other[entry.key] else { return false }
      if case .object(let inner) = entry.value, case .object(let outer) = value { return inner.isContained(in: outer) }
      return entry.value == value
    }
  }
}
