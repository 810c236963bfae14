internal import Domain
internal import Foundation
internal import JSON
internal import Logging
internal import RunnerHub

/// A process that has greeted.
struct LivePlugin {
  var checked: CheckedPlugin
  /// With its secrets filled in, as it was greeted with.
  var configuration: JSONValue
  var directory: URL
  /// nil: a kind without a process of the host's.
  var process: ProcessConnection?
  var listener: ProcessListener
}

/// How the processes of one plugin begin and end.
struct PluginLauncher: Sendable {
  let name: String
  let folder: URL
  let connection: SteadyConnection
  let log: PluginLog
  let wake: WakeUp
  let surroundings: PluginSurroundings

  /// Its configuration with secrets filled in.
  func settle(_ plan: PluginPlan) async throws -> JSONValue {
    try await surroundings.settle(plan.configuration, "plugins.\(name).configuration")
  }

  /// Starts a process and greets it.
  /// - Throws: why there is none; whatever was started has ended then.
  func launch(_ checked: CheckedPlugin) async throws -> (LivePlugin, RunningPlugin) {
    let manifest = checked.manifest
    let configuration = try await settle(checked.plan)
    let (directory, user) = try surroundings.directories.prepare(name)
    let holdings = PluginHoldings(name: name, directory: directory, bounds: checked.plan.bounds, kind: manifest.kind)
    if let excess = await holdings.excess(keeper: nil) { throw PluginError.notRunning(excess) }
    var environment: [String: String] = [:]
    for case .environment(let variable) in manifest.abilities { environment[variable] = surroundings.environment[variable] }
    let program = PluginProgram(
      command: checked.command, folder: folder, directory: directory, user: user, abilities: manifest.abilities, environment: environment,
      bounds: checked.plan.bounds, leavesChildren: manifest.kind == .engine)
    let listener = ProcessListener(log: log, wake: wake)
    let plugin = RunningPlugin(
      manifest: manifest, abilities: manifest.abilities, connection: connection, configuration: configuration, program: program)
    var live = LivePlugin(checked: checked, configuration: configuration, directory: directory, process: nil, listener: listener)
    guard manifest.kind != .garmProvider else { return (live, plugin) }
    let process = ProcessConnection(
      name: name, concurrency: manifest.concurrency,
      service: surroundings.adapters[manifest.kind]?.service(for: manifest) ?? NoPluginRequests(), settings: surroundings.pace.connection,
      listener: listener)
    let place = try await process.start(program)
    do {
      try await greet(process, manifest, configuration, directory: place)
    } catch {
      process.end("it did not greet: \(error)")
      await process.waitForEnd()
      throw error
    }
    live.process = process
    return (live, plugin)
  }

  private func greet(_ process: ProcessConnection, _ manifest: PluginManifest, _ configuration: JSONValue, directory: String) async throws {
    let parameters = InitializeParameters(
      protocolVersions: PluginProtocol.versions, host: .init(name: "RunnerHub", version: surroundings.hostVersion), name: name,
      kind: manifest.kind, configuration: configuration, directory: directory, abilities: manifest.abilities.texts)
    let result: InitializeResult = try await process.ask("initialize", parameters, limit: surroundings.pace.greeting)
    guard PluginProtocol.versions.contains(result.protocolVersion) else {
      throw PluginError.malformed(
        "it chose version \(PluginText.line(result.protocolVersion, limit: 40)) of the protocol, and was offered \(PluginProtocol.versions.joined(separator: ", "))"
      )
    }
    guard result.version == manifest.version else {
      throw PluginError.malformed(
        "it says that it is version \(PluginText.line(result.version, limit: 40)), and its manifest says \(manifest.version)")
    }
  }

  /// Lets a process finish, then insists.
  func shutDown(_ process: ProcessConnection) async {
    let pace = surroundings.pace
    do {
      let _: PluginNothing = try await process.ask("shutdown", PluginNothing(), limit: pace.shutdown)
    } catch {
      log.add("(asked to end: \(error))", level: .warning)
    }
    process.closeInput()
    if await process.waitForEnd(within: pace.grace) != nil { return }
    process.terminate()
    if await process.waitForEnd(within: pace.termination) != nil { return }
    process.end("it did not end when it was told to")
    await process.waitForEnd()
  }
}
