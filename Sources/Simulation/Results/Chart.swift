import Foundation

/// A plot as SVG, with its own axes and words, coloured by the page's variables so that it reads in light and in dark.
struct Chart {
  struct Line {
    var name: String
    var values: [Double]
    /// Index of the colour.
    var colour: Int
    var isDashed = false
  }
  /// Says what the vertical axis counts.
  var title: String
  /// Seconds between two values.
  var step: Double
  var lines: [Line]

  private static let width = 860.0
  private static let height = 260.0
  private static let margin = (left: 64.0, right: 16.0, top: 12.0, bottom: 40.0)

  var svg: String {
    let count = lines.map(\.values.count).max() ?? 0
    let top = Self.nice(lines.flatMap(\.values).max() ?? 1)
    let span = max(1, step * Double(max(1, count - 1)))
    let plot = (
      width: Self.width - Self.margin.left - Self.margin.right, height: Self.height - Self.margin.top - Self.margin.bottom
    )
    func x(_ seconds: Double) -> Double { Self.margin.left + seconds / span * plot.width }
    func y(_ value: Double) -> Double { Self.margin.top + plot.height * (1 - value / top) }
    var parts = ["<svg viewBox=\"0 0 \(Int(Self.width)) \(Int(Self.height))\" role=\"img\" aria-label=\"\(HTML.text(title))\">"]
    for index in 0...4 {
      let value = top * Double(index) / 4
      parts.append(
        "<line class=\"grid\" x1=\"\(Self.margin.left)\" x2=\"\(Self.width - Self.margin.right)\" y1=\"\(Self.place(y(value)))\" y2=\"\(Self.place(y(value)))\"/>"
      )
      parts.append("<text class=\"axis end\" x=\"\(Self.margin.left - 8)\" y=\"\(Self.place(y(value) + 4))\">\(Self.count(value))</text>")
    }
    let distance = Self.distance(span)
    var moment = 0.0
    while moment <= span + 1 {
      parts.append("<text class=\"axis middle\" x=\"\(Self.place(x(moment)))\" y=\"\(Self.height - 20)\">\(Self.clock(moment))</text>")
      moment += distance
    }
    parts.append(
      "<text class=\"axis middle\" x=\"\(Self.place(Self.margin.left + plot.width / 2))\" y=\"\(Self.height - 4)\">hours of the clock</text>"
    )
    // The earlier a line the wider, so that it shows under one that runs along it.
    let most = lines.map(\.colour).max() ?? 0
    for line in lines {
      let points = line.values.enumerated().map { "\(Self.place(x(Double($0) * step))),\(Self.place(y($1)))" }
      let dash = line.isDashed ? " stroke-dasharray=\"5 4\"" : ""
      let look = "class=\"line c\(line.colour)\" stroke-width=\"\(2 + 2 * Double(most - line.colour))\"\(dash)"
      parts.append("<polyline \(look) points=\"\(points.joined(separator: " "))\"/>")
    }
    parts.append("</svg>")
    return parts.joined(separator: "\n")
  }

  private static func place(_ value: Double) -> String { "\((value * 10).rounded() / 10)" }
  private static func count(_ value: Double) -> String { value == value.rounded() ? Words.count(Int(value)) : Words.number(value) }
  private static func clock(_ seconds: Double) -> String {
    let minutes = Int((seconds / 60).rounded())
    return "\(minutes / 60):\(minutes % 60 < 10 ? "0" : "")\(minutes % 60)"
  }

  /// The next of 1, 2, 4, 5, 8 times a power of ten.
  static func nice(_ value: Double) -> Double {
    guard value > 0 else { return 1 }
    let power = pow(10, log10(value).rounded(.down))
    return ([1.0, 2, 4, 5, 8, 10].first { $0 * power >= value * 0.9999 } ?? 10) * power
  }

  /// Seconds between two times on the axis: six to twelve of them.
  static func distance(_ span: Double) -> Double {
    [60.0, 300, 600, 900, 1800, 3600, 7200, 14_400, 43_200, 86_400].first { span / $0 <= 12 } ?? span / 8
  }
}

enum HTML {
  static func text(_ value: String) -> String {
    value.replacing("&", with: "&amp;").replacing("<", with: "&lt;").replacing(">", with: "&gt;").replacing("\"", with: "&quot;")
  }
}
