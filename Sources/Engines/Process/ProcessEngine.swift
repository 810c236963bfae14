package import Domain
package import Foundation
internal import Glibc
package import Logging
package import RunnerHub

/// Runs each container as a tree of ordinary processes in a folder of its own. **No isolation**: a job can read, change and end whatever the
/// user of RunnerHub can. For demonstration, and for trusted hosts with trusted jobs only.
///
/// All that it knows is in the folder (`ContainerFolder`) and in `/proc`: it keeps nothing in memory, so containers survive their host, and a
/// second engine over the same root goes on where the first one stopped. It needs Linux 5.3 (pidfd).
package struct ProcessEngine: ContainerEngine {
  package let name = "process"
  private let root: String
  private let images: [String: [RunnerFile]]
  private let installation: String
  private let logger: Logger
  private let identities = RandomIdentitySource()
  /// How long the processes of a container have to end after SIGKILL, and PID 1 to wait again in a recycled one.
  private let patience: Duration = .seconds(10)
  private let mostLog = 1 << 20

  /// - Parameters:
  ///   - root: the folder of all containers; made when first needed, readable by its owner only.
  ///   - images: what a named image (`stand-in`) puts into a new home. Besides these, an absolute path of a folder is an image: it is copied whole.
  ///   - installation: whose containers these are; those of another installation in the same root are not listed.
  package init(root: URL, images: [String: [RunnerFile]], installation: String, logger: Logger) {
    self.root = root.standardizedFileURL.path(percentEncoded: false).trimmingSuffix("/")
    self.images = images
    self.installation = installation
    self.logger = logger
  }

  /// A name that cannot be one has no home: the calls that would use it refuse it.
  package func home(of spec: ContainerSpec) -> String { "\(root)/\(spec.id)/home" }

  /// Cores, memory and disk of the machine, all of them, though containers are not kept to their share of cores.
  package func capacity() async throws(EngineError) -> HostCapacity {
    try makeRoot()
    guard let disk = FileSystem.size(of: root) else { throw .unavailable("cannot ask for the size of \(root): \(systemError(errno))") }
    let info = ProcessInfo.processInfo
    return HostCapacity(
      resources: Resources(
        milliCPUs: info.activeProcessorCount * 1000, memory: ByteCount(bytes: Int64(clamping: info.physicalMemory)),
        disk: disk))
  }

  /// - Throws: `invalid` also where the name is taken by a container of another spec.
  package func create(_ spec: ContainerSpec) async throws(EngineError) {
    let folder = try ContainerFolder(root: root, id: spec.id)
    let request = ContainerFolder.Request(installation: installation, spec: spec)
    try ProcessLimit.check(spec.resources)
    try RunnerEnvironment.check(spec.environment)
    try await offPool { () throws(EngineError) in try make(request, folder) }
  }

  private func make(_ request: ContainerFolder.Request, _ folder: ContainerFolder) throws(EngineError) {
    let spec = request.spec
    if folder.exists { return try mustBe(request, in: folder) }
    try makeRoot()

    // Made aside and moved in one step: a container is there whole or not at all.
    let token = identities.token(digits: 16)
    let making = "\(root)/.making/\(spec.id).\(token)"
    do {
      for name in ["state", "log"] { try folder.makeFolder("\(making)/\(name)") }
      try furnish(making, image: spec.image, token: token)
      try perform("write", making) { try JSONEncoder().encode(request).write(to: URL(filePath: "\(making)/spec.json")) }
      try perform("write", making) { try Data(PackageResources.init_sh).write(to: URL(filePath: "\(making)/init.sh")) }
    } catch {
      try ContainerFolder.delete(making)
      throw error
    }
    guard rename(making, folder.path) < 0 else { return }
    let reason = systemError(errno)
    try ContainerFolder.delete(making)
    // Another call made it meanwhile.
    if folder.exists { return try mustBe(request, in: folder) }
    throw .unavailable("cannot make \(folder.path): \(reason)")
  }

  package func start(_ id: ContainerID) async throws(EngineError) {
    let folder = try ContainerFolder(root: root, id: id)
    try folder.mustExist()
    let request = try folder.request()
    if try folder.start() == nil {
      let process = DetachedProcess(
        path: "/bin/sh", arguments: ["\(folder.path)/init.sh"],
        environment: RunnerEnvironment(folder: folder, request: request).variables(), folder: folder.path,
        output: "\(folder.state)/init.log", limits: ProcessLimit.all(for: request.spec.resources))
      let isOurs = try process.start { identity throws(EngineError) in
        try folder.record(ContainerFolder.Start(process: identity, at: Date()), token: identities.token(digits: 16))
      }
      if isOurs { return logger.debug("started", metadata: ["container": "\(id)"]) }
    }
    guard let start = try folder.start(), try ProcessTable.read().living(start.process) != nil else {
      throw .invalid("container \(id) has ended and is never started again")
    }
  }

  package func put(_ files: [RunnerFile], into id: ContainerID) async throws(EngineError) {
    let folder = try ContainerFolder(root: root, id: id)
    let processes = try running(folder)
    try RunnerHome(path: folder.home, workshop: folder.state, token: identities.token(digits: 16)).put(files)
    // Before it says that it waits, PID 1 looks for the marker by itself, and the signal could end it.
    if files.contains(where: { $0.path == RunnerPath.marker }), folder.isWaiting, let leader = processes.leader {
      processes.signal(leader, SIGUSR1)
    }
  }

  package func list() async throws(EngineError) -> [ContainerObservation] {
    try await offPool { () throws(EngineError) in try listAll() }
  }

  private func listAll() throws(EngineError) -> [ContainerObservation] {
    guard access(root, F_OK) == 0 else { return [] }
    let names = try perform("list", root) { try FileManager.default.contentsOfDirectory(atPath: root) }
    let table = try ProcessTable.read()
    var found: [ContainerObservation] = []
    for name in names.sorted() where ContainerName.isName(name) {
      let folder = try ContainerFolder(root: root, id: ContainerID(rawValue: name))
      do {
        if let observation = try observe(folder, table) { found.append(observation) }
      } catch {
        // Removed meanwhile; or its files are damaged, and then it must stay visible to be removed.
        guard folder.exists else { continue }
        logger.warning("container is unreadable", metadata: ["container": "\(name)", "error": "\(error)"])
        found.append(ContainerObservation(id: folder.id, status: .exited(code: nil)))
      }
    }
    return found
  }

  package func inspect(_ id: ContainerID) async throws(EngineError) -> ContainerObservation? {
    let folder = try ContainerFolder(root: root, id: id)
    return folder.exists ? try observe(folder, ProcessTable.read()) : nil
  }

  package func log(of id: ContainerID, use: Int, from offset: Int64) async throws(EngineError) -> Data {
    let folder = try ContainerFolder(root: root, id: id)
    try folder.mustExist()
    guard use > 0, offset >= 0 else { throw .invalid("use \(use) from byte \(offset): uses count from 1, bytes from 0") }
    let path = "\(folder.logs)/use-\(use).log"
    // A job could have put a link or a pipe in its place.
    let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK)
    guard descriptor >= 0 else {
      if errno == ENOENT { return Data() }
      throw .unavailable("cannot open \(path): \(systemError(errno))")
    }
    defer { close(descriptor) }
    var bytes = Data(count: mostLog)
    let count = bytes.withUnsafeMutableBytes { pread(descriptor, $0.baseAddress, $0.count, Int(offset)) }
    guard count >= 0 else { throw .unavailable("cannot read \(path): \(systemError(errno))") }
    return bytes.prefix(count)
  }

  /// Memory and disk as far as limits of single processes go (`ProcessLimit`); a change of CPUs is taken and does nothing.
  /// - Throws: `invalid` also where a process of the container belongs to another user and cannot be changed.
  package func update(_ id: ContainerID, to resources: Resources) async throws(EngineError) {
    try ProcessLimit.check(resources)
    let processes = try running(ContainerFolder(root: root, id: id))
    guard let leader = processes.leader else { return }
    // PID 1 first: what it starts from now on has the new limits.
    for limit in ProcessLimit.amounts(of: resources) { try limit.apply(to: leader.pid) }
    for process in try ProcessTable.read().descendants(of: leader.pid) {
      for limit in ProcessLimit.amounts(of: resources) { try limit.apply(to: process.pid) }
    }
  }

  /// Home and TMPDIR are made anew from the image. What a job wrote elsewhere on the machine stays: there is no isolation.
  /// - Throws: `invalid` where the container is not reusable.
  package func recycle(_ id: ContainerID) async throws(EngineError) {
    let folder = try ContainerFolder(root: root, id: id)
    let processes = try running(folder)
    let request = try folder.request()
    guard request.spec.isReusable, let leader = processes.leader else { throw .invalid("container \(id) is for one use only") }
    let deadline = ContinuousClock.now + patience
    // In any case PID 1 goes on, so that nothing waits for a stopped one.
    defer { processes.signal(leader, SIGCONT) }
    try await processes.endMembers(by: deadline)
    while !folder.isWaiting {
      // It ends the log of the use whose processes were killed, for which it needs processes of its own.
      processes.signal(leader, SIGCONT)
      guard ContinuousClock.now < deadline, try ProcessTable.read().living(leader) != nil else {
        throw .unavailable("PID 1 of \(id) does not wait for another use")
      }
      try await pause()
      if folder.isWaiting { try await processes.endMembers(by: deadline) }
    }
    let token = identities.token(digits: 16)
    try await offPool { () throws(EngineError) in
      try folder.discard(["home", "tmp"], token: token)
      try furnish(folder.path, image: request.spec.image, token: token)
    }
    for limit in ProcessLimit.amounts(of: request.spec.resources) { try limit.apply(to: leader.pid) }
  }

  package func remove(_ id: ContainerID) async throws(EngineError) {
    let folder = try ContainerFolder(root: root, id: id)
    if folder.exists {
      let leader = try lastLeader(of: folder)
      try await ContainerProcesses(folder: folder, installation: installation, leader: leader)
        .endAll(by: .now + patience)
    }
    let token = identities.token(digits: 16)
    try await offPool { () throws(EngineError) in
      if folder.exists { try folder.discard([], token: token) }
      try folder.sweep()
    }
  }

  // MARK: Parts

  /// PID 1 of a container that is to be removed, which can no more be started from here on.
  private func lastLeader(of folder: ContainerFolder) throws(EngineError) -> ProcessIdentity? {
    do throws(EngineError) {
      let nobody = ProcessIdentity(pid: -1, startTicks: 0, boot: "")
      let start = ContainerFolder.Start(process: nobody, at: Date())
      return try folder.record(start, token: identities.token(digits: 16)) ? nil : folder.start()?.process
    } catch {
      // Removed meanwhile; or damaged, which must not keep the container: the marks find its processes too.
      guard folder.exists else { return nil }
      logger.warning("cannot read who PID 1 is", metadata: ["container": "\(folder.id)", "error": "\(error)"])
      return nil
    }
  }

  private func makeRoot() throws(EngineError) {
    try perform("make", root) {
      for path in [root, "\(root)/.making", "\(root)/.trash"] {
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
      }
    }
  }

  private func mustBe(_ request: ContainerFolder.Request, in folder: ContainerFolder) throws(EngineError) {
    guard try folder.request() == request else { throw .invalid("container \(folder.id) exists already, made for something else") }
  }

  /// Makes the home and the TMPDIR of a container's folder from its image.
  private func furnish(_ path: String, image: String, token: String) throws(EngineError) {
    let home = "\(path)/home"
    try perform("make", path) {
      let owner: [FileAttributeKey: Any] = [.posixPermissions: 0o700]
      try FileManager.default.createDirectory(atPath: "\(path)/tmp", withIntermediateDirectories: false, attributes: owner)
      if images[image] != nil {
        try FileManager.default.createDirectory(atPath: home, withIntermediateDirectories: false, attributes: owner)
      }
    }
    if let files = images[image] {
      try RunnerHome(path: home, workshop: "\(path)/state", token: token).put(files)
      return
    }
    var isFolder: ObjCBool = false
    guard image.hasPrefix("/"), FileManager.default.fileExists(atPath: image, isDirectory: &isFolder), isFolder.boolValue else {
      let known = images.keys.sorted().joined(separator: ", ")
      throw .notFound("image '\(image)': neither one of \(known) nor the absolute path of a folder")
    }
    // The copy of a path that ends with a slash is an empty folder, and no failure.
    var source = image
    while source.count > 1, source.hasSuffix("/") { source.removeLast() }
    try perform("copy \(image) to", home) { [source] in
      try FileManager.default.copyItem(atPath: source, toPath: home)
      try FileManager.default.setAttributes([.posixPermissions: 0o700], ofItemAtPath: home)
    }
  }

  /// The processes of a container whose PID 1 lives.
  private func running(_ folder: ContainerFolder) throws(EngineError) -> ContainerProcesses {
    try folder.mustExist()
    guard let start = try folder.start() else { throw .invalid("container \(folder.id) is not started") }
    guard try ProcessTable.read().living(start.process) != nil else { throw .invalid("container \(folder.id) has ended") }
    return ContainerProcesses(folder: folder, installation: installation, leader: start.process)
  }

  /// Nil where it is another installation's.
  private func observe(_ folder: ContainerFolder, _ table: ProcessTable) throws(EngineError) -> ContainerObservation? {
    guard try folder.request().installation == installation else { return nil }
    let last = folder.lastUse()
    var seen = ContainerObservation(id: folder.id, status: .created, endedUse: last?.use, runnerExit: last?.exit)
    guard let start = try folder.start() else { return seen }
    seen.startedAt = start.at
    guard let leader = table.living(start.process) else {
      seen.status = .exited(code: folder.exitCode)
      return seen
    }
    let others = table.descendants(of: leader.pid)
    let all = [leader] + others
    let pages = all.reduce(Int64(0)) { $0 &+ max(0, $1.residentPages) }
    seen.status = .running
    seen.processes = others.count
    seen.memory = ByteCount(bytes: pages.multipliedReportingOverflow(by: Int64(sysconf(Int32(_SC_PAGESIZE)))).partialValue)
    seen.cpuSeconds = all.reduce(0.0) { $0 + Double($1.cpuTicks) } / Double(max(1, sysconf(Int32(_SC_CLK_TCK))))
    return seen
  }

  /// Runs work that may block long (copying an image, deleting a workspace) on a thread that no task waits for.
  private func offPool<Value: Sendable>(
    _ work: @escaping @Sendable () throws(EngineError) -> Value
  ) async throws(EngineError) -> Value {
    let result: Result<Value, EngineError> = await withCheckedContinuation { continuation in
      DispatchQueue.global().async { continuation.resume(returning: Result(catching: work)) }
    }
    return try result.get()
  }

  private func pause() async throws(EngineError) {
    do {
      try await Task.sleep(for: .milliseconds(5))
    } catch {
      throw .unavailable("interrupted")
    }
  }
}

extension String {
  fileprivate func trimmingSuffix(_ suffix: String) -> String {
    count > suffix.count && hasSuffix(suffix) ? String(dropLast(suffix.count)) : self
  }
}
