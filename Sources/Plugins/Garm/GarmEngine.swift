package import Domain
package import Foundation
package import Logging
package import RunnerHub

/// Where a provider's machines stand in the installation.
package struct GarmSurroundings: Sendable {
  /// The name by which this installation knows its containers.
  package var installation: String
  /// `WEBHOOK_BASE_URL`: under which machines reach RunnerHub.
  package var baseURL: String
  /// Of the organisation or the forge, for the provider's own use.
  package var repositoryURL: String
  /// `init.sh`.
  package var firstProcess: Data
  /// Pools of this engine.
  package var pools: [Pool]
  /// The host's, of which the provider gets what the operator names.
  package var environment: [String: String] = ProcessInfo.processInfo.environment

  package init(installation: String, baseURL: String, repositoryURL: String, firstProcess: Data, pools: [Pool]) {
    self.installation = installation
    self.baseURL = baseURL
    self.repositoryURL = repositoryURL
    self.firstProcess = firstProcess
    self.pools = pools
  }
}

/// Machines of a cloud as containers, made by an unmodified GARM external provider.
///
/// A container is one machine and serves one job. The provider makes and deletes it; what happens inside comes from the machine itself, which
/// asks RunnerHub what to do (`GarmDesk`): it waits until `put` has left the files of a job for it, runs the runner, and sends its output and its end.
package struct GarmEngine: ContainerEngine {
  package let name: String
  let settings: GarmSettings
  let surroundings: GarmSurroundings
  let book: MachineBook
  let key: SymmetricKeyBytes
  let scripts: MachineScripts
  private let provider: GarmProvider
  private let pools: [GarmPool]
  private let cloud: CloudView
  private let turns: Turnstile<ContainerID>
  let logger: Logger
  /// Creations of one machine, as many as GARM's (garm, `runner/pool`, `maxCreateAttempts`).
  private static let mostAttempts = 5

  /// - Parameters:
  ///   - name: of the plugin, which pools name as their engine.
  ///   - directory: where its machines are written down; made where it is missing, for the owner only.
  ///   - before: the same engine under another configuration, whose machines go on under this one.
  /// - Throws: where the directory or what is in it cannot be used.
  package init(
    name: String, settings: GarmSettings, surroundings: GarmSurroundings, execution: any ProviderExecution, directory: String,
    after before: GarmEngine? = nil, logger: Logger
  ) throws(EngineError) {
    self.name = name
    self.settings = settings
    self.surroundings = surroundings
    self.logger = logger
    let folder = MachineFolder(root: directory)
    if let before {
      (key, book, turns) = (before.key, before.book, before.turns)
    } else {
      key = try folder.prepare()
      book = try MachineBook(folder: folder)
      turns = Turnstile()
      if !book.unreadable.isEmpty {
        logger.error("records of machines cannot be read", metadata: ["engine": "\(name)", "machines": "\(book.unreadable)"])
      }
    }
    pools = surroundings.pools.map { settings.pool($0.name, image: $0.image, installation: surroundings.installation) }
    let provider = GarmProvider(
      execution: execution, settings: settings, controllerID: GarmIdentity.uuid(of: "controller", surroundings.installation),
      configFile: settings.providerConfig ?? "/dev/null", hostEnvironment: surroundings.environment)
    self.provider = provider
    cloud = CloudView(provider: provider, interval: settings.listInterval)
    var base = surroundings.baseURL
    while base.hasSuffix("/") { base.removeLast() }
    scripts = MachineScripts(
      firstProcess: surroundings.firstProcess, metadataURL: base + "/api/v1/metadata", callbackURL: base + "/api/v1/callbacks")
  }

  package func home(of spec: ContainerSpec) -> String { settings.home(of: spec.id.rawValue) }

  /// A cloud has no end that could be asked for: what its pools may have at most.
  package func capacity() -> HostCapacity {
    var all = Resources(milliCPUs: 1000, memory: ByteCount(gibibytes: 1), disk: ByteCount(gibibytes: 1))
    for pool in surroundings.pools {
      let (one, count) = (pool.resources, Int64(min(pool.maximum, 100_000)))
      all.milliCPUs += one.milliCPUs * Int(count)
      all.memory = ByteCount(bytes: all.memory.bytes &+ one.memory.bytes &* count)
      all.disk = ByteCount(bytes: all.disk.bytes &+ one.disk.bytes &* count)
      all.gpus += one.gpus * Int(count)
    }
    return HostCapacity(resources: all)
  }

  // MARK: - Making

  package func create(_ spec: ContainerSpec) async throws(EngineError) {
    try MachineName.check(spec.id)
    guard !spec.isReusable else { throw .invalid("a machine of \(name) serves one job: pool \(spec.pool) must not reuse its containers") }
    try await turns.pass(spec.id) { () async throws(EngineError) in try await make(spec) }
  }

  private func make(_ spec: ContainerSpec) async throws(EngineError) {
    let pool =
      pools.first { $0.name == spec.pool }
      ?? settings.pool(spec.pool, image: spec.image, installation: surroundings.installation)
    let machine = try await book.insert(GarmMachine(spec: spec, pool: pool))
    guard machine.spec == spec else { throw .invalid("machine \(spec.id) exists already, made for something else") }
    guard !machine.isUnwanted else { throw .invalid("machine \(spec.id) is being removed") }
    if machine.phase == .made { return }
    guard machine.attempt < Self.mostAttempts else {
      throw .invalid("machine \(spec.id) could not be made in \(machine.attempt) tries: \(machine.message ?? "no reason was given")")
    }
    let attempts = "creation in pool \(machine.pool.name)"
    try await cloud.mayTry(attempts)
    if machine.owesDeletion { try await clear(machine) }
    do throws(GarmFailure) {
      try await bootstrap(machine)
      await cloud.succeeded(attempts)
    } catch {
      logger.warning("a machine could not be made", metadata: ["engine": "\(name)", "machine": "\(spec.id)", "error": "\(error)"])
      await cloud.failed(attempts, "\(error)")
      let failed = try await book.update(spec.id) { $0.message = "\(error)" }
      // Halves cost money. Where they cannot be deleted now, they are before the next try, or with the machine.
      if let failed, failed.owesDeletion { try await clear(failed) }
      if case .unstartable(let why) = error { throw .invalid("the provider of \(name) cannot be started: \(why)") }
      throw .unavailable("machine \(spec.id): \(error)")
    }
  }

  /// Deletes what a failed or interrupted creation has left.
  private func clear(_ machine: GarmMachine) async throws(EngineError) {
    do throws(GarmFailure) {
      try await provider.delete(machine.reference, in: machine.pool)
    } catch {
      throw .unavailable("what is left of a creation of \(machine.id) cannot be deleted: \(error)")
    }
    await cloud.forget(machine.id, in: machine.pool)
    try await book.update(machine.id) { $0.cleared() }
  }

  private func bootstrap(_ given: GarmMachine) async throws(GarmFailure) {
    let machine = try await note(given.id) { $0.beginCreation(at: Date()) }
    let wanted = BootstrapInstance(
      name: machine.id.rawValue, tools: [settings.tool(for: machine.pool.architecture)], repositoryURL: surroundings.repositoryURL,
      callbackURL: scripts.callbackURL, metadataURL: scripts.metadataURL, token: token(of: machine), sshKeys: settings.sshKeys,
      extraSpecs: MachineScripts.extraSpecs(of: machine.pool), certificates: try certificates(), architecture: machine.pool.architecture,
      osType: "linux", flavor: machine.pool.flavor, image: machine.pool.image, poolID: machine.pool.id)
    let id = machine.id
    let unwanted = book.unwanted
    var instance: ProviderInstance
    var isAdopted = false
    do throws(GarmFailure) {
      instance = try await provider.create(wanted, in: machine.pool) { unwanted.contains(id) }
    } catch .duplicate(_) {
      // It has one of this name, made by an attempt whose end nobody heard.
      instance = try await provider.get(id.rawValue, in: machine.pool)
      isAdopted = true
    }
    guard instance.status != .error else {
      let found = instance
      try await note(id) { $0.providerID = found.id }
      throw .failed("the cloud reports an error\(instance.fault.map { ": \($0)" } ?? "")")
    }
    let (made, adopted) = (instance, isAdopted)
    try await note(id) { $0.created(made, isAdopted: adopted) }
    await cloud.noteCreated(made, id)
    logger.info("a machine is made", metadata: ["engine": "\(name)", "machine": "\(id)", "id": "\(made.id)", "adopted": "\(adopted)"])
  }

  func token(of machine: GarmMachine) -> String {
    let time = (settings.bootstrapTimeout + .seconds(300)) / .seconds(1)
    let expiry = (machine.createdAt ?? Date()).addingTimeInterval(time)
    return MachineToken(engine: name, machine: machine.id.rawValue, attempt: machine.attempt, expiry: expiry).signed(with: key)
  }

  /// base64 of PEM.
  private func certificates() throws(GarmFailure) -> String? {
    guard let path = settings.certificates else { return nil }
    guard let pem = FileManager.default.contents(atPath: path), pem.count <= 1 << 20 else {
      throw .unstartable("the certificates in \(path) cannot be read, or are larger than 1 MiB")
    }
    return pem.base64EncodedString()
  }

  @discardableResult
  private func note(_ id: ContainerID, _ change: @Sendable (inout GarmMachine) -> Void) async throws(GarmFailure) -> GarmMachine {
    do throws(EngineError) {
      guard let machine = try await book.update(id, change) else { throw .notFound("machine \(id)") }
      return machine
    } catch {
      throw .failed("its record: \(error)")
    }
  }

  /// Waits until the machine has called, which is when it can take a job.
  package func start(_ id: ContainerID) async throws(EngineError) {
    let bell = await book.bell(of: id)
    while true {
      let machine = try await known(id)
      if machine.hasEnded || machine.isUnwanted { throw .invalid("machine \(id) has ended and is never started again") }
      guard machine.phase == .made, let createdAt = machine.createdAt else { throw .invalid("machine \(id) is not made") }
      if machine.calledAt != nil { return }
      let deadline = createdAt.addingTimeInterval(settings.bootstrapTimeout / .seconds(1))
      guard Date() < deadline else {
        let why =
          "machine \(id) has not called \(scripts.metadataURL) within \(Int(settings.bootstrapTimeout / .seconds(1))) s of its creation"
        // A job loses no try by it; a warm one is given up when it is asked for again.
        if machine.status == Self.silent { throw .invalid(why) }
        try await book.update(id) { $0.status = Self.silent }
        throw .unavailable(why)
      }
      try await look(at: machine)
      await bell.wait(until: min(deadline, Date().addingTimeInterval(1)))
      if Task.isCancelled { throw .unavailable("interrupted while machine \(id) starts") }
    }
  }

  private static let silent = "silent"

  /// What the cloud says of a machine that has not called yet.
  private func look(at machine: GarmMachine) async throws(EngineError) {
    guard let instance = try await cloud.instance(machine) else { throw .unavailable("machine \(machine.id) is gone from its cloud") }
    switch instance.status {
    case .running, .unknown: return
    case .error: throw .unavailable("machine \(machine.id): the cloud reports an error\(instance.fault.map { ": \($0)" } ?? "")")
    case .stopped:
      do throws(GarmFailure) {
        try await provider.start(machine.reference, in: machine.pool)
      } catch {
        throw .unavailable("machine \(machine.id) cannot be started: \(error)")
      }
      await cloud.forget(machine.id, in: machine.pool)
    }
  }

  // MARK: - Using

  package func put(_ files: [RunnerFile], into id: ContainerID) async throws(EngineError) {
    let machine = try await known(id)
    for file in files { try MachineName.checkPath(file.path) }
    guard machine.calledAt != nil, !machine.hasEnded, !machine.isUnwanted else { throw .invalid("machine \(id) does not run") }
    try await book.put(files, into: id)
    guard let marker = files.last(where: { $0.path == ".runnerhub-go" }) else { return }
    let text = String(decoding: marker.contents, as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines)
    guard let use = Int(text), use > 0 else {
      throw .invalid("the marker holds no number of a use: '\(PrintableText.line(text).prefix(50))'")
    }
    try await book.update(id) { $0.use = use }
  }

  package func log(of id: ContainerID, use: Int, from offset: Int64) async throws(EngineError) -> Data {
    let machine = try await known(id)
    guard use > 0, offset >= 0 else { throw .invalid("use \(use) from byte \(offset): uses count from 1, bytes from 0") }
    return machine.use == use ? try book.log(of: id, from: offset) : Data()
  }

  package func update(_ id: ContainerID, to resources: Resources) async throws(EngineError) {
    _ = try await known(id)
    throw .invalid("a machine's size is its flavor")
  }

  package func recycle(_ id: ContainerID) async throws(EngineError) {
    _ = try await known(id)
    throw .invalid("machine \(id) is for one job only")
  }

  // MARK: - Looking

  /// Also machines that carry our tags and that no record knows: for the core to remove.
  package func list() async throws(EngineError) -> [ContainerObservation] {
    let machines = await book.all()
    var known = Dictionary(pools.map { ($0.id, $0) }, uniquingKeysWith: { first, _ in first })
    for machine in machines { known[machine.pool.id] = machine.pool }
    var instances: [String: ProviderInstance] = [:]
    for pool in known.values.sorted(by: { $0.name < $1.name }) {
      instances.merge(try await cloud.listing(of: pool)) { first, _ in first }
    }
    var found: [ContainerObservation] = []
    for machine in machines {
      guard let current = await book.machine(machine.id) else { continue }
      if let seen = try await observe(current, instances[machine.id.rawValue]) { found.append(seen) }
      instances[machine.id.rawValue] = nil
    }
    let ours = Set(await book.all().map(\.id.rawValue))
    for name in instances.keys.sorted() where !ours.contains(name) {
      if MachineName.isName(name) {
        found.append(ContainerObservation(id: ContainerID(rawValue: name), status: .exited(code: nil)))
      } else {
        logger.warning(
          "a machine with our tags has a name that is not ours",
          metadata: ["engine": "\(self.name)", "machine": "\(PrintableText.line(name))"])
      }
    }
    return found
  }

  package func inspect(_ id: ContainerID) async throws(EngineError) -> ContainerObservation? {
    try MachineName.check(id)
    guard let machine = await book.machine(id) else { return nil }
    return try await observe(machine, nil)
  }

  /// Nil where the cloud has lost it.
  private func observe(_ machine: GarmMachine, _ listed: ProviderInstance?) async throws(EngineError) -> ContainerObservation? {
    // What the machine has told of its end, and what is not made yet, needs no word of the cloud.
    if machine.hasEnded || machine.phase != .made { return machine.observation(cloud: nil) }
    // A cloud's list may lag behind: what is not in it is asked for by itself.
    let instance = if let listed { listed } else { try await cloud.instance(machine) }
    // It may have told of its end while the cloud was asked, and is switched off right after.
    let machine = await book.machine(machine.id) ?? machine
    if machine.hasEnded { return machine.observation(cloud: nil) }
    return instance.map { machine.observation(cloud: $0.status) }
  }

  package func watch(_ look: @Sendable () async -> Void) async throws(EngineError) {
    await look()
    while !Task.isCancelled {
      await book.news.wait()
      if !Task.isCancelled { await look() }
    }
  }

  // MARK: - Removing

  package func remove(_ id: ContainerID) async throws(EngineError) {
    try MachineName.check(id)
    // First, so that a creation under way ends; also on disk, so that its token is worth nothing any more.
    try await book.update(id) { $0.isUnwanted = true }
    try await turns.pass(id) { () async throws(EngineError) in
      guard let machine = await book.machine(id) else { return try await removeStranger(id) }
      if machine.attempt > 0 { try await delete(machine.reference, id, in: machine.pool) }
      try await book.remove(id)
    }
  }

  private func removeStranger(_ id: ContainerID) async throws(EngineError) {
    guard let (instance, pool) = try await cloud.stranger(id, in: pools) else { return }
    logger.warning("a machine that no record knows is deleted", metadata: ["engine": "\(name)", "machine": "\(id)"])
    try await delete(instance.id, id, in: pool)
  }

  private func delete(_ reference: String, _ id: ContainerID, in pool: GarmPool) async throws(EngineError) {
    let deletion = "deletion of \(id)"
    try await cloud.mayTry(deletion)
    do throws(GarmFailure) {
      try await provider.delete(reference, in: pool)
    } catch {
      await cloud.failed(deletion, "\(error)")
      throw .unavailable("machine \(id) cannot be deleted: \(error)")
    }
    await cloud.succeeded(deletion)
    await cloud.forget(id, in: pool)
  }

  private func known(_ id: ContainerID) async throws(EngineError) -> GarmMachine {
    try MachineName.check(id)
    guard let machine = await book.machine(id) else { throw .notFound("machine \(id)") }
    return machine
  }
}
