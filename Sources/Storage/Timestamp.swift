package import Foundation

/// The text form of a time in tables: ISO 8601 in UTC with milliseconds (`2026-05-04T10:20:30.123Z`), so that it reads and sorts well.
package enum Timestamp {
  /// Years 0001 to 9999; times beyond are brought to the nearest end, so that the order of texts stays that of times.
  private static let range = -62_135_596_800_000.0...253_402_300_799_999.0

  /// The text of a time, rounded to the nearest millisecond.
  package static func text(_ date: Date) -> String {
    let wanted = (date.timeIntervalSince1970 * 1000).rounded()
    let milliseconds = Int64(wanted.isNaN ? 0 : min(max(wanted, range.lowerBound), range.upperBound))
    let (days, inDay) = milliseconds.dividedFloor(by: 86_400_000)
    let (year, month, day) = civil(days: days)
    let seconds = inDay / 1000
    return digits(year, 4) + "-" + digits(month, 2) + "-" + digits(day, 2) + "T" + digits(seconds / 3600, 2) + ":"
      + digits(seconds / 60 % 60, 2) + ":" + digits(seconds % 60, 2) + "." + digits(inDay % 1000, 3) + "Z"
  }

  /// The time of a text that `text(_:)` made, or nil for anything else.
  package static func date(_ text: String) -> Date? {
    let shape = Array("0000-00-00T00:00:00.000Z".utf8)
    let bytes = Array(text.utf8)
    guard bytes.count == shape.count else { return nil }
    var parts: [Int64] = [0]
    for (byte, mark) in zip(bytes, shape) {
      if mark == UInt8(ascii: "0") {
        guard (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) else { return nil }
        parts[parts.count - 1] = parts[parts.count - 1] * 10 + Int64(byte - UInt8(ascii: "0"))
      } else {
        guard byte == mark else { return nil }
        parts.append(0)
      }
    }
    guard (1...12).contains(parts[1]), (1...31).contains(parts[2]), parts[3] < 24, parts[4] < 60, parts[5] < 60 else { return nil }
    let seconds = days(year: parts[0], month: parts[1], day: parts[2]) * 86_400 + parts[3] * 3600 + parts[4] * 60 + parts[5]
    return Date(timeIntervalSince1970: Double(seconds * 1000 + parts[6]) / 1000)
  }

  private static func digits(_ number: Int64, _ width: Int) -> String {
    let text = String(number)
    return String(repeating: "0", count: max(0, width - text.count)) + text
  }

  /// Proleptic Gregorian date of a day counted from 1970-01-01 (Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms").
  private static func civil(days: Int64) -> (year: Int64, month: Int64, day: Int64) {
    let (era, dayOfEra) = (days + 719_468).dividedFloor(by: 146_097)
    let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
    let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
    let shifted = (5 * dayOfYear + 2) / 153
    let month = shifted < 10 ? shifted + 3 : shifted - 9
    return (yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, dayOfYear - (153 * shifted + 2) / 5 + 1)
  }

  private static func days(year: Int64, month: Int64, day: Int64) -> Int64 {
    let (era, yearOfEra) = (month <= 2 ? year - 1 : year).dividedFloor(by: 400)
    let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
    return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
  }
}

extension Int64 {
  /// Quotient rounded down, and the remainder that is never negative.
  fileprivate func dividedFloor(by divisor: Int64) -> (quotient: Int64, remainder: Int64) {
    let remainder = self % divisor
    return remainder < 0 ? (self / divisor - 1, remainder + divisor) : (self / divisor, remainder)
  }
}
