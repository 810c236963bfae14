import Foundation

/// A POSIX cron expression of five fields, as `schedule` takes it.
struct CronSchedule {
  struct Invalid: Error { let reason: String }

  private struct Field {
    let name: String
    let range: ClosedRange<Int>
    var words: [String] = []
  }

  private static let fields = [
    Field(name: "minute", range: 0...59), Field(name: "hour", range: 0...23), Field(name: "day of the month", range: 1...31),
    Field(
      name: "month", range: 1...12, words: ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]),
    Field(name: "day of the week", range: 0...6, words: ["sun", "mon", "tue", "wed", "thu", "fri", "sat"]),
  ]

  /// Minutes of an hour in which it fires.
  let minutes: Set<Int>

  init(_ text: String) throws(Invalid) {
    let parts = text.split(whereSeparator: \.isWhitespace)
    guard parts.count == Self.fields.count else { throw Invalid(reason: "it has \(parts.count) fields, expected 5") }
    var values: [Set<Int>] = []
    for (part, field) in zip(parts, Self.fields) { values.append(try Self.values(part, field)) }
    minutes = values[0]
  }

  /// The least number of minutes between two runs of the same hour; 60 where it fires once.
  var interval: Int {
    let sorted = minutes.sorted()
    guard let first = sorted.first else { return 60 }
    return zip(sorted, sorted.dropFirst() + [first + 60]).map { $1 - $0 }.min() ?? 60
  }

  private static func values(_ text: Substring, _ field: Field) throws(Invalid) -> Set<Int> {
    var result: Set<Int> = []
    for item in text.split(separator: ",", omittingEmptySubsequences: false) {
      let halves = item.split(separator: "/", omittingEmptySubsequences: false)
      let step = halves.count == 2 ? Int(halves[1]) : 1
      guard halves.count <= 2, let step, step > 0, let body = halves.first else { throw invalid(item, field) }
      let range = try range(body, field, isStepped: halves.count == 2)
      result.formUnion(stride(from: range.lowerBound, through: range.upperBound, by: min(step, 1_000)))
    }
    return result
  }

  private static func range(_ text: Substring, _ field: Field, isStepped: Bool) throws(Invalid) -> ClosedRange<Int> {
    if text == "*" || text == "?" { return field.range }
    let ends = text.split(separator: "-", omittingEmptySubsequences: false)
    guard let first = ends.first.flatMap({ value($0, field) }) else { throw invalid(text, field) }
    if ends.count == 1 { return isStepped ? first...field.range.upperBound : first...first }
    guard ends.count == 2, let last = value(ends[1], field), first <= last else { throw invalid(text, field) }
    return first...last
  }

  private static func value(_ text: Substring, _ field: Field) -> Int? {
    if let index = field.words.firstIndex(of: text.lowercased()) { return index + field.range.lowerBound }
    guard text.utf8.allSatisfy({ (0x30...0x39).contains($0) }), let number = Int(text), field.range.contains(number) else { return nil }
    return number
  }

  private static func invalid(_ text: Substring, _ field: Field) -> Invalid {
    Invalid(reason: "'\(text)' is no \(field.name) (\(field.range.lowerBound) to \(field.range.upperBound))")
  }
}

/// The names of the IANA's table, as Foundation knows them.
enum TimeZones {
  private static let known = Set(TimeZone.knownTimeZoneIdentifiers.map { $0.lowercased() })

  /// Without a table every name passes: that it is missing says nothing of the file.
  static func contains(_ name: String) -> Bool {
    known.isEmpty || name.uppercased() == "UTC" || known.contains(name.lowercased()) || TimeZone(identifier: name) != nil
  }
}
