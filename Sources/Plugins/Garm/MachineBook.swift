internal import Domain
internal import Foundation
internal import RunnerHub
internal import Synchronization

/// The machines of one engine, in memory and on disk, and who waits for news of them.
actor MachineBook {
  private let folder: MachineFolder
  /// Names whose records could not be read. Their machines may live: the provider's list shows them, and they are removed as ones that nobody knows.
  nonisolated let unreadable: [String]
  private var machines: [ContainerID: GarmMachine] = [:]
  private var files: [ContainerID: [RunnerFile]] = [:]
  private var logSizes: [ContainerID: Int64] = [:]
  private var bells: [ContainerID: WakeUp] = [:]
  /// Rung at every change that an engine's `watch` is for.
  nonisolated let news = WakeUp()
  /// Machines that are to go: asked without waiting, by whoever runs a provider for them.
  nonisolated let unwanted = UnwantedMachines()

  init(folder: MachineFolder) throws(EngineError) {
    self.folder = folder
    let known = folder.machines()
    unreadable = known.unreadable
    for machine in known.found {
      machines[machine.id] = machine
      files[machine.id] = try folder.files(of: machine.id)
      logSizes[machine.id] = folder.logSize(of: machine.id)
      if machine.isUnwanted { unwanted.insert(machine.id) }
    }
  }

  func machine(_ id: ContainerID) -> GarmMachine? { machines[id] }
  func all() -> [GarmMachine] { machines.values.sorted { $0.id < $1.id } }
  func files(of id: ContainerID) -> [RunnerFile] { files[id] ?? [] }

  /// - Returns: the one that is there, or this one, which is written down first.
  func insert(_ machine: GarmMachine) throws(EngineError) -> GarmMachine {
    if let known = machines[machine.id] { return known }
    try folder.write(machine)
    machines[machine.id] = machine
    return machine
  }

  /// Changes a record, on disk before in memory.
  /// - Returns: the changed one; nil where there is none any more.
  @discardableResult
  func update(_ id: ContainerID, _ change: @Sendable (inout GarmMachine) -> Void) throws(EngineError) -> GarmMachine? {
    guard let before = machines[id] else { return nil }
    var machine = before
    change(&machine)
    guard machine != before else { return machine }
    try folder.write(machine)
    machines[id] = machine
    if machine.isUnwanted { unwanted.insert(id) }
    if machine.hasEnded { try forgetFiles(of: id) }
    bells[id]?.notify()
    news.notify()
    return machine
  }

  /// Adds files to those that lie ready, in place of older ones of their names.
  func put(_ new: [RunnerFile], into id: ContainerID) throws(EngineError) {
    var kept = files[id] ?? []
    for file in new {
      kept.removeAll { $0.path == file.path }
      kept.append(file)
    }
    try folder.write(kept, of: id)
    files[id] = kept
  }

  func remove(_ id: ContainerID) throws(EngineError) {
    try folder.remove(id)
    machines[id] = nil
    files[id] = nil
    logSizes[id] = nil
    bells.removeValue(forKey: id)?.notify()
    unwanted.remove(id)
    news.notify()
  }

  /// Rung when the record changes.
  func bell(of id: ContainerID) -> WakeUp {
    if let bell = bells[id] { return bell }
    let bell = WakeUp()
    bells[id] = bell
    return bell
  }

  // MARK: - Logs

  /// Takes bytes that begin exactly where the log ends; others are not taken.
  /// - Parameter most: bytes of the whole log; what is beyond is thrown away and counts as taken.
  /// - Returns: where the next ones must begin, and whether these were taken.
  func append(_ bytes: Data, at offset: Int64, toLogOf id: ContainerID, most: Int64) throws(EngineError) -> (end: Int64, isTaken: Bool) {
    let size = logSizes[id] ?? 0
    guard offset == size else { return (size, false) }
    let kept = bytes.prefix(Int(clamping: max(0, most - size)))
    if !kept.isEmpty { try folder.append(kept, toLogOf: id) }
    logSizes[id] = size + Int64(bytes.count)
    return (size + Int64(bytes.count), true)
  }

  nonisolated func log(of id: ContainerID, from offset: Int64) throws(EngineError) -> Data {
    try folder.log(of: id, from: offset, most: 1 << 20)
  }

  private func forgetFiles(of id: ContainerID) throws(EngineError) {
    try folder.forgetFiles(of: id)
    files[id] = nil
  }
}

/// Asked from threads that run providers.
final class UnwantedMachines: Sendable {
  private let ids = Mutex<Set<ContainerID>>([])
  func insert(_ id: ContainerID) { ids.withLock { _ = $0.insert(id) } }
  func remove(_ id: ContainerID) { ids.withLock { _ = $0.remove(id) } }
  func contains(_ id: ContainerID) -> Bool { ids.withLock { $0.contains(id) } }
}

/// One at a time for each key, in the order in which they came.
actor Turnstile<Key: Hashable & Sendable> {
  private var waiting: [Key: [CheckedContinuation<Void, Never>]] = [:]

  nonisolated func pass<Value: Sendable, Failure: Error>(
    _ key: Key, _ body: () async throws(Failure) -> Value
  ) async throws(Failure) -> Value {
    await enter(key)
    let result: Result<Value, Failure>
    do throws(Failure) { result = .success(try await body()) } catch { result = .failure(error) }
    await leave(key)
    return try result.get()
  }

  private func enter(_ key: Key) async {
    guard waiting[key] != nil else {
      waiting[key] = []
      return
    }
    await withCheckedContinuation { waiting[key]?.append($0) }
  }

  private func leave(_ key: Key) {
    guard var others = waiting[key], !others.isEmpty else {
      waiting[key] = nil
      return
    }
    let next = others.removeFirst()
    waiting[key] = others
    next.resume()
  }
}
