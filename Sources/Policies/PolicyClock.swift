package import Foundation

/// A moment as the calendar has it, in UTC. Pure arithmetic on the Gregorian calendar, so that the same input gives the same answer on every
/// machine; local time is the policies' own matter (`lib/schedule.lua`).
package struct PolicyClock: Hashable, Sendable {
  /// Seconds since 1970.
  package let seconds: Int64
  package let year: Int64
  package let month: Int64
  package let day: Int64
  package let hour: Int64
  package let minute: Int64
  /// 1 is Monday, as ISO 8601 counts.
  package let weekday: Int64

  /// - Parameter moment: years −9999 to 9999; beyond them counts as the bound.
  package init(_ moment: Date) {
    let bounded = min(max(moment.timeIntervalSince1970, -377_705_116_800), 253_402_300_799)
    seconds = Int64(bounded.rounded(.down))
    let days = Self.quotient(seconds, 86_400)
    let rest = seconds - days * 86_400
    hour = rest / 3600
    minute = rest % 3600 / 60
    // 1 January 1970 was a Thursday.
    weekday = Self.remainder(days + 3, 7) + 1
    (year, month, day) = Self.date(daysSince1970: days)
  }

  /// Days → date by eras of 400 years that begin on 1 March (H. Hinnant, "chrono-Compatible Low-Level Date Algorithms", `civil_from_days`).
  private static func date(daysSince1970: Int64) -> (year: Int64, month: Int64, day: Int64) {
    let days = daysSince1970 + 719_468
    let era = quotient(days, 146_097)
    let dayOfEra = days - era * 146_097
    let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
    let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
    let shifted = (5 * dayOfYear + 2) / 153
    let month = shifted < 10 ? shifted + 3 : shifted - 9
    return (yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, dayOfYear - (153 * shifted + 2) / 5 + 1)
  }

  private static func quotient(_ a: Int64, _ b: Int64) -> Int64 { a >= 0 ? a / b : -((b - 1 - a) / b) }
  private static func remainder(_ a: Int64, _ b: Int64) -> Int64 { a - quotient(a, b) * b }
}
