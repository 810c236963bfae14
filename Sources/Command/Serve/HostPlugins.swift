import Foundation
import Logging
import Plugins
import RunnerHub

/// The plugins of one RunnerHub, and what it makes of those of each kind. Plugins come and go; these do not.
struct HostPlugins {
  let host: PluginHost
  let secrets: SecretKeeper
  let notifiers: NotifierAdapter
  let observers: ObserverAdapter

  /// - Parameter store: where wishes of operators are kept.
  init(
    configuration: Configuration, origin: PluginPlanFile.Origin, store: some ForgeMemory, feed: EventFeed, logger: Logger
  ) async throws(StoreError) {
    let plans = PluginPlanFile(configuration, origin: origin)
    let secrets = SecretKeeper(logger: logger)
    self.secrets = secrets
    notifiers = NotifierAdapter(configured: Self.names(of: .notifier, in: configuration))
    observers = ObserverAdapter(feed: feed, logger: logger)
    host = PluginHost(
      folder: configuration.pluginsFolder, configuration: origin.file.map { URL(filePath: $0) },
      held: try await PluginDesk.disabled(in: store), plans: { try plans.changed() },
      surroundings: PluginSurroundings(
        directories: PluginDirectories(root: configuration.dataDirectory.appending(path: "plugins", directoryHint: .isDirectory)),
        environment: origin.environment, adapters: [secrets],
        settle: { try await secrets.settled($0, key: $1) }, publish: { event in feed.publish { [event] } },
        hostVersion: RunnerHubCommand.version, logger: logger),
      awaitsAdapters: true)
    let host = host
    await secrets.follow { [weak host] reference in await host?.renew(usersOf: reference) }
  }

  /// Those that the configuration names, so that an alert is owed to a notifier although it has not started yet.
  private static func names(of kind: PluginKind, in configuration: Configuration) -> [String] {
    configuration.plugins.filter(\.isEnabled).map(\.name).filter { name in
      // What is wrong with a manifest is said when its plugin is to start.
      (try? PluginManifest.read(folder: configuration.pluginsFolder.appending(path: name, directoryHint: .isDirectory)))?.kind == kind
    }
  }

  /// Begins all plugins, once what their kinds need is there.
  func begin(_ others: [any PluginAdapter]) { host.adopt([notifiers, observers] + others) }

  /// Those that will not run again by themselves.
  var alerts: any AlertSource { PluginAlerts { [host] in host.statuses } }
}
