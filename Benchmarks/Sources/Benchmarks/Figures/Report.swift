import Foundation

/// All figures of a run, as a table for people and as JSON for programs.
struct Report: Encodable {
  struct Machine: Encodable {
    var cores = ProcessInfo.processInfo.activeProcessorCount
    var memoryGiB = Int((Double(ProcessInfo.processInfo.physicalMemory) / Double(1 << 30)).rounded())
    var system = ProcessInfo.processInfo.operatingSystemVersionString
  }

  var date = Date().formatted(.iso8601)
  var machine = Machine()
  var figures: [Figure] = []

  /// A table in Markdown, as docs/benchmarks.md holds it.
  var table: String {
    var lines = ["| Figure | Measured | Against, in the same run | Ratio | Budget | |", "|---|---|---|---|---|---|"]
    for figure in figures {
      let spread = figure.ratios.isEmpty ? "" : " (\(figure.ratios.map(Text.number).joined(separator: "–")))"
      let unit = figure.unit.rawValue
      lines.append(
        "| \(figure.name) | \(Text.number(figure.value)) \(unit) | \(figure.baseline): \(Text.number(figure.baselineValue)) \(unit) "
          + "| \(Text.number(figure.ratio))\(spread) | \(figure.budget) | \(figure.verdict.rawValue) |")
    }
    return lines.joined(separator: "\n")
  }

  func write(to path: String) throws {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    encoder.nonConformingFloatEncodingStrategy = .convertToString(positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
    try encoder.encode(self).write(to: URL(filePath: path), options: .atomic)
  }
}

/// What went wrong with a benchmark itself.
struct BenchmarkFailure: Error, CustomStringConvertible {
  var description: String
  init(_ description: String) { self.description = description }
}

/// What is being done, for whoever waits.
enum Progress {
  static func say(_ text: String) {
    FileHandle.standardError.write(Data("benchmarks  \(text)\n".utf8))
  }
}
