import Foundation
package import Logging
package import RunnerHub

/// One plugin that looks on: it is told each batch until it takes it, and then the next.
package struct PluginObserver: Sendable {
  package let kinds: Set<HubEventKind>
  private let connection: any PluginConnection
  private let feed: EventFeed
  private let follower: EventFollower
  private let again = WakeUp()
  private let logger: Logger
  /// Events of one message: with their longest texts far below the 4 MiB of one.
  static let batch = 256
  /// Seconds between two messages where little happens: a call for each single event would cost both sides more than the events.
  private static let spacing = 0.05
  /// Seconds between two tries, doubling.
  private static let (firstPause, longestPause) = (0.5, 30.0)

  package init(connection: any PluginConnection, kinds: Set<HubEventKind>, feed: EventFeed, logger: Logger) {
    self.connection = connection
    self.kinds = kinds
    self.feed = feed
    self.logger = logger
    follower = feed.follow(kinds)
  }

  /// Tells until it leaves or the task is cancelled.
  package func run() async {
    var pause = Self.firstPause
    while let batch = await follower.next(limit: Self.batch) {
      do {
        let _: PluginNothing = try await connection.call(
          "observer/events", ObserverParameters(events: batch.events, missed: batch.missed))
        follower.told()
        pause = Self.firstPause
        if batch.events.count < Self.batch { await again.wait(until: Date(timeIntervalSinceNow: Self.spacing)) }
      } catch {
        if Task.isCancelled { return }
        if let wait = Self.wait(after: error, pause) {
          await again.wait(until: Date(timeIntervalSinceNow: wait))
          pause = min(pause * 2, Self.longestPause)
        } else {
          logger.error(
            "an observer refused events; they count as missed",
            metadata: ["plugin": "\(connection.name)", "events": "\(batch.events.count)", "why": "\(error)"])
          follower.skipped()
        }
      }
    }
  }

  /// It may work again: what waits is tried now.
  package func retry() { again.notify() }

  package func leave() {
    feed.leave(follower)
    again.notify()
  }

  /// Seconds until the batch is told again; nil: it never will be taken.
  static func wait(after error: PluginError, _ pause: Double) -> Double? {
    switch error {
    case .throttled(_, let after): max(pause, min(after.map { Double($0.components.seconds) } ?? 0, 600))
    case .refused(.unavailable, _), .refused(.cancelled, _), .notRunning, .timedOut, .malformed: pause
    case .refused: nil
    }
  }
}

/// `observer/events`
package struct ObserverParameters: Hashable, Sendable, Codable {
  package var events: [HubEvent]
  package var missed: Int
}
