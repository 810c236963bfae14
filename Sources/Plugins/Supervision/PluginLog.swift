package import Foundation
package import Logging
internal import Synchronization

/// What a plugin wrote to its standard error, and what the host has to say of it: the last lines of it, and all of them in RunnerHub's log.
package final class PluginLog: Sendable {
  package struct Line: Hashable, Sendable, Codable {
    /// Rises by one with each line of this start of RunnerHub.
    package var id: Int64
    package var at: Date
    package var text: String
  }
  /// Lines that are kept.
  package static let limit = 1000

  private struct Ring {
    var lines: [Line] = []
    var last: Int64 = 0
  }
  private let ring = Mutex(Ring())
  private let logger: Logger

  package init(logger: Logger) { self.logger = logger }

  package func add(_ text: String, level: Logger.Level = .info) {
    ring.withLock { ring in
      ring.last += 1
      ring.lines.append(Line(id: ring.last, at: Date(), text: text))
      // Seldom, so that a line costs little.
      if ring.lines.count > Self.limit + 100 { ring.lines.removeFirst(ring.lines.count - Self.limit) }
    }
    logger.log(level: level, "\(text)")
  }

  /// Lines after one, oldest first; without it the last ones.
  package func lines(after id: Int64?, limit: Int) -> [Line] {
    ring.withLock { ring in
      guard let id else { return Array(ring.lines.suffix(limit)) }
      return Array(ring.lines.drop { $0.id <= id }.prefix(limit))
    }
  }
}
