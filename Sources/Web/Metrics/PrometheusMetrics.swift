package import CoreMetrics
import Synchronization

/// The metrics of a process, for swift-metrics to write and Prometheus to read.
///
/// A label set costs memory for ever, so each metric has a bounded number of them; what comes beyond is summed in one series with the label
/// `overflow="true"`, and counted in `runnerhub_metrics_dropped_series_total`.
package final class PrometheusMetrics: MetricsFactory {
  private enum Kind: String {
    case counter, gauge, histogram
  }
  private struct Family {
    var kind: Kind
    var label: String
    var series: [String: any MetricSeries] = [:]
  }
  private struct State {
    var families: [String: Family] = [:]
    var dropped: UInt64 = 0
    var conflicts: UInt64 = 0
  }

  private let state = Mutex(State())
  private let help: [String: String]
  private let maximumSeries: Int

  /// - Parameters:
  ///   - help: what each metric means, by its label in swift-metrics.
  ///   - maximumSeries: label sets of one metric.
  package init(help: [String: String] = [:], maximumSeries: Int = 1_000) {
    self.help = help
    self.maximumSeries = max(1, maximumSeries)
  }

  package func makeCounter(label: String, dimensions: [(String, String)]) -> any CounterHandler { counter(label, dimensions) }
  package func makeFloatingPointCounter(label: String, dimensions: [(String, String)]) -> any FloatingPointCounterHandler {
    counter(label, dimensions)
  }
  package func makeMeter(label: String, dimensions: [(String, String)]) -> any MeterHandler { gauge(label, dimensions) }
  package func makeRecorder(label: String, dimensions: [(String, String)], aggregate: Bool) -> any RecorderHandler {
    if !aggregate { return gauge(label, dimensions) }
    return series(Self.name(label, ""), .histogram, label, dimensions) { HistogramSeries(bounds: HistogramSeries.plainBounds) }
  }
  package func makeTimer(label: String, dimensions: [(String, String)]) -> any TimerHandler {
    series(Self.name(label, "_seconds"), .histogram, label, dimensions) { HistogramSeries(bounds: HistogramSeries.secondsBounds) }
  }

  package func destroyCounter(_ handler: any CounterHandler) { remove(handler) }
  package func destroyFloatingPointCounter(_ handler: any FloatingPointCounterHandler) { remove(handler) }
  package func destroyMeter(_ handler: any MeterHandler) { remove(handler) }
  package func destroyRecorder(_ handler: any RecorderHandler) { remove(handler) }
  package func destroyTimer(_ handler: any TimerHandler) { remove(handler) }

  /// Everything in the text exposition format 0.0.4, families and series in a fixed order.
  package func render() -> String {
    let now = state.withLock { $0 }
    var text = ""
    for (name, family) in now.families.sorted(by: { $0.key < $1.key }) where !family.series.isEmpty {
      Self.head(name, family.kind.rawValue, help[family.label] ?? family.label.replacing("_", with: " "), into: &text)
      for (labels, series) in family.series.sorted(by: { $0.key < $1.key }) {
        for sample in series.samples() { Self.line(name, labels, sample, into: &text) }
      }
    }
    let own = [
      ("runnerhub_metrics_dropped_series_total", "Series that were summed as overflow because their metric has too many.", now.dropped),
      (
        "runnerhub_metrics_conflicts_total",
        "Metrics that were asked for under a name that another kind of metric has; they are not shown.", now.conflicts
      ),
    ]
    for (name, meaning, count) in own {
      Self.head(name, "counter", meaning, into: &text)
      Self.line(name, "", MetricSample(value: Double(count)), into: &text)
    }
    return text
  }

  private func counter(_ label: String, _ dimensions: [(String, String)]) -> CounterSeries {
    series(Self.name(label, "_total"), .counter, label, dimensions) { CounterSeries() }
  }

  private func gauge(_ label: String, _ dimensions: [(String, String)]) -> GaugeSeries {
    series(Self.name(label, ""), .gauge, label, dimensions) { GaugeSeries() }
  }

  /// The series of a label set, made if it is not there. A name that has another kind gets a series that nobody sees.
  private func series<Series: MetricSeries>(
    _ name: String, _ kind: Kind, _ label: String, _ dimensions: [(String, String)], make: () -> Series
  ) -> Series {
    let labels = PrometheusText.labels(dimensions)
    return state.withLock { state in
      var family = state.families[name] ?? Family(kind: kind, label: label)
      var key = labels
      if family.series[key] == nil, family.series.count >= maximumSeries {
        state.dropped += 1
        key = #"overflow="true""#
      }
      if family.kind == kind, let known = family.series[key] as? Series { return known }
      let series = make()
      if family.kind == kind {
        family.series[key] = series
        state.families[name] = family
      } else {
        state.conflicts += 1
      }
      return series
    }
  }

  private func remove(_ handler: AnyObject) {
    state.withLock { state in
      for (name, family) in state.families {
        if let key = family.series.first(where: { $0.value === handler })?.key {
          state.families[name]?.series[key] = nil
          return
        }
      }
    }
  }

  private static func name(_ label: String, _ suffix: String) -> String {
    let name = PrometheusText.metricName(label)
    return name.hasSuffix(suffix) ? name : name + suffix
  }

  private static func head(_ name: String, _ kind: String, _ help: String, into text: inout String) {
    text += "# HELP \(name) \(PrometheusText.escapedHelp(help))\n# TYPE \(name) \(kind)\n"
  }

  private static func line(_ name: String, _ labels: String, _ sample: MetricSample, into text: inout String) {
    let bound = sample.bound.map { #"le="\#($0)""# }
    let all = [labels.isEmpty ? nil : labels, bound].compactMap(\.self).joined(separator: ",")
    text += "\(name)\(sample.suffix)\(all.isEmpty ? "" : "{\(all)}") \(PrometheusText.number(sample.value))\n"
  }
}
