internal import Foundation
package import Logging
package import RunnerHub
internal import Synchronization

/// What a plugin wrote to its standard error, and what the host has to say of it: the last lines of it, and all of them in RunnerHub's log.
package final class PluginLog: Sendable {
  /// Lines that are kept.
  package static let limit = 1000

  private struct Ring {
    var lines: [PluginLogLine] = []
    var last: Int64 = 0
  }
  private let ring = Mutex(Ring())
  private let logger: Logger

  package init(logger: Logger) { self.logger = logger }

  package func add(_ text: String, level: Logger.Level = .info) {
    ring.withLock { ring in
      ring.last += 1
      ring.lines.append(PluginLogLine(id: ring.last, at: Date(), text: text))
      // Seldom, so that a line costs little.
      if ring.lines.count > Self.limit + 100 { ring.lines.removeFirst(ring.lines.count - Self.limit) }
    }
    logger.log(level: level, "\(text)")
  }

  /// Lines after one, oldest first; without it the last ones.
  package func lines(after id: Int64?, limit: Int) -> [PluginLogLine] {
    ring.withLock { ring in
      guard let id else { return Array(ring.lines.suffix(limit)) }
      return Array(ring.lines.drop { $0.id <= id }.prefix(limit))
    }
  }
}
