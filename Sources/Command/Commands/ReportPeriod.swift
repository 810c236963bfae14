import ArgumentParser
import Foundation

/// How far a report goes back: `30d`, `24h`, `90m`, or a time such as `2026-11-26T09:14:02Z`.
struct ReportPeriod: ExpressibleByArgument, Hashable {
  private let text: String
  private let since: @Sendable (Date) -> Date

  static func days(_ number: Int) -> ReportPeriod { ReportPeriod(days: number) }

  private init(days: Int) {
    text = "\(days)d"
    since = { $0.addingTimeInterval(-Double(days) * 86_400) }
  }

  init?(argument: String) {
    text = argument
    if let date = try? Date.ISO8601FormatStyle().parse(argument) {
      since = { _ in date }
      return
    }
    let units: [Character: Double] = ["m": 60, "h": 3600, "d": 86_400, "w": 7 * 86_400]
    guard let unit = argument.last.flatMap({ units[$0] }), let number = Int(argument.dropLast()), (1...100_000).contains(number) else {
      return nil
    }
    since = { $0.addingTimeInterval(-Double(number) * unit) }
  }

  static func == (a: ReportPeriod, b: ReportPeriod) -> Bool { a.text == b.text }
  func hash(into hasher: inout Hasher) { hasher.combine(text) }
  var defaultValueDescription: String { text }

  func start(from now: Date) -> Date { since(now) }

  /// As a parameter of the API.
  var parameter: String { "since=" + since(Date()).formatted(Date.ISO8601FormatStyle(includingFractionalSeconds: true)) }
}
