import Foundation

/// How much a caller may ask, with GitHub's numbers as a start
/// (<https://docs.github.com/rest/using-the-rest-api/rate-limits-for-the-rest-api>).
package struct RateLimits: Sendable, Equatable {
  /// So many in so many seconds.
  package struct Window: Sendable, Equatable {
    package var limit: Int
    package var seconds: Double

    package init(_ limit: Int, per seconds: Double) {
      self.limit = limit
      self.seconds = seconds
    }
  }

  /// Primary limit of everything that has no bucket of its own; a fixed window.
  package var core: Window
  /// Primary limit of the bucket `actions_runner_registration`.
  package var registration: Window
  /// Secondary limits of what makes content: check runs and statuses. Sliding windows.
  package var content: [Window]
  /// Secondary limits of `generate-jitconfig`: 5 points a call of 900 a minute and endpoint.
  package var registrations: [Window]

  package init(
    core: Window = Window(5000, per: 3600), registration: Window = Window(10_000, per: 3600),
    content: [Window] = [Window(80, per: 60), Window(500, per: 3600)], registrations: [Window] = [Window(180, per: 60)]
  ) {
    self.core = core
    self.registration = registration
    self.content = content
    self.registrations = registrations
  }

  package static let gitHub = RateLimits()
}

/// Counts requests of each caller against the limits. Pure.
struct RateMeter: Sendable {
  /// The buckets of `x-ratelimit-resource` that the emulator knows.
  enum Resource: String, Sendable { case core, registration = "actions_runner_registration" }

  /// What a request is counted as.
  struct Charge: Sendable, Hashable {
    let resource: Resource
    /// Whether a secondary limit looks at it: content for `core`, registrations for their own bucket.
    let hasSecondary: Bool

    init(method: String, path: String) {
      resource = path.hasSuffix("/generate-jitconfig") ? .registration : .core
      let isContent = ["POST", "PATCH"].contains(method) && (path.contains("/check-runs") || path.contains("/statuses/"))
      hasSecondary = isContent || resource == .registration
    }
  }

  struct Standing: Sendable, Equatable {
    var limit: Int
    var used: Int
    /// Seconds since 1970, as GitHub writes it.
    var reset: Int64
    var remaining: Int { max(0, limit - used) }
  }

  private struct Account: Sendable {
    var windowEnds: Date
    var used = 0
    /// Times of what the secondary limits count, rising.
    var recent: [Date] = []
  }
  private struct Key: Hashable {
    let caller: Caller
    let resource: Resource
  }

  let limits: RateLimits
  /// Else GitHub's numbers are shown as if one request had been spent, and none is refused: a test may ask more than an hour's share.
  let isEnforced: Bool
  private var accounts: [Key: Account] = [:]

  init(_ limits: RateLimits?) {
    self.limits = limits ?? .gitHub
    isEnforced = limits != nil
  }

  /// Counts a request.
  /// - Throws: 403 in GitHub's words, with what tells how long to wait. A refused request is not counted.
  mutating func spend(_ charge: Charge, by caller: Caller, at now: Date) throws(Refusal) {
    let key = Key(caller: caller, resource: charge.resource)
    var account = account(key, at: now)
    if isEnforced, account.used >= window(charge.resource).limit {
      throw Refusal(
        403, "API rate limit exceeded for user ID 1. If you reach out to GitHub Support for help, please include the request ID.")
    }
    if charge.hasSecondary {
      let windows = charge.resource == .core ? limits.content : limits.registrations
      let longest = windows.map(\.seconds).max() ?? 0
      account.recent.removeAll { $0 <= now - longest }
      if isEnforced, let wait = Self.wait(windows, after: account.recent, at: now) {
        throw Refusal(
          403,
          "You have exceeded a secondary rate limit and have been temporarily blocked from content creation. Please retry your request again later.",
          retryAfter: Int(wait.rounded(.up)))
      }
      account.recent.append(now)
    }
    account.used += 1
    accounts[key] = account
  }

  /// An answer 304 costs nothing.
  mutating func refund(_ charge: Charge, by caller: Caller, at now: Date) {
    let key = Key(caller: caller, resource: charge.resource)
    var account = account(key, at: now)
    account.used = max(0, account.used - 1)
    accounts[key] = account
  }

  func standing(_ resource: Resource, of caller: Caller, at now: Date) -> Standing {
    let account = account(Key(caller: caller, resource: resource), at: now)
    return Standing(
      limit: window(resource).limit, used: isEnforced ? account.used : 1,
      reset: Int64(account.windowEnds.timeIntervalSince1970.rounded(.up)))
  }

  /// Seconds until the fullest window has room; nil: there is room.
  private static func wait(_ windows: [RateLimits.Window], after times: [Date], at now: Date) -> Double? {
    windows.compactMap { window -> Double? in
      let inside = times.filter { $0 > now - window.seconds }
      guard inside.count >= window.limit else { return nil }
      let leaves = window.limit > 0 ? inside[inside.count - window.limit] : now
      return leaves.addingTimeInterval(window.seconds).timeIntervalSince(now)
    }.max()
  }

  private func account(_ key: Key, at now: Date) -> Account {
    if let known = accounts[key] {
      if known.windowEnds > now { return known }
      return Account(windowEnds: now + window(key.resource).seconds, recent: known.recent)
    }
    return Account(windowEnds: now + window(key.resource).seconds)
  }

  private func window(_ resource: Resource) -> RateLimits.Window { resource == .core ? limits.core : limits.registration }
}
