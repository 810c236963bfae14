internal import Domain
internal import Foundation

/// Tries an unmodified provider against the contract that RunnerHub relies on, with real machines: for `runnerhub plugin test`.
///
/// Every machine that it makes is deleted again, however the checks end; what may still be there is named in a finding of its own.
package struct GarmConformance: Sendable {
  package enum Outcome: Hashable, Sendable {
    case kept
    case broken(String)
    case skipped(String)
  }

  package struct Finding: Hashable, Sendable {
    package var sentence: String
    package var outcome: Outcome
    /// That it took.
    package var seconds: Double
  }

  private let provider: GarmProvider
  private let settings: GarmSettings
  private let pool: GarmPool
  private let otherPool: GarmPool
  private let name: String
  private let patience: Duration
  private let killAfter: Duration

  /// - Parameters:
  ///   - pool: whose machines are made: image and flavor must be ones that the provider has.
  ///   - patience: for what a cloud takes its time: a machine that is deleted and still shown.
  ///   - killAfter: from the start of a creation to its violent end.
  package init(
    provider: GarmProvider, settings: GarmSettings, pool: GarmPool, patience: Duration = .seconds(180), killAfter: Duration = .seconds(2)
  ) {
    self.provider = provider
    self.settings = settings
    self.pool = pool
    var other = pool
    other.name = "other"
    other.id = GarmIdentity.uuid(of: "conformance", pool.id)
    otherPool = other
    name = "rh-conformance-\(RandomIdentitySource().token(digits: 8))"
    self.patience = patience
    self.killAfter = killAfter
  }

  /// - Parameter report: told each finding as soon as it is there.
  package func run(_ report: @Sendable (Finding) -> Void = { _ in }) async -> [Finding] {
    var findings: [Finding] = []
    var blocked: String?
    for (sentence, needsMachine, check) in checks {
      let start = ContinuousClock.now
      var outcome = Outcome.kept
      if needsMachine, let blocked {
        outcome = .skipped("there is no machine: \(blocked)")
      } else {
        do {
          try await check()
        } catch {
          outcome = .broken("\(error)")
          if sentence == Self.creation { blocked = "\(error)" }
        }
      }
      findings.append(Finding(sentence: sentence, outcome: outcome, seconds: (ContinuousClock.now - start) / .seconds(1)))
      report(findings[findings.count - 1])
    }
    let start = ContinuousClock.now
    let remains = await deleteAll()
    if !remains.isEmpty {
      let why = "there may still be, to be deleted by hand: \(remains.joined(separator: "; "))"
      findings.append(Finding(sentence: Self.end, outcome: .broken(why), seconds: (ContinuousClock.now - start) / .seconds(1)))
      report(findings[findings.count - 1])
    }
    return findings
  }

  private static let creation = "a creation answers with an id, its own name and a status"
  private static let end = "nothing of the trial is left"

  private struct Broken: Error, CustomStringConvertible { var description: String }

  private typealias Check = (sentence: String, needsMachine: Bool, check: @Sendable () async throws -> Void)

  private var checks: [Check] {
    [
      ("it says its version", false, { _ = try await provider.version() }),
      (
        "it refuses an unknown command, with a reason", false,
        { try await refuses(["GARM_COMMAND": "MakeCoffee"], "an unknown command") }
      ),
      ("it refuses to work without a controller", false, { try await refuses(["GARM_CONTROLLER_ID": ""], "no controller") }),
      ("it lists no machine of a pool that has none", false, { try await expectAbsence() }),
      (
        Self.creation, false,
        {
          let made = try await provider.create(wish(name), in: pool)
          guard made.status != .error else { throw Broken(description: "it came up with an error: \(made.fault ?? "without a reason")") }
        }
      ),
      ("a second creation of the same name makes no second machine", true, { try await createsOnce() }),
      ("a machine is found by its id and by its name", true, { try await findsBoth() }),
      ("a list shows the pool's machines, and those of no other pool", true, { try await lists() }),
      ("a deletion works, and once more", true, { for _ in 0..<2 { try await provider.delete(name, in: pool) } }),
      ("a deleted machine is not found, with exit status 30", true, { try await expectGone(name) }),
      ("what a killed creation has left is deleted by its name", true, { try await cleansUp() }),
    ]
  }

  // MARK: - Checks

  private func refuses(_ change: [String: String], _ what: String) async throws {
    var environment = provider.environment(.getVersion, pool: pool, version: await provider.interfaceVersion())
    for (name, value) in change { environment[name] = value.isEmpty ? nil : value }
    let outcome = await provider.raw(environment, limit: settings.callTimeout)
    guard case .exited(let status) = outcome.end, status != 0 else { throw Broken(description: "\(what): \(outcome.end)") }
    guard !outcome.errors.isEmpty else { throw Broken(description: "\(what): it says nothing on standard error") }
  }

  private func expectAbsence() async throws {
    let all = try await provider.list(otherPool)
    guard all.isEmpty else { throw Broken(description: "a pool that was never used has \(all.count) machines") }
  }

  private func createsOnce() async throws {
    let first = try await provider.get(name, in: pool)
    switch await outcome({ () async throws(GarmFailure) in try await provider.create(wish(name), in: pool) }) {
    case .success(let second) where second.id != first.id: throw Broken(description: "it made \(second.id) beside \(first.id)")
    case .success, .failure(.duplicate): break
    case .failure(let other): throw other
    }
    let count = try await provider.list(pool).filter { $0.name == name }.count
    guard count == 1 else { throw Broken(description: "\(count) machines of the name are listed") }
  }

  private func findsBoth() async throws {
    let byName = try await provider.get(name, in: pool)
    let byID = try await provider.get(byName.id, in: pool)
    guard byID.id == byName.id, byID.name == name else { throw Broken(description: "\(byName.id) by name, \(byID.id) by id") }
  }

  private func lists() async throws {
    guard try await provider.list(pool).contains(where: { $0.name == name }) else {
      throw Broken(description: "the machine is not in the list of its pool")
    }
    guard try await !provider.list(otherPool).contains(where: { $0.name == name }) else {
      throw Broken(description: "the machine is in the list of another pool: it would be taken for a leak there")
    }
  }

  private func expectGone(_ name: String) async throws {
    let deadline = ContinuousClock.now + patience
    while true {
      switch await outcome({ () async throws(GarmFailure) in try await provider.get(name, in: pool) }) {
      case .failure(.notFound): return
      case .failure(let other): throw other
      case .success: break
      }
      guard ContinuousClock.now < deadline else { throw Broken(description: "it is still found \(patience) after its deletion") }
      try await Task.sleep(for: .seconds(1))
    }
  }

  private var half: String { "\(name)-half" }

  /// Deletes all that the trial can have made: a creation that ends in an error, or at the limit, may have made a machine too.
  /// - Returns: what may still be there, each with why.
  private func deleteAll() async -> [String] {
    // A list may lag, and does not show halves: both names are always tried.
    var suspects = [name, half]
    var remains: [String] = []
    do {
      for machine in try await provider.list(pool) where machine.name.hasPrefix(name) && !suspects.contains(machine.id) {
        suspects.append(machine.id)
      }
    } catch {
      remains.append("machines whose name begins with \(name), as the pool's cannot be listed (\(error))")
    }
    for suspect in suspects {
      do {
        try await provider.delete(suspect, in: pool)
        try await expectGone(suspect)
      } catch {
        remains.append("\(suspect) (\(error))")
      }
    }
    return remains
  }

  private func cleansUp() async throws {
    let end: String
    switch await outcome({ () async throws(GarmFailure) in try await provider.create(wish(half), in: pool, limit: killAfter) }) {
    case .success: end = "the creation was done before it could be killed"
    case .failure(.ended): end = "killed after \(killAfter)"
    case .failure(let other): throw other
    }
    try await provider.delete(half, in: pool)
    try await expectGone(half)
    guard try await !provider.list(pool).contains(where: { $0.name == half }) else {
      throw Broken(description: "\(half) is still listed after its deletion (\(end))")
    }
  }

  private func outcome(
    _ call: () async throws(GarmFailure) -> ProviderInstance
  ) async -> Result<ProviderInstance, GarmFailure> {
    do throws(GarmFailure) {
      return .success(try await call())
    } catch {
      return .failure(error)
    }
  }

  /// A machine that finds nobody to call: it is not to run anything.
  private func wish(_ name: String) -> BootstrapInstance {
    BootstrapInstance(
      name: name, tools: [settings.tool(for: pool.architecture)], repositoryURL: "https://github.com/runnerhub-conformance",
      callbackURL: "http://127.0.0.1:9/api/v1/callbacks", metadataURL: "http://127.0.0.1:9/api/v1/metadata", token: "none",
      sshKeys: settings.sshKeys, extraSpecs: MachineScripts.extraSpecs(of: pool), architecture: pool.architecture, osType: "linux",
      flavor: pool.flavor, image: pool.image, poolID: pool.id)
  }
}
