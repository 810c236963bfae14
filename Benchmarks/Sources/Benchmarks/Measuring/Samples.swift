/// Measured values of one thing, kept whole: a run has some hundred thousand of them at most.
struct Samples {
  private let sorted: [Double]

  init(_ values: some Sequence<Double>) { sorted = values.sorted() }

  var count: Int { sorted.count }
  var median: Double { quantile(0.5) }
  var smallest: Double { sorted.first ?? .nan }
  var largest: Double { sorted.last ?? .nan }

  /// The smallest value that a share of all values does not exceed; NaN where there is none.
  /// - Parameter share: 0…1.
  func quantile(_ share: Double) -> Double {
    guard !sorted.isEmpty else { return .nan }
    let rank = (share * Double(sorted.count)).rounded(.up)
    return sorted[min(sorted.count - 1, max(0, Int(rank) - 1))]
  }
}
