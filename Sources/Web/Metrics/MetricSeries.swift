import CoreMetrics
import Synchronization

/// One line, or one histogram, of a metric: what is counted under one set of labels.
protocol MetricSeries: AnyObject, Sendable {
  /// The current values: suffix of the name, additional label, value.
  func samples() -> [MetricSample]
}

/// One value of a series.
struct MetricSample: Equatable {
  var suffix = ""
  /// The bound of a histogram's bucket.
  var bound: String?
  var value: Double
}

/// A sum that only rises. Negative and undefined steps are no steps.
final class CounterSeries: MetricSeries, CounterHandler, FloatingPointCounterHandler {
  private let sum = Mutex(0.0)

  func increment(by amount: Int64) { increment(by: Double(amount)) }
  func increment(by amount: Double) {
    guard amount.isFinite, amount > 0 else { return }
    sum.withLock { $0 += amount }
  }
  func reset() { sum.withLock { $0 = 0 } }
  func samples() -> [MetricSample] { [MetricSample(value: sum.withLock { $0 })] }
}

/// A value that goes up and down.
final class GaugeSeries: MetricSeries, RecorderHandler, MeterHandler {
  private let current = Mutex(0.0)

  func record(_ value: Int64) { set(Double(value)) }
  func record(_ value: Double) { set(value) }
  func set(_ value: Int64) { set(Double(value)) }
  func set(_ value: Double) { current.withLock { $0 = value } }
  func increment(by amount: Double) { current.withLock { $0 += amount } }
  func decrement(by amount: Double) { current.withLock { $0 -= amount } }
  func samples() -> [MetricSample] { [MetricSample(value: current.withLock { $0 })] }
}

/// Observations in fixed buckets.
final class HistogramSeries: MetricSeries, RecorderHandler, TimerHandler {
  /// Upper bounds for seconds: from a decision to a long job.
  static let secondsBounds = [0.0001, 0.0005, 0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1800, 3600]
  /// Upper bounds for numbers without a unit.
  static let plainBounds: [Double] = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 10_000, 100_000, 1_000_000]

  private struct State {
    var counts: [UInt64]
    var total: UInt64 = 0
    var sum = 0.0
  }
  private let bounds: [Double]
  private let state: Mutex<State>

  init(bounds: [Double]) {
    self.bounds = bounds
    state = Mutex(State(counts: Array(repeating: 0, count: bounds.count)))
  }

  func record(_ value: Int64) { observe(Double(value)) }
  func record(_ value: Double) { observe(value) }
  func recordNanoseconds(_ duration: Int64) { observe(Double(duration) / 1e9) }

  private func observe(_ value: Double) {
    guard value.isFinite else { return }
    let bucket = bounds.firstIndex { value <= $0 }
    state.withLock {
      if let bucket { $0.counts[bucket] += 1 }
      $0.total += 1
      $0.sum += value
    }
  }

  func samples() -> [MetricSample] {
    let now = state.withLock { $0 }
    var below: UInt64 = 0
    var samples = zip(bounds, now.counts).map { bound, count in
      below += count
      return MetricSample(suffix: "_bucket", bound: PrometheusText.number(bound), value: Double(below))
    }
    samples.append(MetricSample(suffix: "_bucket", bound: "+Inf", value: Double(now.total)))
    samples.append(MetricSample(suffix: "_sum", value: now.sum))
    samples.append(MetricSample(suffix: "_count", value: Double(now.total)))
    return samples
  }
}
