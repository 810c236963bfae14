/// Numbers as reports write them.
extension PolicyCommands {
  static func count(_ number: Int, _ noun: String) -> String { "\(grouped(number)) \(noun)\(number == 1 ? "" : "s")" }

  /// `18,204`.
  static func grouped(_ number: Int) -> String {
    let digits = String(number.magnitude)
    var text = ""
    for (index, digit) in digits.enumerated() {
      if index > 0, (digits.count - index) % 3 == 0 { text += "," }
      text.append(digit)
    }
    return number < 0 ? "−" + text : text
  }

  /// One place behind the point: `3.9`.
  static func decimal(_ number: Double) -> String {
    guard number.isFinite, abs(number) < 1e12 else { return "–" }
    let tenths = Int((abs(number) * 10).rounded())
    return (number < 0 && tenths > 0 ? "−" : "") + "\(grouped(tenths / 10)).\(tenths % 10)"
  }

  /// `1.2 %`.
  static func share(_ part: Int, of whole: Int) -> String { "\(decimal(whole == 0 ? 0 : Double(part) * 100 / Double(whole))) %" }

  /// Rows of a name and its text, the texts below one another.
  static func rows(_ rows: [(name: String, text: String)]) -> [String] {
    let width = max(10, (rows.map(\.name.count).max() ?? 0) + 2)
    return rows.map { $0.name + String(repeating: " ", count: width - $0.name.count) + $0.text }
  }
}
