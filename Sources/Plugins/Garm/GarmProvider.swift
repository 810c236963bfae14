internal import Domain
package import Foundation
internal import JSON

/// An unmodified provider: each call a process, each outcome a value or a `GarmFailure`.
package struct GarmProvider: Sendable {
  private let execution: any ProviderExecution
  private let settings: GarmSettings
  private let controllerID: String
  private let configFile: String
  private let hostEnvironment: [String: String]
  private let versions = Versions()

  /// What the provider speaks, once it was asked.
  private actor Versions {
    private(set) var known: GarmInterfaceVersion?
    func note(_ version: GarmInterfaceVersion) { known = version }
  }

  /// - Parameters:
  ///   - controllerID: UUID of this installation, with which the provider tags what it makes.
  ///   - configFile: an absolute path of a file that exists.
  ///   - hostEnvironment: of this process.
  package init(
    execution: any ProviderExecution, settings: GarmSettings, controllerID: String, configFile: String,
    hostEnvironment: [String: String] = ProcessInfo.processInfo.environment
  ) {
    self.execution = execution
    self.settings = settings
    self.controllerID = controllerID
    self.configFile = configFile
    self.hostEnvironment = hostEnvironment
  }

  /// Makes a machine. Idempotent by its name, or `duplicate`.
  /// - Parameter limit: beyond the settings' own for bootstrapping, which holds in any case.
  package func create(
    _ instance: BootstrapInstance, in pool: GarmPool, limit: Duration? = nil, isUnwanted: @escaping @Sendable () -> Bool = { false }
  ) async throws(GarmFailure) -> ProviderInstance {
    let input: Data
    do {
      let encoder = JSONEncoder()
      encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
      input = try encoder.encode(instance)
    } catch {
      throw .malformed("the wish for a machine cannot be written as JSON: \(error)")
    }
    let made = try ProviderInstance(
      json: await call(
        .createInstance, pool: pool, input: input, limit: min(limit ?? settings.bootstrapTimeout, settings.bootstrapTimeout),
        isUnwanted: isUnwanted))
    guard made.name == instance.name else { throw .malformed("asked for \(instance.name), it speaks of \(PrintableText.line(made.name))") }
    return made
  }

  /// - Parameter id: the provider's own id, or the machine's name.
  package func get(_ id: String, in pool: GarmPool) async throws(GarmFailure) -> ProviderInstance {
    try ProviderInstance(json: await call(.getInstance, pool: pool, instance: id))
  }

  /// All machines that carry the pool's tag.
  package func list(_ pool: GarmPool) async throws(GarmFailure) -> [ProviderInstance] {
    try ProviderInstance.list(json: await call(.listInstances, pool: pool))
  }

  /// Also halves of a machine. Absent is success.
  package func delete(_ id: String, in pool: GarmPool) async throws(GarmFailure) {
    do throws(GarmFailure) {
      _ = try await call(.deleteInstance, pool: pool, instance: id)
    } catch .notFound {
      return
    }
  }

  package func start(_ id: String, in pool: GarmPool) async throws(GarmFailure) {
    _ = try await call(.startInstance, pool: pool, instance: id)
  }

  package func stop(_ id: String, in pool: GarmPool) async throws(GarmFailure) {
    _ = try await call(.stopInstance, pool: pool, instance: id)
  }

  /// Plain text, for people.
  package func version() async throws(GarmFailure) -> String {
    PrintableText.line(String(decoding: try await call(.getVersion).prefix(200), as: UTF8.self))
  }

  /// The version that is spoken with it: the operator's word, or the newest that the provider names. GARM itself never asks.
  package func interfaceVersion() async -> GarmInterfaceVersion {
    if let given = settings.interfaceVersion { return given }
    if let known = await versions.known { return known }
    let outcome = await execute(.getSupportedInterfaceVersions, version: .v011)
    let answer = try? JSONDecoder().decode([String].self, from: outcome.output)
    let version: GarmInterfaceVersion = outcome.end == .exited(0) && answer?.contains("v0.1.1") == true ? .v011 : .v010
    // What did not run at all said nothing of its versions.
    if case .exited = outcome.end { await versions.note(version) }
    return version
  }

  /// Calls with any words, for the conformance suite.
  package func raw(_ environment: [String: String], input: Data = Data(), limit: Duration) async -> ProviderOutcome {
    await execution.run(environment: environment, input: input, limit: limit) { false }
  }

  /// The environment of a call as this provider gets it.
  package func environment(_ command: GarmCommand, pool: GarmPool?, instance: String? = nil, version: GarmInterfaceVersion)
    -> [String: String]
  {
    GarmCall(
      command, version: version, controllerID: controllerID, configFile: configFile, poolID: pool?.id, instanceID: instance,
      extraSpecs: pool?.extraSpecs ?? .null
    ).environment(host: hostEnvironment, prefixes: settings.environment)
  }

  // MARK: - Parts

  private func call(
    _ command: GarmCommand, pool: GarmPool? = nil, instance: String? = nil, input: Data = Data(), limit: Duration? = nil,
    isUnwanted: @escaping @Sendable () -> Bool = { false }
  ) async throws(GarmFailure) -> Data {
    let outcome = await execute(
      command, version: await interfaceVersion(), pool: pool, instance: instance, input: input, limit: limit, isUnwanted: isUnwanted)
    return try Self.output(of: outcome, command)
  }

  private func execute(
    _ command: GarmCommand, version: GarmInterfaceVersion, pool: GarmPool? = nil, instance: String? = nil, input: Data = Data(),
    limit: Duration? = nil, isUnwanted: @escaping @Sendable () -> Bool = { false }
  ) async -> ProviderOutcome {
    await execution.run(
      environment: environment(command, pool: pool, instance: instance, version: version), input: input,
      limit: limit ?? settings.callTimeout, isUnwanted: isUnwanted)
  }

  /// Standard output of a success. Of a failure it is not read: a fault in JSON counts only together with status 0.
  private static func output(of outcome: ProviderOutcome, _ command: GarmCommand) throws(GarmFailure) -> Data {
    let said = outcome.errors.isEmpty ? "" : ": \(outcome.errors.suffix(1000))"
    switch outcome.end {
    case .exited(0):
      if outcome.isOutputCut { throw .malformed("\(command.rawValue) wrote more than \(outcome.output.count >> 20) MiB") }
      return outcome.output
    case .exited(30): throw .notFound("\(command.rawValue)\(said)")
    case .exited(31): throw .duplicate("\(command.rawValue)\(said)")
    case .exited(let status): throw .failed("\(command.rawValue) ended with \(status)\(said)")
    case .signalled(let number): throw .failed("\(command.rawValue) was ended by signal \(number)\(said)")
    case .overdue: throw .ended("\(command.rawValue) took longer than it may\(said)")
    case .unwanted: throw .ended("\(command.rawValue) was not wanted any more")
    case .notStarted(let why): throw .unstartable(why)
    }
  }
}
