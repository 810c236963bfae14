internal import Foundation

/// A time as Docker writes it (RFC 3339 with up to nine digits of a second), kept exact: it is compared, and handed back as `since`.
struct DockerTime: Hashable, Sendable, Comparable {
  let seconds: Int64
  let nanoseconds: Int32

  /// - Returns: nil for a text that is no time, or one that Docker uses for "never".
  init?(_ text: some StringProtocol) {
    let parts = text.split(separator: ".", maxSplits: 1)
    guard let first = parts.first else { return nil }
    var whole = String(first)
    var fraction = ""
    if parts.count == 2 {
      fraction = String(parts[1].prefix { $0.isASCII && $0.isNumber })
      whole += parts[1].dropFirst(fraction.count)
    }
    guard fraction.count <= 9, let date = try? Date(whole, strategy: .iso8601), date.timeIntervalSince1970 > 0 else { return nil }
    seconds = Int64(date.timeIntervalSince1970)
    nanoseconds = Int32(fraction + String(repeating: "0", count: 9 - fraction.count)) ?? 0
  }

  static func < (a: Self, b: Self) -> Bool { (a.seconds, a.nanoseconds) < (b.seconds, b.nanoseconds) }

  var date: Date { Date(timeIntervalSince1970: Double(seconds) + Double(nanoseconds) / 1e9) }

  /// `1732618992.612305641`, as `since` takes it.
  var stamp: String {
    let digits = String(nanoseconds)
    return "\(seconds)." + String(repeating: "0", count: 9 - digits.count) + digits
  }
}
