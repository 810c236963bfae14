package import Domain
internal import Foundation
package import Logging
package import RunnerHub

/// Runs each container as a container of a Docker daemon.
///
/// All that it must know is in the daemon: what a container was made for stands in its labels, how a use ended in a link in its file system,
/// what it wrote in its log. So a second engine on the same daemon goes on where the first one stopped.
///
/// A container for one use has the image's own file system. A reusable one has a read-only root, no capabilities and no way to more
/// privileges; all that a job can write to are volumes, which a new PID 1 empties before the next use.
package struct DockerEngine: ContainerEngine {
  package let name: String
  private let isLocal: Bool
  private let gpus: Int
  let client: DockerClient
  let installation: String
  let settings: DockerSettings
  let logger: Logger
  /// How far the logs that are followed have been read. Only a shorter way: without it a log is read from its beginning.
  let readings = LogReadings()
  static let mostLog = 1 << 20
  /// How long a reusable container has to clean itself up and wait, and a name to become free.
  private static let patience: Duration = .seconds(60)
  private static let atOnce = 32

  /// - Parameters:
  ///   - name: of its host, as containers know it.
  ///   - isLocal: whether the daemon's files are files of this machine.
  ///   - gpus: devices that it may give to containers; the daemon does not tell how many there are.
  ///   - installation: whose containers these are; those of another installation on the same daemon are not seen, and never touched.
  package init(
    name: String = "docker", isLocal: Bool = true, gpus: Int = 0, client: DockerClient, settings: DockerSettings, installation: String,
    logger: Logger
  ) {
    self.name = name
    self.isLocal = isLocal
    self.gpus = gpus
    self.client = client
    self.settings = settings
    self.installation = installation
    self.logger = logger
  }

  package func home(of spec: ContainerSpec) -> String { DockerTemplate.home(isReusable: spec.isReusable) }

  /// Cores and memory as the daemon tells them. The disk is that of its data folder where this machine has it, else it is not limited.
  package func capacity() async throws(EngineError) -> HostCapacity {
    let info = try await asking("GET /info") { try await client.info() }
    return HostCapacity(
      resources: Resources(
        milliCPUs: info.NCPU * 1000, memory: ByteCount(bytes: info.MemTotal),
        disk: (isLocal ? info.DockerRootDir.flatMap(FileSystem.size(of:)) : nil) ?? ByteCount(bytes: .max), gpus: gpus))
  }

  /// Fetches the image first where the host does not have it and may.
  package func create(_ spec: ContainerSpec) async throws(EngineError) {
    let name = try Self.checked(spec.id)
    let template = DockerTemplate(spec: spec, installation: installation, settings: settings)
    try template.check()
    if settings.network == DockerNetworks.apart { try await makeNetwork(of: spec) }
    var hasPulled = false
    let deadline = ContinuousClock.now + Self.patience
    while true {
      do {
        return try await client.create(name, template.creation)
      } catch DockerFailure.refused(409, let message) {
        if try await isThere(spec) { return }
        // Another call has taken the name and is making the container, or removing the one before.
        guard ContinuousClock.now < deadline else { throw .unavailable("container \(name): \(message)") }
        try await pause(.milliseconds(50))
      } catch DockerFailure.refused(404, let message) {
        guard settings.pull == .missing, !hasPulled else { throw .notFound("image \(spec.image): \(message)") }
        try await pull(spec.image)
        hasPulled = true
      } catch {
        throw Self.engineError(error, about: "container \(name)")
      }
    }
  }

  /// - Throws: `invalid` where the name is taken by something else.
  private func isThere(_ spec: ContainerSpec) async throws(EngineError) -> Bool {
    let name = spec.id.rawValue
    guard let labels = try await asking("container \(name)", { try await client.inspect(name) })?.Config.Labels else { return false }
    guard labels[DockerTemplate.Label.installation] == installation, DockerTemplate.spec(from: labels) == spec else {
      throw .invalid("container \(name) exists already, made for something else")
    }
    return true
  }

  package func start(_ id: ContainerID) async throws(EngineError) {
    let container = try await mustFind(id)
    switch container.status {
    case .running: break
    case .exited: throw .invalid("container \(id) has ended and is never started again")
    case .created:
      if let failure = container.startFailure { throw .invalid("container \(id) could not be started: \(failure)") }
      if container.spec.isReusable { try await giveHome(to: id) }
      do {
        try await client.start(id.rawValue)
      } catch DockerFailure.refused(500, let message) where Self.isDeviceFailure(message) {
        throw .invalid("container \(id): \(message)")
      } catch DockerFailure.refused(404, let message) {
        // Of the container, or of its network.
        guard try await find(id) != nil else { throw .notFound("container \(id)") }
        throw .invalid("container \(id): \(message)")
      } catch {
        throw Self.engineError(error, about: "start of \(id)")
      }
    }
    if container.spec.isReusable { try await waitUntilReady(id) }
  }

  /// A 500 is the daemon's fault, but for one thing that will never work: devices for which it has no driver. Only the text tells.
  private static func isDeviceFailure(_ message: String) -> Bool {
    message.contains("could not select device driver") || message.contains("gathering device information")
  }

  package func put(_ files: [RunnerFile], into id: ContainerID) async throws(EngineError) {
    let container = try await mustRun(id)
    var archive = TarArchive(modified: Date())
    do {
      for file in files {
        _ = try RunnerPath.components(of: file.path)
        try archive.add(file: file.path, file.contents, mode: file.mode, owner: settings.user)
      }
    } catch let error as EngineError {
      throw error
    } catch {
      throw .invalid("\(error)")
    }
    let data = archive.data
    try await asking("files for \(id)") {
      try await client.put(data, at: DockerTemplate.home(isReusable: container.spec.isReusable), in: id.rawValue)
    }
    guard files.contains(where: { $0.path == RunnerPath.marker }) else { return }
    do {
      try await client.signal(id.rawValue, "SIGUSR1")
    } catch {
      // PID 1 finds the marker by itself within a second; that it has just ended shows to whoever looks next.
      logger.debug("PID 1 was not woken", metadata: ["container": "\(id)", "error": "\(error)"])
    }
  }

  package func list() async throws(EngineError) -> [ContainerObservation] {
    try await asking("the list of containers") {
      let listed = try await client.containers(labelled: ownLabel)
      readings.keepOnly(Set(listed.compactMap(\.id)))
      if settings.network == DockerNetworks.apart {
        try await removeStrayNetworks(keeping: Set(listed.compactMap(\.id?.rawValue)), at: Date())
      }
      return try await withThrowingTaskGroup(of: ContainerObservation?.self) { group in
        var waiting = listed.makeIterator()
        func add() {
          guard let next = waiting.next() else { return }
          group.addTask { try await observe(next) }
        }
        for _ in 0..<Self.atOnce { add() }
        var found: [ContainerObservation] = []
        while let observation = try await group.next() {
          if let observation { found.append(observation) }
          add()
        }
        return found.sorted { $0.id.rawValue < $1.id.rawValue }
      }
    }
  }

  package func inspect(_ id: ContainerID) async throws(EngineError) -> ContainerObservation? {
    let name = try Self.checked(id)
    return try await asking("container \(id)") { try await observe(name, withUsage: false) }
  }

  /// - Throws: `invalid` also for less memory than the container uses now.
  package func update(_ id: ContainerID, to resources: Resources) async throws(EngineError) {
    let container = try await mustFind(id)
    var spec = container.spec
    spec.resources = resources
    try DockerTemplate(spec: spec, installation: installation, settings: settings).check()
    try await asking("new limits of \(id)") { try await client.update(id.rawValue, DockerTemplate.limits(of: resources)) }
  }

  /// Ends every process, PID 1 too, since a job of the same user could have changed it. The new one empties and fills all that can be written to.
  /// - Throws: `invalid` where the container is not reusable.
  package func recycle(_ id: ContainerID) async throws(EngineError) {
    let container = try await mustRun(id)
    guard container.spec.isReusable else { throw .invalid("container \(id) is for one use only") }
    // Not a restart, which gives the job a moment to go on in.
    try await asking("restart of \(id)") {
      try await client.kill(id.rawValue)
      try await client.wait(id.rawValue, for: "not-running", limit: .seconds(60))
      try await client.start(id.rawValue)
    }
    readings.forget(id)
    try await waitUntilReady(id)
    let limits = DockerTemplate.limits(of: container.spec.resources)
    if container.inspected.HostConfig.Memory != limits.Memory || container.inspected.HostConfig.NanoCpus != limits.NanoCpus {
      try await asking("limits of \(id)") { try await client.update(id.rawValue, limits) }
    }
  }

  package func remove(_ id: ContainerID) async throws(EngineError) {
    let name = try Self.checked(id)
    // By the label alone: one that an older version has made for what this one cannot read goes too.
    let isOurs = try await asking("container \(id)") {
      try await client.inspect(name)?.Config.Labels?[DockerTemplate.Label.installation] == installation
    }
    if isOurs { try await asking("removal of \(id)") { try await client.remove(name) } }
    if settings.network == DockerNetworks.apart { try await asking("network of \(id)") { try await client.remove(network: name) } }
    readings.forget(id)
  }

  package func watch(_ look: @Sendable () async -> Void) async throws(EngineError) {
    try await asking("events") { try await client.events(labelled: ownLabel, onWatch: { await look() }) { _ in await look() } }
  }

  // MARK: Parts

  var ownLabel: String { "\(DockerTemplate.Label.installation)=\(installation)" }

  /// A container of ours.
  struct Found {
    var inspected: DockerShapes.Inspected
    var spec: ContainerSpec
    var status: ContainerObservation.Status

    /// Why Docker could not start it: it stays `created` then, with the code of a shell that could not run a command.
    var startFailure: String? {
      guard status == .created, inspected.State.ExitCode != 0 else { return nil }
      return inspected.State.Error.flatMap { $0.isEmpty ? nil : $0 } ?? "exit code \(inspected.State.ExitCode)"
    }
  }

  /// - Throws: `invalid` for a name that is not one of a container.
  static func checked(_ id: ContainerID) throws(EngineError) -> String {
    try ContainerName.check(id)
    return id.rawValue
  }

  /// - Returns: nil where the daemon does not have it, or it is another installation's.
  func find(_ id: ContainerID) async throws(EngineError) -> Found? {
    let name = try Self.checked(id)
    return try await asking("container \(id)") { try await found(name) }
  }

  func mustFind(_ id: ContainerID) async throws(EngineError) -> Found {
    guard let found = try await find(id) else { throw .notFound("container \(id)") }
    return found
  }

  private func mustRun(_ id: ContainerID) async throws(EngineError) -> Found {
    let found = try await mustFind(id)
    switch found.status {
    case .running: return found
    case .created: throw .invalid("container \(id) is not started")
    case .exited: throw .invalid("container \(id) has ended")
    }
  }

  private func found(_ name: String) async throws -> Found? {
    guard let inspected = try await client.inspect(name), let labels = inspected.Config.Labels,
      labels[DockerTemplate.Label.installation] == installation, let spec = DockerTemplate.spec(from: labels)
    else { return nil }
    return Found(inspected: inspected, spec: spec, status: Self.status(inspected.State.Status, code: inspected.State.ExitCode))
  }

  /// One of a list, with what it uses. A container that Docker cannot look into hides none of the others, and stays visible itself, to be removed.
  private func observe(_ listed: DockerShapes.Listed) async throws -> ContainerObservation? {
    guard let id = listed.id else { return nil }
    do {
      if let seen = try await observe(id.rawValue, withUsage: true) { return seen }
      return try await client.inspect(id.rawValue) == nil ? nil : ContainerObservation(id: id, status: Self.status(listed.State, code: nil))
    } catch let failure as DockerFailure {
      if case .unreachable = failure { throw failure }
      logger.warning("a container cannot be looked into", metadata: ["container": "\(id)", "error": "\(failure)"])
      return ContainerObservation(id: id, status: Self.status(listed.State, code: nil))
    }
  }

  private static func status(_ word: String, code: Int32?) -> ContainerObservation.Status {
    switch word {
    case "created": .created
    // A daemon that is killed in a removal leaves "removing" and "dead".
    case "exited", "dead", "removing": .exited(code: code)
    default: .running
    }
  }

  private func observe(_ name: String, withUsage: Bool) async throws -> ContainerObservation? {
    guard let found = try await found(name) else { return nil }
    var seen = ContainerObservation(id: ContainerID(rawValue: name), status: found.status)
    // Of a reusable container this says nothing, since it stays set over its starts.
    if !found.spec.isReusable { seen.isOutOfMemory = found.inspected.State.OOMKilled ?? false }
    guard found.status != .created else { return seen }
    seen.startedAt = DockerTime(found.inspected.State.StartedAt)?.date
    if found.spec.isReusable || found.status != .running, let end = try await lastEnd(of: name, isReusable: found.spec.isReusable) {
      (seen.endedUse, seen.runnerExit) = (end.use, end.exit)
      if end.isOutOfMemory { seen.isOutOfMemory = true }
    }
    guard withUsage, found.status == .running else { return seen }
    do {
      let stats = try await client.stats(name)
      seen.memory = stats.memory_stats?.used.map(ByteCount.init(bytes:))
      seen.cpuSeconds = stats.cpu_stats?.cpu_usage?.total_usage.map { Double($0) / 1e9 }
      // Without PID 1.
      seen.processes = stats.pids_stats?.current.map { max(0, $0 - 1) }
    } catch let failure as DockerFailure {
      // It may have ended since; what it uses is not worth the rest.
      logger.debug("no usage", metadata: ["container": "\(name)", "error": "\(failure)"])
    }
    return seen
  }

  /// How the last use ended, as PID 1 wrote it: a link that leads to `USE.STATUS`, or `USE.STATUS.oom`, since a look at a link costs far less than reading a file.
  private func lastEnd(of name: String, isReusable: Bool) async throws -> (use: Int, exit: Int32, isOutOfMemory: Bool)? {
    let link: DockerShapes.PathStat?
    do {
      link = try await client.stat("\(DockerTemplate.state(isReusable: isReusable))/ended", in: name)
    } catch DockerFailure.refused(_, let message) {
      // A container whose file system is damaged must stay visible, to be removed.
      logger.warning("the end of a use cannot be asked for", metadata: ["container": "\(name)", "error": "\(message)"])
      return nil
    }
    guard let link else { return nil }
    let words = link.linkTarget.split(separator: "/").last?.split(separator: ".") ?? []
    guard words.count >= 2, let use = Int(words[0]), let exit = Int32(words[1]) else { return nil }
    return (use, exit, words.count > 2 && words[2] == "oom")
  }

  /// Makes home and state in the volume of a reusable container; a fresh volume belongs to root.
  private func giveHome(to id: ContainerID) async throws(EngineError) {
    try await asking("the home of \(id)") {
      var archive = TarArchive(modified: Date())
      for folder in ["home", "state"] { try archive.add(folder: folder, mode: 0o755, owner: settings.user) }
      try await client.put(archive.data, at: DockerTemplate.volume, in: id.rawValue)
    }
  }

  /// Waits until PID 1 of a reusable container has cleaned up and waits for a use.
  private func waitUntilReady(_ id: ContainerID) async throws(EngineError) {
    let deadline = ContinuousClock.now + Self.patience
    while true {
      let found = try await mustFind(id)
      guard found.status == .running else {
        throw .invalid("container \(id) ended while it made itself ready: \(try await lastWords(of: id))")
      }
      let isReady = try await asking("container \(id)") {
        guard let ready = try await client.stat("\(DockerTemplate.state(isReusable: true))/ready", in: id.rawValue),
          let at = DockerTime(ready.mtime)
        else { return false }
        // One that the PID 1 before has left does not count.
        return DockerTime(found.inspected.State.FinishedAt).map { at > $0 } ?? true
      }
      if isReady { return }
      guard ContinuousClock.now < deadline else { throw .unavailable("container \(id) did not make itself ready within \(Self.patience)") }
      try await pause(.milliseconds(20))
    }
  }

  /// What PID 1 last complained of.
  private func lastWords(of id: ContainerID) async throws(EngineError) -> String {
    try await asking("log of \(id)") {
      var words = Data()
      try await client.log(of: id.rawValue, stdout: false, tail: 20) { message in
        words += message.text
        return words.count < 2000
      }
      return String(decoding: words, as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines)
    }
  }

  /// Never where images are put there by somebody else: then it says what is missing.
  package func fetch(_ image: String, anew: Bool, progress: @escaping @Sendable (String) -> Void) async throws(EngineError) {
    let isThere = try await asking("image \(image)") { try await client.hasImage(image) }
    if isThere && (!anew || settings.pull == .never) { return }
    guard settings.pull != .never else { throw .notFound("image \(image): the host does not have it, and docker.pull is never") }
    // What a digest names is what it is.
    if isThere && image.contains("@") { return }
    try await pull(image, told: progress)
  }

  private func pull(_ image: String, told: @escaping @Sendable (String) -> Void = { _ in }) async throws(EngineError) {
    logger.notice("fetching an image", metadata: ["image": "\(image)"])
    let host = DockerRegistry.host(ofImage: image)
    do {
      try await client.pull(image, from: settings.registries.first { $0.host == host }, patience: settings.pullPatience) {
        [logger] progress in
        logger.info("fetching an image", metadata: ["image": "\(image)", "progress": "\(progress)"])
        told(progress)
      }
    } catch {
      throw Self.engineError(error, about: "image \(image)")
    }
    logger.notice("fetched an image", metadata: ["image": "\(image)"])
  }

  func pause(_ duration: Duration) async throws(EngineError) {
    do {
      try await Task.sleep(for: duration)
    } catch {
      throw .unavailable("interrupted")
    }
  }

  /// Calls the daemon, and says of a failure what was wanted.
  func asking<Value: Sendable>(_ what: String, _ body: () async throws -> Value) async throws(EngineError) -> Value {
    do {
      return try await body()
    } catch {
      throw Self.engineError(error, about: what)
    }
  }

  static func engineError(_ error: any Error, about what: String) -> EngineError {
    switch error {
    case let error as EngineError: error
    case let failure as DockerFailure: failure.engineError(about: what)
    case is CancellationError: .unavailable("\(what): interrupted")
    default: .unavailable("\(what): \(error)")
    }
  }
}
