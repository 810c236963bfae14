internal import Domain
package import Foundation
package import JSON

/// A running plugin, as it is given to the adapter of its kind.
package struct RunningPlugin: Sendable {
  package var manifest: PluginManifest
  /// What was granted; at least what the manifest asks for.
  package var abilities: Set<PluginAbility>
  /// Stays the same over restarts and upgrades: a call to it goes to the process that runs now, and fails with `notRunning` where none does.
  package var connection: any PluginConnection
  /// Valid under the manifest's schema, with secrets filled in.
  package var configuration: JSONValue
  /// What was started; of a kind without a process of the host's (`garm-provider`), what the adapter is to start for each call. nil in tests.
  package var program: PluginProgram?

  package init(
    manifest: PluginManifest, abilities: Set<PluginAbility>, connection: any PluginConnection, configuration: JSONValue = .object([:]),
    program: PluginProgram? = nil
  ) {
    self.manifest = manifest
    self.abilities = abilities
    self.connection = connection
    self.configuration = configuration
    self.program = program
  }
}

/// What RunnerHub makes of the plugins of one kind: an engine, a source, a notifier. One adapter a kind; the host tells it which plugins there are.
///
/// Its calls come one at a time for each plugin, in order, and the host waits for each of them: they must be short, and make no call to the plugin
/// that may last. What goes on for long is a service of the adapter's own.
package protocol PluginAdapter: Sendable {
  var kind: PluginKind { get }

  /// Answers the requests of this plugin and hears its notifications. Asked once for each process before it is started, so that nothing it says is missed.
  func service(for plugin: PluginManifest) -> any PluginService

  /// It runs, for the first time or again: after a restart, an upgrade, or a change of its configuration.
  func started(_ plugin: RunningPlugin) async

  /// It does not run for now. `started` follows when it does again. Not called for an upgrade, which leaves no gap.
  func interrupted(_ name: String, reason: String) async

  /// It is gone: disabled, removed from the configuration, or RunnerHub ends. After `interrupted` or not.
  func removed(_ name: String) async
}

/// Refuses whatever a plugin asks: kinds whose plugins have nothing to ask for.
package struct NoPluginRequests: PluginService {
  package init() {}

  package func answer(_ method: String, parameters: Data, from plugin: String) async throws(PluginError) -> Data {
    throw .refused(.methodNotFound, "the host knows no \(PrintableText.line(String(method.prefix(100)))) of this kind of plugin")
  }
}
