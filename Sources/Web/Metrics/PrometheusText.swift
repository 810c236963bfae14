/// The words of the text exposition format 0.0.4 (prometheus.io, "Exposition formats"): names, labels, numbers and comments.
enum PrometheusText {
  static let contentType = "text/plain; version=0.0.4; charset=utf-8"

  /// A metric's name: letters, digits, `_` and `:`, not beginning with a digit.
  static func metricName(_ label: String) -> String { name(label, allowing: [":", "_"]) }

  /// A label's name. `__…` belongs to Prometheus and `le` to buckets.
  static func labelName(_ label: String) -> String {
    let name = name(label, allowing: ["_"])
    return name.hasPrefix("__") || name == "le" || name == "quantile" ? "exported_" + name : name
  }

  private static func name(_ text: String, allowing marks: Set<Character>) -> String {
    let name = String(text.map { $0.isASCII && ($0.isLetter || $0.isNumber) || marks.contains($0) ? $0 : "_" })
    guard let first = name.first else { return "_" }
    return first.isNumber ? "_" + name : name
  }

  /// `a="b",c="d"`, in the order of names.
  static func labels(_ dimensions: [(String, String)]) -> String {
    var unique: [String: String] = [:]
    for (name, value) in dimensions { unique[labelName(name)] = value }
    return unique.sorted { $0.key < $1.key }.map { #"\#($0.key)="\#(escapedLabel($0.value))""# }.joined(separator: ",")
  }

  static func escapedLabel(_ value: String) -> String {
    escapedHelp(value).replacing("\"", with: "\\\"")
  }

  static func escapedHelp(_ text: String) -> String {
    text.unicodeScalars.reduce(into: "") { result, scalar in
      switch scalar {
      case "\\": result += "\\\\"
      case "\n": result += "\\n"
      case "\r": result += " "
      default: result.unicodeScalars.append(scalar)
      }
    }
  }

  static func number(_ value: Double) -> String {
    if value.isNaN { return "NaN" }
    if value.isInfinite { return value > 0 ? "+Inf" : "-Inf" }
    return value == value.rounded() && abs(value) < 9e15 ? "\(Int64(value))" : "\(value)"
  }
}
