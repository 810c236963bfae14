import Domain
import Foundation
import RunnerHub
import Synchronization

/// An engine in memory: its containers have files and a log, and their uses end when a test says so.
final class FakeEngine: ContainerEngine {
  struct Box {
    var spec: ContainerSpec
    var isRunning = false
    var exitCode: Int32?
    var files: [String: Data] = [:]
    var use = 0
    var endedUse = 0
    var log = Data()
    var isOutOfMemory = false
  }
  enum Call: Hashable { case create, start, put, list, recycle, remove, capacity, inspect, watch, fetch }
  struct State {
    var boxes: [ContainerID: Box] = [:]
    var faults: [Call: EngineError] = [:]
    var recycled: [ContainerID] = []
    /// Called while a container is being made.
    var duringCreate: (@Sendable () async -> Void)?
    /// Times that somebody began to watch, and that a watch broke off.
    var watches = 0
    var breaks = 0
    /// Containers whose log was read, and those removed, in order.
    var story: [String] = []
    /// Images that were asked for.
    var fetched: [String] = []
  }
  let name = "fake"
  let state = Mutex(State())
  /// An event of the engine. With a fault on `watch` the connection breaks instead.
  let event = WakeUp()

  var fetched: [String] { state.withLock { $0.fetched } }
  func fetch(_ image: String, anew: Bool, progress: @escaping @Sendable (String) -> Void) async throws(EngineError) {
    let fault = state.withLock { state in
      state.fetched.append(image + (anew ? " anew" : ""))
      return state.faults[.fetch]
    }
    if let fault { throw fault }
  }

  func with<Value: Sendable>(_ body: (inout sending State) -> sending Value) -> Value { state.withLock(body) }
  func set(_ fault: EngineError?, on call: Call) { state.withLock { $0.faults[call] = fault } }
  var containers: Set<ContainerID> { state.withLock { Set($0.boxes.keys) } }
  func box(_ id: ContainerID) -> Box? { state.withLock { $0.boxes[id] } }

  /// The runner of the present use ended.
  func endUse(_ id: ContainerID, log: String = "") {
    state.withLock { state in
      guard var box = state.boxes[id] else { return }
      box.endedUse = box.use
      box.log += Data(log.utf8)
      if !box.spec.isReusable { (box.isRunning, box.exitCode) = (false, 0) }
      state.boxes[id] = box
    }
  }
  /// PID 1 is killed from outside.
  func kill(_ id: ContainerID) {
    state.withLock { state in
      state.boxes[id]?.isRunning = false
      state.boxes[id]?.exitCode = 137
    }
  }
  /// The container disappears behind our back.
  func lose(_ id: ContainerID) { state.withLock { $0.boxes[id] = nil } }
  /// A container that no row knows.
  func plant(_ id: ContainerID) {
    let spec = ContainerSpec(
      id: id, pool: "p", image: "i", resources: Resources(milliCPUs: 1, memory: ByteCount(bytes: 1)), isReusable: false)
    state.withLock { $0.boxes[id] = Box(spec: spec, isRunning: true) }
  }

  private func meet(_ call: Call) throws(EngineError) {
    if let fault = state.withLock({ $0.faults[call] }) { throw fault }
  }
  /// Changes a container that must be there.
  private func change(_ id: ContainerID, _ body: (inout Box) -> EngineError?) throws(EngineError) {
    let fault = state.withLock { state -> EngineError? in
      guard var box = state.boxes[id] else { return .notFound("container \(id)") }
      let fault = body(&box)
      state.boxes[id] = box
      return fault
    }
    if let fault { throw fault }
  }

  func home(of spec: ContainerSpec) -> String { "/home/runner" }
  func capacity() async throws(EngineError) -> HostCapacity {
    try meet(.capacity)
    return HostCapacity(
      resources: Resources(milliCPUs: 64_000, memory: ByteCount(gibibytes: 256), disk: ByteCount(gibibytes: 1000), gpus: 0))
  }
  func create(_ spec: ContainerSpec) async throws(EngineError) {
    if let hook = state.withLock({ $0.duringCreate }) { await hook() }
    try meet(.create)
    state.withLock { state in if state.boxes[spec.id] == nil { state.boxes[spec.id] = Box(spec: spec) } }
  }
  func start(_ id: ContainerID) async throws(EngineError) {
    try meet(.start)
    try change(id) { box in
      if box.exitCode != nil { return .invalid("PID 1 of \(id) has ended") }
      box.isRunning = true
      return nil
    }
  }
  func put(_ files: [RunnerFile], into id: ContainerID) async throws(EngineError) {
    try meet(.put)
    try change(id) { box in
      guard box.isRunning else { return .invalid("\(id) does not run") }
      for file in files {
        box.files[file.path] = file.contents
        if file.path == ".runnerhub-go" { box.use = Int(String(decoding: file.contents, as: UTF8.self).dropLast()) ?? -1 }
      }
      return nil
    }
  }
  func list() async throws(EngineError) -> [ContainerObservation] {
    try meet(.list)
    return state.withLock { $0.boxes.map { Self.observation($0.key, $0.value) } }
  }
  func inspect(_ id: ContainerID) async throws(EngineError) -> ContainerObservation? {
    try meet(.inspect)
    return box(id).map { Self.observation(id, $0) }
  }
  func log(of id: ContainerID, use: Int, from offset: Int64) async throws(EngineError) -> Data {
    state.withLock { state in
      state.story.append("log \(id)")
      return Data(state.boxes[id]?.log.dropFirst(Int(offset)) ?? Data())
    }
  }
  func update(_ id: ContainerID, to resources: Resources) async throws(EngineError) { throw .invalid("limits cannot be changed") }
  func recycle(_ id: ContainerID) async throws(EngineError) {
    try meet(.recycle)
    state.withLock { $0.recycled.append(id) }
    try change(id) { box in
      guard box.isRunning else { return .invalid("\(id) does not run") }
      (box.files, box.log) = ([:], Data())
      return nil
    }
  }
  func remove(_ id: ContainerID) async throws(EngineError) {
    try meet(.remove)
    state.withLock { state in
      state.story.append("remove \(id)")
      state.boxes[id] = nil
    }
  }

  func watch(_ look: @Sendable () async -> Void) async throws(EngineError) {
    state.withLock { $0.watches += 1 }
    while !Task.isCancelled {
      await look()
      await event.wait()
      guard let fault = state.withLock({ $0.faults[.watch] }) else { continue }
      state.withLock { $0.breaks += 1 }
      throw fault
    }
  }

  private static func observation(_ id: ContainerID, _ box: Box) -> ContainerObservation {
    let status: ContainerObservation.Status = box.isRunning ? .running : box.exitCode.map { .exited(code: $0) } ?? .created
    var seen = ContainerObservation(id: id, status: status, endedUse: box.endedUse == 0 ? nil : box.endedUse)
    seen.isOutOfMemory = box.isOutOfMemory
    return seen
  }
}
