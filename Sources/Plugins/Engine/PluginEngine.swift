package import Domain
package import Foundation
package import RunnerHub
internal import Synchronization

/// Containers that a plugin runs: the port of the core over `engine/*`.
///
/// It stands for as long as a pool names it, and the plugin comes and goes: while it is not there every call is `unavailable`, so jobs of its
/// pools wait, and those of others go on.
package final class PluginEngine: ContainerEngine {
  package let name: String
  private let firstProcess: Data
  private let connection = Mutex<(any PluginConnection)?>(nil)
  private let news = WakeUp()
  /// Bytes of files in one message, which holds 4 MiB with everything in Base64.
  private static let mostFiles = 2 << 20
  /// Of a list.
  private static let mostContainers = 10_000
  /// Time for making a container; an image may have to be fetched. The plugin's progress renews it.
  private static let makingLimit: Duration = .seconds(600)

  /// - Parameters:
  ///   - name: of the plugin, which pools name as their engine.
  ///   - firstProcess: `init.sh`, which the plugin may ask for.
  package init(name: String, firstProcess: Data) {
    self.name = name
    self.firstProcess = firstProcess
  }

  /// From here on calls go there; nil: it is gone for good.
  package func connect(_ connection: (any PluginConnection)?) {
    self.connection.withLock { $0 = connection }
    news.notify()
  }

  /// The plugin says that it is worth to look.
  func changed() { news.notify() }

  /// `engine/init`
  func firstProcessMessage() throws -> Data { try PluginJSON.encoder.encode(EngineMessages.FirstProcess(script: firstProcess)) }

  // MARK: - The port

  package func home(of spec: ContainerSpec) async throws(EngineError) -> String {
    try MachineName.check(spec.id)
    let question = EngineMessages.HomeQuestion(id: spec.id.rawValue, pool: spec.pool, image: spec.image)
    let answer: EngineMessages.Home = try await call("home", question)
    let path = answer.home
    guard path.hasPrefix("/"), path.utf8.count <= 4096, !path.contains(where: { $0.isNewline || $0 == "\0" }) else {
      throw malformed("the runner's home is '\(path.prefix(100))', not an absolute path")
    }
    return path
  }

  package func capacity() async throws(EngineError) -> HostCapacity {
    let all: EngineMessages.Capacity = try await call("capacity", PluginNothing())
    guard (0...1_000_000_000_000).contains(all.milliCPUs), all.memory >= 0, all.disk >= 0, (0...1_000_000).contains(all.gpus ?? 0) else {
      throw malformed("a capacity that cannot be")
    }
    return HostCapacity(
      resources: Resources(
        milliCPUs: all.milliCPUs, memory: ByteCount(bytes: all.memory), disk: ByteCount(bytes: all.disk), gpus: all.gpus ?? 0))
  }

  package func create(_ spec: ContainerSpec) async throws(EngineError) {
    try MachineName.check(spec.id)
    try await perform("create", EngineMessages.Creation(spec), limit: Self.makingLimit)
  }

  package func start(_ id: ContainerID) async throws(EngineError) {
    try MachineName.check(id)
    try await perform("start", EngineMessages.One(id: id.rawValue), limit: Self.makingLimit)
  }

  package func put(_ files: [RunnerFile], into id: ContainerID) async throws(EngineError) {
    try MachineName.check(id)
    // All of them before the first is sent: none is put where one is refused.
    for file in files {
      try MachineName.checkPath(file.path)
      guard file.contents.count <= Self.mostFiles else {
        throw .invalid("\(file.path) has \(file.contents.count) bytes; a file for \(name) has \(Self.mostFiles) at most")
      }
    }
    for batch in Self.batches(files) {
      let files = batch.map { EngineMessages.File(path: $0.path, contents: $0.contents, mode: $0.mode & 0o777) }
      try await perform("put", EngineMessages.Put(id: id.rawValue, files: files))
    }
  }

  /// As many files in one message as fit, in order; one message where there are none, which still says whether the container can take any.
  private static func batches(_ files: [RunnerFile]) -> [[RunnerFile]] {
    var batches: [[RunnerFile]] = [[]]
    var size = 0
    for file in files {
      if size + file.contents.count > mostFiles {
        batches.append([])
        size = 0
      }
      batches[batches.count - 1].append(file)
      size += file.contents.count + file.path.utf8.count
    }
    return batches
  }

  package func list() async throws(EngineError) -> [ContainerObservation] {
    let answer: EngineMessages.List = try await call("list", PluginNothing())
    guard answer.containers.count <= Self.mostContainers else { throw malformed("a list of \(answer.containers.count) containers") }
    var found: [ContainerObservation] = []
    for container in answer.containers { found.append(try checked(container)) }
    guard Set(found.map(\.id)).count == found.count else { throw malformed("a list that names a container twice") }
    return found
  }

  package func inspect(_ id: ContainerID) async throws(EngineError) -> ContainerObservation? {
    try MachineName.check(id)
    let answer: EngineMessages.Inspection = try await call("inspect", EngineMessages.One(id: id.rawValue))
    guard let container = answer.container else { return nil }
    let seen = try checked(container)
    guard seen.id == id else { throw malformed("asked for \(id), it speaks of \(seen.id)") }
    return seen
  }

  package func log(of id: ContainerID, use: Int, from offset: Int64) async throws(EngineError) -> Data {
    try MachineName.check(id)
    guard use > 0, offset >= 0 else { throw .invalid("use \(use) from byte \(offset): uses count from 1, bytes from 0") }
    let answer: EngineMessages.Log = try await call("log", EngineMessages.LogQuestion(id: id.rawValue, use: use, offset: offset))
    guard answer.data.count <= 1 << 20 else { throw malformed("\(answer.data.count) bytes of a log in one answer") }
    return answer.data
  }

  package func update(_ id: ContainerID, to resources: Resources) async throws(EngineError) {
    try MachineName.check(id)
    try await perform(
      "update",
      EngineMessages.Update(
        id: id.rawValue, milliCPUs: resources.milliCPUs, memory: resources.memory.bytes, disk: resources.disk.bytes, gpus: resources.gpus))
  }

  package func recycle(_ id: ContainerID) async throws(EngineError) {
    try MachineName.check(id)
    try await perform("recycle", EngineMessages.One(id: id.rawValue), limit: .seconds(120))
  }

  package func remove(_ id: ContainerID) async throws(EngineError) {
    try MachineName.check(id)
    try await perform("remove", EngineMessages.One(id: id.rawValue), limit: .seconds(120))
  }

  package func watch(_ look: @Sendable () async -> Void) async throws(EngineError) {
    await look()
    while !Task.isCancelled {
      await news.wait()
      if !Task.isCancelled { await look() }
    }
  }

  // MARK: - Parts

  private func perform(_ method: String, _ parameters: some Encodable & Sendable, limit: Duration? = nil) async throws(EngineError) {
    let _: PluginNothing = try await call(method, parameters, limit: limit)
  }

  private func call<Result: Decodable & Sendable>(
    _ method: String, _ parameters: some Encodable & Sendable, limit: Duration? = nil
  ) async throws(EngineError) -> Result {
    guard let connection = connection.withLock({ $0 }) else {
      throw .unavailable("the plugin \(name) is not there; see runnerhub plugin list")
    }
    do throws(PluginError) {
      return try await connection.call("engine/\(method)", parameters, limit: limit)
    } catch {
      throw EngineError(error, of: name)
    }
  }

  private func checked(_ container: EngineMessages.Container) throws(EngineError) -> ContainerObservation {
    do throws(PluginError) {
      return try container.checked()
    } catch {
      throw EngineError(error, of: name)
    }
  }

  private func malformed(_ what: String) -> EngineError { EngineError(.malformed(PrintableText.line(what)), of: name) }
}

extension EngineError {
  /// What a plugin's error means to the core: whether it is worth to ask again.
  init(_ error: PluginError, of plugin: String) {
    switch error {
    case .notRunning, .timedOut, .malformed, .throttled: self = .unavailable("\(plugin): \(error)")
    case .refused(.notFound, let why): self = .notFound(why)
    case .refused(.unavailable, let why), .refused(.cancelled, let why): self = .unavailable("\(plugin): \(why)")
    case .refused(.failed, let why), .refused(.invalid, let why), .refused(.forbidden, let why), .refused(.alreadyExists, let why),
      .refused(.methodNotFound, let why), .refused(.invalidParameters, let why):
      self = .invalid("\(plugin): \(why)")
    }
  }
}
