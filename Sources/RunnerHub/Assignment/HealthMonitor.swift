import Domain
import Foundation
package import Logging
import Scheduling

/// Compares the store with what the engines have: one list call for each engine and interval, and sooner when an engine says that something
/// has changed. What is ill is isolated, what is gone is noted, and what nobody knows is removed.
package struct HealthMonitor: Sendable {
  private let transactor: Transactor
  private let engines: EngineRoster
  private let reconciler: Reconciler
  private let hysteresis: HealthHysteresis
  private let interval: Duration
  private let monitor: OrchestratorMonitor
  private let logger: Logger
  /// What is wrong with each engine that does not answer.
  private let failing = Shared([String: String]())

  package init(
    transactor: Transactor, engines: EngineRoster, reconciler: Reconciler, settings: Settings, monitor: OrchestratorMonitor, logger: Logger
  ) {
    self.transactor = transactor
    self.engines = engines
    self.reconciler = reconciler
    hysteresis = HealthHysteresis(isolateAfter: settings.unhealthyAfter, reintegrateAfter: settings.healthyAfter)
    interval = settings.healthCheckInterval
    self.monitor = monitor
    self.logger = logger
  }

  /// Checks until cancelled: at once, at each interval, and soon after each hint of an engine.
  package func run() async throws {
    try await withThrowingDiscardingTaskGroup { group in
      for engine in engines.engines.values {
        let hint = WakeUp()
        group.addTask { try await watch(engine) { hint.notify() } }
        group.addTask {
          while !Task.isCancelled {
            await check(engine)
            let next = Date().addingTimeInterval(interval / .seconds(1))
            repeat {
              await hint.wait(until: next)
              if Date() >= next { break }
              // What ends in the same moment is looked at together.
              try await Task.sleep(for: Self.gathering)
              await look(at: engine)
            } while !Task.isCancelled && Date() < next
          }
        }
      }
    }
  }

  private static let gathering: Duration = .milliseconds(500)

  /// Follows an engine's events, over every break of the connection.
  private func watch(_ engine: any ContainerEngine, _ look: @escaping @Sendable () -> Void) async throws {
    while !Task.isCancelled {
      do {
        try await engine.watch { look() }
      } catch {
        logger.info("an engine's events broke off", metadata: ["engine": "\(engine.name)", "error": "\(error)"])
      }
      // What happened meanwhile is seen by the next look, to which `watch` asks when it listens again.
      try await Task.sleep(for: .seconds(1))
    }
  }

  /// One engine's containers.
  package func check(_ engine: any ContainerEngine) async {
    do {
      // The rows first: a container that is made after this is in neither, one that ended meanwhile is looked at again next time.
      let rows = try await transactor.store.liveContainers().filter { $0.engine == engine.name }
      let observations: [ContainerObservation]
      do {
        observations = try await engine.list()
      } catch {
        // The end of this process is no fault of the engine's.
        if Task.isCancelled { return }
        note(engine, failure: "\(engine.name): \(error)")
        try await judge(rows, failure: "engine \(engine.name) does not answer: \(error)")
        return
      }
      note(engine, failure: nil)
      let seen = Dictionary(observations.map { ($0.id, $0) }, uniquingKeysWith: { first, _ in first })
      // Heartbeats first: what is lost may mean asking the forge, which takes its time.
      try await judge(rows.filter { seen[$0.id]?.status == .running }, failure: nil)
      try await compare(rows, seen)
      try await removeStrangers(among: observations, of: engine)
    } catch {
      logger.error("a health check failed", metadata: ["engine": "\(engine.name)", "error": "\(error)"])
    }
  }

  /// After a hint: only who has ended. It counts as no check, so that hysteresis stays a matter of intervals.
  private func look(at engine: any ContainerEngine) async {
    do {
      let rows = try await transactor.store.liveContainers().filter { $0.engine == engine.name }
      let observations = try await engine.list()
      try await compare(rows, Dictionary(observations.map { ($0.id, $0) }, uniquingKeysWith: { first, _ in first }))
    } catch {
      logger.info("a look after a hint failed; the next check sees it", metadata: ["engine": "\(engine.name)", "error": "\(error)"])
    }
  }

  /// Working as long as every engine does.
  private func note(_ engine: any ContainerEngine, failure: String?) {
    let failures = failing.withLock { failing in
      failing[engine.name] = failure
      return failing.sorted { $0.key < $1.key }.map(\.value)
    }
    if failures.isEmpty {
      monitor.report(.engine, at: transactor.currentTime)
    } else {
      monitor.report(.engine, failing: failures.joined(separator: "; "), at: transactor.currentTime)
    }
  }

  /// What has ended or is gone, and what ran out of memory.
  private func compare(_ rows: [Container], _ seen: [ContainerID: ContainerObservation]) async throws {
    for row in rows where row.state != .creating && row.state != .terminating {
      guard let observation = seen[row.id] else {
        try await lost(row, cause: "container \(row.name) is gone from engine \(row.engine)", isGone: true)
        continue
      }
      if observation.isOutOfMemory, let assignment = row.assignment {
        try await transactor.transact(.lossNoted) { (unit) throws(StoreError) in try await unit.note(row.wantOfMemory, on: assignment) }
      }
      if case .exited(let code) = observation.status, row.state != .busy {
        let memory = observation.isOutOfMemory ? " for want of memory" : ""
        try await lost(row, cause: "PID 1 of container \(row.name) ended\(code.map { " with \($0)" } ?? "")\(memory)", isGone: false)
      }
    }
  }

  /// Counts one check of each container; isolates and reintegrates.
  private func judge(_ rows: [Container], failure: String?) async throws(StoreError) {
    guard !rows.isEmpty else { return }
    try await transactor.transact(.healthJudged) { (unit) throws(StoreError) in
      for row in rows {
        guard var container = try await unit.container(row.id), container.state.isLive, container.state != .creating else { continue }
        let (status, outcome) = hysteresis.record(failure: failure, on: container.health)
        container.health = status
        if failure == nil { container.lastHeartbeat = unit.now }
        switch outcome {
        case .isolate:
          // A busy container keeps its job: isolation means that it gets no other.
          if container.assignment == nil, let state = container.state.next(on: .becameUnhealthy) { container.state = state }
        case .reintegrate:
          if let state = container.state.next(on: .recovered) { container.state = state }
        case .unchanged: break
        }
        unit.put(container)
      }
    }
  }

  /// A container that cannot serve any more. Whether its job has begun, only the forge knows.
  private func lost(_ row: Container, cause: String, isGone: Bool) async throws {
    if let assignment = row.assignment {
      return try await reconciler.containerLost(assignment, cause: cause)
    }
    logger.warning("a container is lost", metadata: ["container": "\(row.id)", "cause": "\(cause)"])
    try await transactor.transact(.containerLost) { (unit) throws(StoreError) in
      guard var container = try await unit.container(row.id), container.assignment == nil else { return }
      if let state = container.state.next(on: isGone ? .vanished : .terminate) { container.state = state }
      container.endReason = cause
      unit.put(container)
    }
  }

  /// Containers of ours that no live row knows: made by an old leader, or left by a removal that was cut short.
  private func removeStrangers(among observations: [ContainerObservation], of engine: any ContainerEngine) async throws {
    for observation in observations {
      let row = try await transactor.store.container(observation.id)
      if let row, row.state.isLive { continue }
      logger.warning("an unknown container is removed", metadata: ["container": "\(observation.id)"])
      do {
        try await engine.remove(observation.id)
      } catch {
        logger.error("an unknown container stays for now", metadata: ["container": "\(observation.id)", "error": "\(error)"])
      }
    }
  }
}
