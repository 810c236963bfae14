import Domain
import Foundation
package import Logging
import Scheduling
import Synchronization

/// Carries assignments and containers through their lives: whatever the store says is owed to an engine or to the forge is done here,
/// concurrently and within bounds, and found done when it is done twice.
package struct ContainerAssignmentManager: Sendable {
  /// One thing with one owner: no two tasks work on the same assignment or the same container.
  private enum Item: Hashable, Sendable {
    case assignment(AssignmentID)
    case container(ContainerID)
  }

  private struct Agenda {
    var underWay: Set<Item> = []
    /// Not before this time, after a `ComeBack` or a fault.
    var notBefore: [Item: Date] = [:]
    var faults: [Item: Int] = [:]
    var places: StartPlaces
    /// When the loop looked last.
    var lookedAt = Date.distantPast
    /// Starts that were owed at the last look and found no free place.
    var backlog: ArraySlice<(item: Item, start: StartPlaces.Start)> = []

    func isFree(_ item: Item, at now: Date) -> Bool { !underWay.contains(item) && notBefore[item] ?? now <= now }
  }

  private let transactor: Transactor
  private let engines: EngineRoster
  private let start: RunnerStart
  private let release: RunnerRelease
  private let retry = Retry(maximumTries: .max, base: 0.5, cap: 30)
  private let logger: Logger
  private let agenda: Shared<Agenda>

  package init(
    transactor: Transactor, engines: EngineRoster, forge: any Forge, logs: LogCollector, settings: Settings, drain: DrainSwitch,
    memory: FleetMemory = FleetMemory(), logger: Logger
  ) {
    self.transactor = transactor
    self.engines = engines
    self.logger = logger
    agenda = Shared(Agenda(places: StartPlaces(all: settings.maximumStarts, byMaker: settings.startsByEngine)))
    start = RunnerStart(
      transactor: transactor, engines: engines, forge: forge, settings: settings, retry: .starts, memory: memory, logger: logger)
    release = RunnerRelease(
      transactor: transactor, engines: engines, forge: forge, logs: logs, settings: settings, drain: drain, logger: logger)
  }

  /// Works until cancelled. The first turn goes on with what an earlier process left.
  package func run() async throws {
    try await withThrowingDiscardingTaskGroup { group in
      var pace = Pace()
      while !Task.isCancelled {
        let items: [(item: Item, start: StartPlaces.Start?)]
        do {
          let start = transactor.currentTime
          items = try await claim()
          pace.noteTurn(from: start, to: transactor.currentTime)
        } catch {
          logger.error("assignments could not be read", metadata: ["error": "\(error)"])
          await transactor.signals.assignments.wait(until: transactor.currentTime.addingTimeInterval(1))
          continue
        }
        for item in items {
          group.addTask {
            await perform(item.item)
            var done = item.start
            while let start = done, let next = takeOver(from: start) {
              await perform(next.item)
              done = next.start
            }
            transactor.signals.assignments.notify()
          }
        }
        await transactor.signals.assignments.wait(until: nextTime())
        await pace.wait(now: transactor.currentTime)
      }
      group.cancelAll()
    }
  }

  /// Takes what is owed, is not under way, and is due.
  private func claim() async throws(StoreError) -> [(item: Item, start: StartPlaces.Start?)] {
    let containers = try await transactor.store.liveContainers()
    /// Engines of the containers that are still to be made.
    let makers = Dictionary(
      containers.lazy.filter { $0.state == .creating }.map { ($0.id, $0.engine) }, uniquingKeysWith: { first, _ in first })
    var owed: [(item: Item, start: StartPlaces.Start?)] = []
    for assignment in try await transactor.store.activeAssignments() {
      switch assignment.phase {
      case .bound, .registered: owed.append((.assignment(assignment.id), .init(maker: makers[assignment.containerID])))
      case .releasing: owed.append((.assignment(assignment.id), nil))
      case .started, .running, .released: break
      }
    }
    for container in containers where container.assignment == nil {
      switch container.state {
      case .creating: owed.append((.container(container.id), .init(maker: container.engine)))
      case .terminating: owed.append((.container(container.id), nil))
      case .draining, .ready, .assigned, .busy, .unhealthy, .gone: break
      }
    }
    let now = transactor.currentTime
    return agenda.withLock { agenda in
      agenda.lookedAt = now
      let owedItems = Set(owed.map(\.item))
      agenda.notBefore = agenda.notBefore.filter { owedItems.contains($0.key) }
      agenda.faults = agenda.faults.filter { owedItems.contains($0.key) }
      var claimed: [(item: Item, start: StartPlaces.Start?)] = []
      agenda.backlog = []
      for (item, start) in owed where agenda.isFree(item, at: now) {
        if let start, !agenda.places.take(start) {
          agenda.backlog.append((item, start))
          continue
        }
        agenda.underWay.insert(item)
        claimed.append((item, start))
      }
      return claimed
    }
  }

  /// Gives back the place of a start that is done, and takes the next start of the backlog that has one, without another look at all that
  /// lives. Whether it is still owed, it finds out itself.
  private func takeOver(from done: StartPlaces.Start) -> (item: Item, start: StartPlaces.Start)? {
    let now = transactor.currentTime
    return agenda.withLock { agenda in
      agenda.places.giveBack(done)
      while let index = agenda.backlog.firstIndex(where: { agenda.places.isFree(for: $0.start) }) {
        let next = index == agenda.backlog.startIndex ? agenda.backlog.removeFirst() : agenda.backlog.remove(at: index)
        guard agenda.isFree(next.item, at: now), agenda.places.take(next.start) else { continue }
        agenda.underWay.insert(next.item)
        return next
      }
      return nil
    }
  }

  private func nextTime() -> Date? {
    // What was due at the last look waits for a free place, and a place that becomes free wakes the loop.
    agenda.withLock { agenda in
      agenda.notBefore.filter { !agenda.underWay.contains($0.key) && $0.value > agenda.lookedAt }.values.min()
    }
  }

  /// Does what is owed for it. What has to come back tells the loop, which may sleep for longer.
  private func perform(_ item: Item) async {
    var again: Date?
    var isFault = false
    do {
      switch item {
      case .assignment(let id):
        try await start.run(id)
        try await release.run(id)
      case .container(let id): try await tend(id)
      }
    } catch let comeBack as ComeBack {
      again = comeBack.at
      let level: Logger.Level = comeBack.at > transactor.currentTime.addingTimeInterval(1) ? .info : .debug
      logger.log(level: level, "a step waits", metadata: ["item": "\(item)", "reason": "\(comeBack)"])
    } catch {
      isFault = true
      logger.error("a step failed and is done again", metadata: ["item": "\(item)", "error": "\(error)"])
    }
    let now = transactor.currentTime
    agenda.withLock { agenda in
      agenda.underWay.remove(item)
      if isFault {
        let faults = (agenda.faults[item] ?? 0) + 1
        agenda.faults[item] = faults
        again = now.addingTimeInterval(0.1 + retry.delay(afterFailures: faults, random: .random(in: 0..<1)))
      } else {
        agenda.faults[item] = nil
      }
      agenda.notBefore[item] = again
    }
    if again != nil { transactor.signals.assignments.notify() }
  }

  /// A container without an assignment: made warm, or ended.
  func tend(_ id: ContainerID) async throws {
    guard let container = try await transactor.store.container(id), container.assignment == nil else { return }
    switch container.state {
    case .creating: try await warm(container)
    case .terminating: try await end(container)
    case .ready, .assigned, .busy, .draining, .unhealthy, .gone: return
    }
  }

  private func warm(_ container: Container) async throws {
    do throws(EngineError) {
      let engine = try engines.engine(of: container)
      try await engine.create(engines.spec(of: container))
      try await engine.start(container.id)
    } catch {
      if case .unavailable(let reason) = error { throw ComeBack(at: transactor.currentTime.addingTimeInterval(2), reason: reason) }
      logger.warning("a warm container could not be made", metadata: ["container": "\(container.id)", "error": "\(error)"])
      try await transactor.transact(.warmingFailed) { (unit) throws(StoreError) in
        // A job that was bound to it meanwhile meets the same fault in its own start.
        guard var row = try await unit.container(container.id), row.assignment == nil, row.state == .creating else { return }
        row.release(.terminate, cause: "could not be made: \(error)", at: unit.now)
        unit.put(row)
      }
      return
    }
    try await transactor.transact(.containerWarmed) { (unit) throws(StoreError) in
      guard var row = try await unit.container(container.id) else { return }
      row.becomeReady(at: unit.now)
      unit.put(row)
    }
  }

  private func end(_ container: Container) async throws {
    do throws(EngineError) {
      if let engine = engines.engines[container.engine] { try await engine.remove(container.id) }
    } catch {
      throw ComeBack(at: transactor.currentTime.addingTimeInterval(2), reason: error.description)
    }
    try await transactor.transact(.containerEnded) { (unit) throws(StoreError) in
      guard var row = try await unit.container(container.id), let gone = row.state.next(on: .vanished) else { return }
      row.state = gone
      unit.put(row)
    }
  }

}

/// A value behind a lock, shared by the copies of a struct.
final class Shared<Value: Sendable>: Sendable {
  private let mutex: Mutex<Value>
  init(_ value: Value) { mutex = Mutex(value) }
  func withLock<Result: Sendable>(_ body: (inout Value) -> Result) -> Result {
    mutex.withLock { value in body(&value) }
  }
}
