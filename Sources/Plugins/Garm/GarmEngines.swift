package import Domain
package import Foundation
package import Logging
package import RunnerHub
internal import Synchronization

/// The engines that GARM providers are: one for each pool's engine that is one, whether the plugin is enabled or not, and the desk of their machines.
package struct GarmEngines: PluginAdapter, MachineDesk {
  package let kind = PluginKind.garmProvider
  /// By name.
  package let engines: [String: GarmEngineSlot]

  /// - Parameters:
  ///   - surroundings: by name of the engine.
  ///   - directory: where machines are written down, a folder for each engine below it.
  package init(_ surroundings: [String: GarmSurroundings], directory: URL, logger: Logger) {
    engines = Dictionary(
      surroundings.map { name, surroundings in
        let folder = directory.appending(path: name).path(percentEncoded: false)
        return (name, GarmEngineSlot(name: name, surroundings: surroundings, directory: folder, logger: logger))
      }, uniquingKeysWith: { first, _ in first })
  }

  package func service(for plugin: PluginManifest) -> any PluginService { NoPluginRequests() }
  package func started(_ plugin: RunningPlugin) async { engines[plugin.manifest.name]?.started(plugin) }
  /// There is no process that could be interrupted between two calls.
  package func interrupted(_ name: String, reason: String) async {}
  package func removed(_ name: String) async { engines[name]?.stop("it is not enabled") }

  package func answer(_ request: MachineRequest) async -> MachineAnswer {
    await GarmDesk(engines: engines.values.compactMap(\.current)).answer(request)
  }
}

/// A GARM engine that may not be there: its calls are `unavailable` until its provider is enabled and well configured.
package final class GarmEngineSlot: ContainerEngine {
  private struct State {
    var engine: GarmEngine?
    /// Why it is not to be used now.
    var reason: String? = "its plugin is not enabled"
  }

  package let name: String
  private let surroundings: GarmSurroundings
  private let directory: String
  private let logger: Logger
  private let state = Mutex(State())
  private let news = WakeUp()

  init(name: String, surroundings: GarmSurroundings, directory: String, logger: Logger) {
    self.name = name
    self.surroundings = surroundings
    self.directory = directory
    self.logger = logger
  }

  /// Also while it is not to be used: machines that run a job tell of its end.
  var current: GarmEngine? { state.withLock { $0.engine } }

  func started(_ plugin: RunningPlugin) {
    guard var program = plugin.program else { return stop("the host gave it no program") }
    do {
      let settings = try GarmSettings(plugin.configuration)
      program.leavesChildren = settings.hasLocalMachines
      let execution = ProviderProcess(program)
      try state.withLock { state in
        state.engine = try GarmEngine(
          name: name, settings: settings, surroundings: surroundings, execution: execution, directory: directory,
          after: state.engine, logger: logger)
        state.reason = nil
      }
    } catch {
      stop("\(error)")
    }
    news.notify()
  }

  func stop(_ reason: String) {
    state.withLock { $0.reason = reason }
    logger.warning("an engine is not to be used", metadata: ["engine": "\(name)", "reason": "\(reason)"])
  }

  private var engine: GarmEngine {
    get throws(EngineError) {
      let state = state.withLock { $0 }
      if let engine = state.engine, state.reason == nil { return engine }
      throw .unavailable("\(name): \(state.reason ?? "it is not there"); see runnerhub plugin list")
    }
  }

  package func home(of spec: ContainerSpec) async throws(EngineError) -> String { try engine.home(of: spec) }
  package func capacity() async throws(EngineError) -> HostCapacity { try engine.capacity() }
  package func create(_ spec: ContainerSpec) async throws(EngineError) { try await engine.create(spec) }
  package func start(_ id: ContainerID) async throws(EngineError) { try await engine.start(id) }
  package func put(_ files: [RunnerFile], into id: ContainerID) async throws(EngineError) { try await engine.put(files, into: id) }
  package func list() async throws(EngineError) -> [ContainerObservation] { try await engine.list() }
  package func inspect(_ id: ContainerID) async throws(EngineError) -> ContainerObservation? { try await engine.inspect(id) }
  package func log(of id: ContainerID, use: Int, from offset: Int64) async throws(EngineError) -> Data {
    try await engine.log(of: id, use: use, from: offset)
  }
  package func update(_ id: ContainerID, to resources: Resources) async throws(EngineError) { try await engine.update(id, to: resources) }
  package func recycle(_ id: ContainerID) async throws(EngineError) { try await engine.recycle(id) }
  package func remove(_ id: ContainerID) async throws(EngineError) { try await engine.remove(id) }

  package func watch(_ look: @Sendable () async -> Void) async throws(EngineError) {
    while current == nil && !Task.isCancelled { await news.wait() }
    // Its book is the same under every later configuration.
    if let current { try await current.watch(look) }
  }
}
