package import Foundation

/// The engines that plugins are: one for each pool's engine that is a plugin, whether it runs or not.
package struct PluginEngines: PluginAdapter {
  package let kind = PluginKind.engine
  /// By name.
  package let engines: [String: PluginEngine]

  /// - Parameters:
  ///   - names: that pools name as their engine.
  ///   - firstProcess: `init.sh`, PID 1 of runner environments.
  package init(names: some Sequence<String>, firstProcess: Data) {
    engines = Dictionary(
      names.map { ($0, PluginEngine(name: $0, firstProcess: firstProcess)) }, uniquingKeysWith: { first, _ in first })
  }

  package func service(for plugin: PluginManifest) -> any PluginService {
    // An engine that no pool names is kept running and is asked nothing.
    engines[plugin.name].map { EngineRequests(engine: $0) } ?? NoPluginRequests()
  }

  package func started(_ plugin: RunningPlugin) async { engines[plugin.manifest.name]?.connect(plugin.connection) }

  /// Its connection says so by itself.
  package func interrupted(_ name: String, reason: String) async { engines[name]?.changed() }

  package func removed(_ name: String) async { engines[name]?.connect(nil) }
}

/// What an engine asks the host, and tells it.
private struct EngineRequests: PluginService {
  let engine: PluginEngine

  func answer(_ method: String, parameters: Data, from plugin: String) async throws(PluginError) -> Data {
    switch method {
    case "engine/changed":
      engine.changed()
      return Data("{}".utf8)
    case "engine/init":
      do {
        return try engine.firstProcessMessage()
      } catch {
        throw .refused(.failed, "\(error)")
      }
    default: return try await NoPluginRequests().answer(method, parameters: parameters, from: plugin)
    }
  }
}
