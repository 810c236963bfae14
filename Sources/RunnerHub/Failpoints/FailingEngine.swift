import Domain
import Foundation

/// An engine with a failpoint before and after each call that changes something there. What only looks passes through.
struct FailingEngine: ContainerEngine {
  private let engine: any ContainerEngine
  private let trap: FailpointTrap

  init(_ engine: any ContainerEngine, _ trap: FailpointTrap) {
    self.engine = engine
    self.trap = trap
  }

  var name: String { engine.name }
  func home(of spec: ContainerSpec) async throws(EngineError) -> String { try await engine.home(of: spec) }
  func capacity() async throws(EngineError) -> HostCapacity { try await engine.capacity() }
  func list() async throws(EngineError) -> [ContainerObservation] { try await engine.list() }
  func inspect(_ id: ContainerID) async throws(EngineError) -> ContainerObservation? { try await engine.inspect(id) }
  func log(of id: ContainerID, use: Int, from offset: Int64) async throws(EngineError) -> Data {
    try await engine.log(of: id, use: use, from: offset)
  }

  /// Nothing that the store relies on.
  func fetch(_ image: String, anew: Bool, progress: @escaping @Sendable (String) -> Void) async throws(EngineError) {
    try await engine.fetch(image, anew: anew, progress: progress)
  }

  func watch(_ look: @Sendable () async -> Void) async throws(EngineError) { try await engine.watch(look) }

  func create(_ spec: ContainerSpec) async throws(EngineError) {
    try await trap.around(.call(.create)) { () async throws(EngineError) in try await engine.create(spec) }
  }
  func start(_ id: ContainerID) async throws(EngineError) {
    try await trap.around(.call(.start)) { () async throws(EngineError) in try await engine.start(id) }
  }
  func put(_ files: [RunnerFile], into id: ContainerID) async throws(EngineError) {
    try await trap.around(.call(.put)) { () async throws(EngineError) in try await engine.put(files, into: id) }
  }
  func update(_ id: ContainerID, to resources: Resources) async throws(EngineError) {
    try await trap.around(.call(.update)) { () async throws(EngineError) in try await engine.update(id, to: resources) }
  }
  func recycle(_ id: ContainerID) async throws(EngineError) {
    try await trap.around(.call(.recycle)) { () async throws(EngineError) in try await engine.recycle(id) }
  }
  func remove(_ id: ContainerID) async throws(EngineError) {
    try await trap.around(.call(.remove)) { () async throws(EngineError) in try await engine.remove(id) }
  }
}
