import Domain
import Engines
import Foundation
import Logging
import Plugins
import RunnerHub

/// The engines of pools that are plugins: each stands for as long as RunnerHub runs, whether its plugin does or not.
struct EnginePlugins {
  private let plain: PluginEngines
  private let garm: GarmEngines

  /// - Parameter installation: the name by which this installation knows its containers.
  /// - Throws: `ConfigurationError` with all pools that cannot run.
  init(_ configuration: Configuration, installation: String, logger: Logger) throws {
    let settings = configuration.settings
    try self.init(
      pools: settings.pools, folder: configuration.pluginsFolder, installation: installation, baseURL: settings.baseURL,
      repositoryURL: Self.repositoryURL(settings.scope, apiURL: configuration.apiURL),
      directory: configuration.dataDirectory.appending(path: "machines", directoryHint: .isDirectory), logger: logger)
  }

  /// - Parameters:
  ///   - pools: those that name neither `process` nor `docker` as their engine are looked at.
  ///   - folder: of plugins, whose manifests say of what kind an engine is.
  ///   - baseURL: under which machines reach RunnerHub.
  init(
    pools: [Pool], folder: URL, installation: String, baseURL: String?, repositoryURL: String, directory: URL, logger: Logger
  ) throws {
    var names: [String] = []
    var surroundings: [String: GarmSurroundings] = [:]
    var problems: [String] = []
    for (name, pools) in Dictionary(grouping: pools.filter { !["process", "docker"].contains($0.engine) }, by: \.engine) {
      let manifest: PluginManifest
      do {
        manifest = try PluginManifest.read(folder: folder.appending(path: name, directoryHint: .isDirectory))
      } catch {
        problems.append("pools.\(pools[0].name).engine is \(name), whose manifest cannot be read: \(error)")
        continue
      }
      switch manifest.kind {
      case .engine: names.append(name)
      case .garmProvider:
        problems += Self.problems(ofMachines: pools, engine: name, baseURL: baseURL)
        surroundings[name] = GarmSurroundings(
          installation: installation, baseURL: baseURL ?? "", repositoryURL: repositoryURL, firstProcess: FirstProcess.script, pools: pools)
      case .notifier, .observer, .secrets, .source:
        problems.append(
          "pools.\(pools[0].name).engine is \(name), a plugin of kind \(manifest.kind.rawValue): expected engine or garm-provider")
      }
    }
    guard problems.isEmpty else { throw ConfigurationError(problems: problems.sorted()) }
    plain = PluginEngines(names: names, firstProcess: FirstProcess.script)
    garm = GarmEngines(surroundings, directory: directory, logger: logger)
  }

  var engines: [any ContainerEngine] {
    plain.engines.values.map { $0 as any ContainerEngine } + garm.engines.values.map { $0 as any ContainerEngine }
  }
  var adapters: [any PluginAdapter] { [plain, garm] }
  /// nil where no pool has machines.
  var machines: (any MachineDesk)? { garm.engines.isEmpty ? nil : garm }
  /// Containers that they make at once: a machine takes minutes to come up, and would hold the places of all starts.
  var starts: [String: Int] { garm.engines.mapValues { _ in 8 } }

  /// The organisation's address, or the forge's.
  static func repositoryURL(_ scope: Settings.Scope, apiURL: String) -> String {
    var forge = apiURL.replacing("https://api.github.com", with: "https://github.com")
    for ending in ["/", "/api/v3"] where forge.hasSuffix(ending) { forge.removeLast(ending.count) }
    if case .organization(let name) = scope { return "\(forge)/\(name)" }
    return forge
  }

  private static func problems(ofMachines pools: [Pool], engine: String, baseURL: String?) -> [String] {
    var problems = pools.filter(\.reuse.isAllowed).map {
      "pools.\($0.name).reuse is \($0.reuse.maximumUses): a machine of \(engine) serves one job; leave it out"
    }
    if baseURL == nil {
      problems.append(
        "webhooks.base-url is not set (WEBHOOK_BASE_URL): machines of \(engine), the engine of pools.\(pools[0].name), must know where RunnerHub is"
      )
    }
    return problems
  }
}
