import Foundation
import NIOHTTP1
import Synchronization

/// Until when each credential must be silent, and for what. Going on while refused can get an integration banned.
final class Throttle: Sendable {
  private struct Key: Hashable {
    let credential: String
    let bucket: Bucket
  }
  private struct Silence {
    var until: Date
    var refusalsInARow: Int
  }
  /// What GitHub last said of a primary limit.
  private struct Allowance {
    var remaining: Int
    var limit: Int
    var reset: Date
  }
  private struct State {
    var silences: [Key: Silence] = [:]
    var allowances: [Key: Allowance] = [:]
  }
  private let state = Mutex(State())

  /// When the credential may be used again for this, if not now: after a refusal, or because what is left is kept for what is more urgent.
  func blocked(_ credential: String, _ bucket: Bucket = .core, for purpose: Purpose = .repair, now: Date) -> Date? {
    state.withLock { state in
      if let silence = state.silences[Key(credential: credential, bucket: bucket)], silence.until > now { return silence.until }
      guard purpose.reserve > 0, let allowance = state.allowances[Self.primary(credential, bucket)], allowance.reset > now,
        Double(allowance.remaining) < purpose.reserve * Double(allowance.limit)
      else { return nil }
      return min(allowance.reset, now + RateLimit.longestWait)
    }
  }

  /// Requests that were under way together and are refused together count as one refusal in a row.
  /// - Returns: until when the credential is silent in this bucket.
  func refused(
    _ credential: String, _ bucket: Bucket = .core, wait: RateLimit.Wait, isPrimary: Bool = false, now: Date
  ) -> Date {
    state.withLock { state in
      let earlier = state.silences[Key(credential: credential, bucket: bucket)]
      let refusals =
        if let earlier, earlier.until > now { earlier.refusalsInARow } else { min((earlier?.refusalsInARow ?? 0) + 1, 6) }
      let until =
        switch wait {
        case .until(let date): date
        case .unnamed: now + 60 * Double(1 << (refusals - 1))
        }
      var latest = until
      for silenced in bucket.silenced(isPrimary: isPrimary) {
        let key = Key(credential: credential, bucket: silenced)
        let end = max(until, state.silences[key]?.until ?? until)
        state.silences[key] = Silence(until: end, refusalsInARow: refusals)
        if silenced == bucket { latest = end }
      }
      return latest
    }
  }

  /// An answer came: a later refusal starts from one minute again. An announced silence stays.
  func answered(_ credential: String, _ bucket: Bucket = .core, headers: HTTPHeaders = [:], now: Date) {
    state.withLock { state in
      let key = Key(credential: credential, bucket: bucket)
      if let silence = state.silences[key], silence.until <= now { state.silences[key] = nil }
      func number(_ name: String) -> Double? { headers.first(name: name).flatMap { Double($0) }.flatMap { $0.isFinite ? $0 : nil } }
      guard let remaining = number("x-ratelimit-remaining"), let limit = number("x-ratelimit-limit"),
        let reset = number("x-ratelimit-reset")
      else { return }
      state.allowances[Self.primary(credential, bucket)] = Allowance(
        remaining: Int(min(max(remaining, 0), 1e9)), limit: Int(min(max(limit, 0), 1e9)), reset: Date(timeIntervalSince1970: reset))
    }
  }

  private static func primary(_ credential: String, _ bucket: Bucket) -> Key {
    Key(credential: credential, bucket: bucket == .content ? .core : bucket)
  }
}
