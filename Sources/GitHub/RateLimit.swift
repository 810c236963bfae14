import Foundation
import NIOHTTP1
import Synchronization

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

/// Until when each credential must be silent. Going on while refused can get an integration banned.
final class Throttle: Sendable {
  private struct Silence {
    var until: Date
    var refusalsInARow: Int
  }
  private let silences = Mutex<[String: Silence]>([:])

  /// When the credential may be used again, if not now.
  func blocked(_ credential: String, now: Date) -> Date? {
    silences.withLock { silences in
      silences[credential].flatMap { $0.until > now ? $0.until : nil }
    }
  }

  /// - Returns: until when the credential is silent.
  func refused(_ credential: String, wait: RateLimit.Wait, now: Date) -> Date {
    silences.withLock { silences in
      let earlier = silences[credential]
      let refusals = min((earlier?.refusalsInARow ?? 0) + 1, 6)
      let until =
        switch wait {
        case .until(let date): date
        case .unnamed: now + 60 * Double(1 << (refusals - 1))
        }
      let latest = max(until, earlier?.until ?? until)
      silences[credential] = Silence(until: latest, refusalsInARow: refusals)
      return latest
    }
  }

  /// An answer came: a later refusal starts from one minute again. An announced silence stays.
  func answered(_ credential: String, now: Date) {
    silences.withLock { silences in
      if let silence = silences[credential], silence.until <= now { silences[credential] = nil }
    }
  }
}
