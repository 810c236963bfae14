import Foundation
import NIOHTTP1

/// Whether GitHub asks to wait, and until when. Pure.
///
/// Source: "Rate limits for the REST API": `retry-after` first, then `x-ratelimit-reset` when nothing remains, else one minute and doubled.
enum RateLimit {
  /// What a refusal asks for.
  enum Wait: Hashable, Sendable {
    case until(Date)
    /// No time is named: one minute, doubled with each refusal in a row.
    case unnamed
  }

  /// Longest wait that is believed, in seconds: GitHub's windows are an hour.
  static let longestWait: Double = 86_400

  /// - Returns: nil when the answer is no refusal for the rate.
  static func wait(status: Int, headers: HTTPHeaders, message: String, now: Date) -> Wait? {
    let retryAfter = headers.first(name: "retry-after").flatMap { Double($0) }
    let nothingRemains = headers.first(name: "x-ratelimit-remaining").flatMap { Int($0) } == 0
    let speaksOfLimits = message.lowercased().contains("rate limit") || message.lowercased().contains("abuse detection")
    switch status {
    case 429: break
    case 403 where message.contains("Resource not accessible"): return nil
    case 403 where retryAfter != nil || nothingRemains || speaksOfLimits: break
    case 500...599 where retryAfter != nil: break
    default: return nil
    }
    if let retryAfter, retryAfter.isFinite { return .until(now + bounded(retryAfter)) }
    if nothingRemains, let reset = headers.first(name: "x-ratelimit-reset").flatMap({ Double($0) }), reset.isFinite {
      return .until(now + bounded(reset - now.timeIntervalSince1970))
    }
    return .unnamed
  }

  private static func bounded(_ seconds: Double) -> Double { min(max(seconds, 1), longestWait) }
}
