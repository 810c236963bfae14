import Foundation

/// Earlier runs of the same job, the younger the weightier.
public struct JobHistory: Sendable, Equatable {
  public struct Run: Sendable, Equatable {
    /// How long ago it ended.
    public let ageSeconds: Double
    public let durationSeconds: Double
    /// The most that it used, where that was measured.
    public let peakMilliCPUs: Int?
    public let peakMemoryBytes: Int64?

    public init(ageSeconds: Double, durationSeconds: Double, peakMilliCPUs: Int? = nil, peakMemoryBytes: Int64? = nil) {
      self.ageSeconds = ageSeconds
      self.durationSeconds = durationSeconds
      self.peakMilliCPUs = peakMilliCPUs
      self.peakMemoryBytes = peakMemoryBytes
    }
  }

  /// After this time a run counts half: two weeks, in which most workflows change a little.
  public static let halfLifeSeconds: Double = 14 * 86_400
  /// Fewer runs say nothing.
  public static let minimumCount = 3

  public let runs: [Run]

  public init(runs: [Run]) { self.runs = runs.filter { $0.ageSeconds >= 0 && $0.durationSeconds.isFinite && $0.durationSeconds >= 0 } }

  /// The duration that this part of the runs stayed under, decayed; nil where there are too few.
  public func duration(percentile: Double) -> Double? { weighted(percentile) { $0.durationSeconds } }

  public func peakMilliCPUs(percentile: Double) -> Int? {
    weighted(percentile) { $0.peakMilliCPUs.map(Double.init) }.map { Int($0.rounded(.up)) }
  }

  public func peakMemoryBytes(percentile: Double) -> Int64? {
    weighted(percentile) { $0.peakMemoryBytes.map(Double.init) }.map { Int64($0) }
  }

  /// The smallest value at which the weights of the runs up to it reach the share.
  private func weighted(_ percentile: Double, _ value: (Run) -> Double?) -> Double? {
    let samples = runs.compactMap { run in value(run).map { (value: $0, weight: exp2(-run.ageSeconds / Self.halfLifeSeconds)) } }
      .sorted { $0.value < $1.value }
    guard samples.count >= Self.minimumCount else { return nil }
    // A little less, so that sums of equal weights are not a hair too small.
    let wanted = samples.reduce(0) { $0 + $1.weight } * min(max(percentile, 0), 1) * (1 - 1e-9)
    var reached = 0.0
    for sample in samples {
      reached += sample.weight
      if reached >= wanted { return sample.value }
    }
    return samples.last?.value
  }
}
