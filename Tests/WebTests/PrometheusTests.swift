import CoreMetrics
import Foundation
import Testing

@testable import Web

@Suite("Metrics for Prometheus")
struct PrometheusTests {
  /// One of each kind, with everything that needs care in names, labels and values.
  static func filled() -> PrometheusMetrics {
    let metrics = PrometheusMetrics(help: ["runnerhub_turns": "Turns of the planner.\nBy \\ outcome."])
    Counter(label: "runnerhub_turns", dimensions: [("outcome", "a\"b\\c\nd")], factory: metrics).increment(by: 3)
    Counter(label: "runnerhub_named_total", dimensions: [], factory: metrics).increment()
    FloatingPointCounter(
      label: "runnerhub.cost-é", dimensions: [("le", "x"), ("0a", "y"), ("__z", "q"), ("k", "1"), ("k", "2")], factory: metrics
    )
    .increment(by: 0.5)
    Gauge(label: "runnerhub_level", dimensions: [], factory: metrics).record(-1.5)
    Meter(label: "runnerhub_meter", dimensions: [], factory: metrics).set(Double.infinity)
    Recorder(label: "runnerhub_sizes", dimensions: [("kind", "x")], factory: metrics).record(7)
    let timer = Timer(label: "runnerhub_turn", dimensions: [], factory: metrics)
    for nanoseconds: Int64 in [50_000, 2_000_000, 7_200_000_000_000] { timer.recordNanoseconds(nanoseconds) }
    return metrics
  }

  @Test("every kind is written so that a strict reader understands it")
  func kinds() throws {
    let text = Self.filled().render()
    let families = try ExpositionParser.parse(text)
    #expect(families["runnerhub_turns_total"]?.samples[#"runnerhub_turns_total{outcome="a\"b\\c\nd"}"#] == 3)
    #expect(text.contains(#"# HELP runnerhub_turns_total Turns of the planner.\nBy \\ outcome."#))
    #expect(families["runnerhub_named_total"]?.samples["runnerhub_named_total"] == 1)
    #expect(families["runnerhub_cost___total"] ?? families["runnerhub_cost__total"] != nil)
    #expect(text.contains(#"{_0a="y",exported___z="q",exported_le="x",k="2"} 0.5"#))
    #expect(families["runnerhub_level"]?.samples["runnerhub_level"] == -1.5)
    #expect(families["runnerhub_meter"]?.samples["runnerhub_meter"] == .infinity)
    let turn = try #require(families["runnerhub_turn_seconds"])
    #expect(turn.samples[#"runnerhub_turn_seconds_bucket{le="0.0001"}"#] == 1)
    #expect(turn.samples[#"runnerhub_turn_seconds_bucket{le="0.005"}"#] == 2)
    #expect(turn.samples["runnerhub_turn_seconds_count"] == 3)
    #expect(families["runnerhub_sizes"]?.samples[#"runnerhub_sizes_sum{kind="x"}"#] == 7)
  }

  @Test("the same labels in another order are the same series, and a counter only rises")
  func identity() throws {
    let metrics = PrometheusMetrics()
    Counter(label: "c", dimensions: [("a", "1"), ("b", "2")], factory: metrics).increment()
    let again = Counter(label: "c", dimensions: [("b", "2"), ("a", "1")], factory: metrics)
    again.increment(by: -5)
    again.increment(by: 2)
    #expect(try ExpositionParser.parse(metrics.render())["c_total"]?.samples == [#"c_total{a="1",b="2"}"#: 3])
    again.destroy()
    #expect(try ExpositionParser.parse(metrics.render())["c_total"] == nil)
  }

  @Test("a metric has at most its number of series and one for the overflow, whose sum loses nothing")
  func cardinality() throws {
    let metrics = PrometheusMetrics(maximumSeries: 10)
    for index in 0..<50 { Counter(label: "c", dimensions: [("job", "\(index)")], factory: metrics).increment() }
    let families = try ExpositionParser.parse(metrics.render())
    let samples = try #require(families["c_total"]?.samples)
    #expect(samples.count == 11)
    #expect(samples.values.reduce(0, +) == 50)
    #expect(samples[#"c_total{overflow="true"}"#] == 40)
    #expect(families["runnerhub_metrics_dropped_series_total"]?.samples.values.first == 40)
  }

  @Test("a name that another kind has already is counted and not shown")
  func conflict() throws {
    let metrics = PrometheusMetrics()
    Gauge(label: "x_total", dimensions: [], factory: metrics).record(1)
    Counter(label: "x", dimensions: [], factory: metrics).increment()
    let families = try ExpositionParser.parse(metrics.render())
    #expect(families["x_total"]?.type == "gauge")
    #expect(families["runnerhub_metrics_conflicts_total"]?.samples.values.first == 1)
  }

  @Test(
    "the strict reader refuses what Prometheus would",
    arguments: [
      "a_total 1", "# HELP a b\n# TYPE a counter\na 1\n", "# HELP a_total b\n# TYPE a_total counter\na_total{x=1} 1\n",
      "# HELP a b\n# TYPE a gauge\na 1\na 2\n", "# HELP a b\n# TYPE a gauge\nb 1\n", "# HELP a b\n# TYPE a gauge\na{x=\"\n\"} 1\n", "a 1\n",
      "# HELP a b\n# TYPE a gauge\na{x=\"1\",x=\"2\"} 1\n", "# HELP a b\n# TYPE a histogram\na_bucket{le=\"1\"} 2\na_sum 1\na_count 2\n",
      "# HELP a b\n# TYPE a histogram\na_bucket{le=\"1\"} 2\na_bucket{le=\"+Inf\"} 1\na_sum 1\na_count 1\n",
    ])
  func strictness(text: String) {
    #expect(throws: ExpositionParser.Fault.self) { try ExpositionParser.parse(text) }
  }

  @Test("the process is read from /proc, also when its name holds brackets and spaces")
  func process() throws {
    let stat = "7 (a) b (c) S 1 7 7 0 -1 0 0 0 0 0 150 50 0 0 20 0 4 0 1000 9999 25 0 0"
    let read = try #require(
      ProcessMetrics(stat: stat, system: "cpu 1\nbtime 1700000000\n", openFiles: 3, pageBytes: 4096, ticksPerSecond: 100))
    #expect(read.cpuSeconds == 2 && read.startTime == 1_700_000_010 && read.residentBytes == 102_400)
    #expect(try ExpositionParser.parse(read.render()).count == 4)
    #expect(ProcessMetrics(stat: "7 a", system: "", openFiles: 0, pageBytes: 1, ticksPerSecond: 1) == nil)
  }

  @Test("promtool finds nothing wrong", .disabled(if: ProcessInfo.processInfo.environment["RUNNERHUB_SKIP_PROMTOOL"] != nil))
  func promtool() throws {
    let places = (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":").map { "\($0)/promtool" }
    let path = try #require(
      places.first { FileManager.default.isExecutableFile(atPath: $0) },
      "promtool is not in PATH: install the package 'prometheus', or set RUNNERHUB_SKIP_PROMTOOL=1 to do without this check")
    let metrics = PrometheusMetrics()
    Counter(label: "runnerhub_turns", dimensions: [("outcome", "a\"b\\c\nd")], factory: metrics).increment(by: 3)
    Timer(label: "runnerhub_turn", dimensions: [], factory: metrics).recordNanoseconds(5)
    let tool = Process()
    tool.executableURL = URL(filePath: path)
    tool.arguments = ["check", "metrics"]
    let (input, output) = (Pipe(), Pipe())
    (tool.standardInput, tool.standardError, tool.standardOutput) = (input, output, output)
    try tool.run()
    try input.fileHandleForWriting.write(contentsOf: Data((metrics.render() + (ProcessMetrics.read()?.render() ?? "")).utf8))
    try input.fileHandleForWriting.close()
    let said = try output.fileHandleForReading.readToEnd() ?? Data()
    tool.waitUntilExit()
    #expect(tool.terminationStatus == 0, "\(String(decoding: said, as: UTF8.self))")
  }
}
