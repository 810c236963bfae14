import Domain
import Foundation
import RunnerHub
import Synchronization

/// An engine that does everything at once and in memory: what is left is RunnerHub's own cost.
final class InstantEngine: ContainerEngine {
  private struct Box {
    var isRunning = false
    var use = 0
  }
  private struct State {
    var boxes: [ContainerID: Box] = [:]
    var created = 0
    var started = 0
    /// Runners that have their files.
    var handedOver = 0
  }
  let name = "instant"
  private let state = Mutex(State())

  init(running: [ContainerID] = []) {
    state.withLock { state in
      for id in running { state.boxes[id] = Box(isRunning: true, use: 1) }
    }
  }

  /// Containers asked for so far.
  var created: Int { state.withLock { $0.created } }
  var handedOver: Int { state.withLock { $0.handedOver } }

  func home(of spec: ContainerSpec) -> String { "/home/runner" }

  func capacity() async throws(EngineError) -> HostCapacity {
    HostCapacity(resources: Resources(milliCPUs: 100_000_000, memory: ByteCount(gibibytes: 1 << 20), disk: ByteCount(gibibytes: 1 << 30)))
  }

  func create(_ spec: ContainerSpec) async throws(EngineError) {
    state.withLock { state in
      guard state.boxes[spec.id] == nil else { return }
      state.boxes[spec.id] = Box()
      state.created += 1
    }
  }

  func start(_ id: ContainerID) async throws(EngineError) {
    state.withLock { $0.boxes[id]?.isRunning = true }
  }

  func put(_ files: [RunnerFile], into id: ContainerID) async throws(EngineError) {
    guard files.contains(where: { $0.path == ".runnerhub-go" }) else { return }
    state.withLock { state in
      state.boxes[id]?.use += 1
      state.handedOver += 1
    }
  }

  func list() async throws(EngineError) -> [ContainerObservation] {
    state.withLock { $0.boxes.map { Self.observation($0.key, $0.value) } }
  }

  func inspect(_ id: ContainerID) async throws(EngineError) -> ContainerObservation? {
    state.withLock { $0.boxes[id] }.map { Self.observation(id, $0) }
  }

  func log(of id: ContainerID, use: Int, from offset: Int64) async throws(EngineError) -> Data { Data() }
  func update(_ id: ContainerID, to resources: Resources) async throws(EngineError) {}
  func recycle(_ id: ContainerID) async throws(EngineError) {}
  func remove(_ id: ContainerID) async throws(EngineError) { state.withLock { $0.boxes[id] = nil } }

  private static func observation(_ id: ContainerID, _ box: Box) -> ContainerObservation {
    ContainerObservation(id: id, status: box.isRunning ? .running : .created)
  }
}
