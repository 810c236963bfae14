package import Foundation
package import JSON
package import Logging
package import RunnerHub

/// How often and how long things are done with each plugin. Tests make it fast.
package struct PluginPace: Sendable {
  /// For the answer to `initialize`.
  package var greeting: Duration = .seconds(10)
  /// Seconds between two questions for its health.
  package var health: TimeInterval = 10
  package var healthLimit: Duration = .seconds(10)
  /// Questions in a row without a good answer, after which it is started anew.
  package var badChecks = 3
  /// For the answer to `shutdown`, by which it has finished what is under way.
  package var shutdown: Duration = .seconds(30)
  /// To end by itself once its standard input is closed, and once it was sent SIGTERM.
  package var grace: Duration = .seconds(5)
  package var termination: Duration = .seconds(1)
  /// Seconds between two looks at its files, and for which they may not change before they are taken.
  package var look: TimeInterval = 2
  /// Between two looks while the kernel tells of changes.
  package var backstop: TimeInterval = 30
  package var stillness: Duration = .milliseconds(100)
  /// Seconds between two looks at what all of its processes and its directory take.
  package var weigh: TimeInterval = 5
  /// Seconds between two processes that are started for new secrets: a secret may be another one at each read.
  package var renewal: TimeInterval = 60
  package var restart = RestartPolicy()
  package var connection = ConnectionSettings()

  package init() {}
}

/// What all plugins of a host share.
package struct PluginSurroundings: Sendable {
  /// Fills secrets in. The second is the key that stands before it in messages: `plugins.slack.configuration`.
  package typealias Settle = @Sendable (JSONValue, String) async throws -> JSONValue

  package var directories: PluginDirectories
  /// Of the host; a plugin is given what it is granted.
  package var environment: [String: String]
  package var adapters: [PluginKind: any PluginAdapter]
  package var settle: Settle
  /// Told of each change of state. Must not wait.
  package var publish: @Sendable (HubEvent) -> Void
  package var hostVersion: String
  package var pace: PluginPace
  package var logger: Logger

  package init(
    directories: PluginDirectories, environment: [String: String], adapters: [any PluginAdapter] = [],
    settle: @escaping Settle = { configuration, _ in configuration }, publish: @escaping @Sendable (HubEvent) -> Void = { _ in },
    hostVersion: String, pace: PluginPace = PluginPace(), logger: Logger
  ) {
    self.directories = directories
    self.environment = environment
    self.adapters = Dictionary(adapters.map { ($0.kind, $0) }, uniquingKeysWith: { first, _ in first })
    self.settle = settle
    self.publish = publish
    self.hostVersion = hostVersion
    self.pace = pace
    self.logger = logger
  }
}
