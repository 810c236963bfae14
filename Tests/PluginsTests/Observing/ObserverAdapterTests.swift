import Foundation
import Logging
import RunnerHub
import Synchronization
import Testing

@testable import Plugins

@Suite("Plugins that look on", .timeLimit(.minutes(1)))
struct ObserverAdapterTests {
  /// An observer in memory.
  private final class Observer: Sendable {
    struct State {
      var batches: [ObserverParameters] = []
      var failures: [PluginError] = []
    }
    let state = Mutex(State())
    let name: String
    init(name: String = "log") { self.name = name }

    var told: [String] { state.withLock { $0.batches.flatMap(\.events).map(\.subject) } }
    var connection: ScriptedConnection {
      ScriptedConnection(name: name) { [self] call throws(PluginError) in
        let failure: PluginError? = state.withLock { $0.failures.isEmpty ? nil : $0.failures.removeFirst() }
        if let failure { throw failure }
        do {
          let batch = try PluginJSON.decoder.decode(ObserverParameters.self, from: call.parameters)
          state.withLock { $0.batches.append(batch) }
        } catch {
          throw .refused(.invalidParameters, "\(error)")
        }
        return Data("{}".utf8)
      }
    }
    func running(_ kinds: HubEventKind...) -> RunningPlugin {
      RunningPlugin(manifest: .sample(name, .observer), abilities: Set(kinds.map(PluginAbility.events)), connection: connection)
    }
    func heard(_ subjects: [String]) async throws {
      while told.count < subjects.count { try await Task.sleep(for: .milliseconds(5)) }
      #expect(told == subjects)
    }
  }

  private let feed = EventFeed()
  private let adapter: ObserverAdapter
  init() { adapter = ObserverAdapter(feed: feed, logger: Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() })) }

  private func publish(_ kind: HubEventKind, _ subjects: String...) {
    feed.publish {
      subjects.map { HubEvent(kind: kind, at: Date(timeIntervalSince1970: 0), action: "queued", subject: $0, text: "") }
    }
  }

  private func running(_ body: () async throws -> Void) async throws {
    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask { [adapter] in try await adapter.run() }
      try await body()
      group.cancelAll()
    }
  }

  @Test("each is told the kinds that it was granted, in order, from its start on")
  func kinds() async throws {
    let (jobs, all) = (Observer(name: "jobs"), Observer(name: "all"))
    try await running {
      publish(.job, "before")
      await adapter.started(jobs.running(.job))
      await adapter.started(all.running(.job, .container))
      publish(.job, "1")
      publish(.container, "2")
      publish(.job, "3")
      try await jobs.heard(["1", "3"])
      try await all.heard(["1", "2", "3"])
    }
  }

  @Test("what could not be told is told when it runs again, and nothing twice or out of order")
  func interrupted() async throws {
    let observer = Observer()
    observer.state.withLock { $0.failures = [.notRunning("it starts"), .refused(.unavailable, "disk full")] }
    try await running {
      await adapter.started(observer.running(.job))
      publish(.job, "1")
      while observer.state.withLock({ $0.failures.count }) > 1 { try await Task.sleep(for: .milliseconds(5)) }
      publish(.job, "2")
      await adapter.interrupted("log", reason: "it ended")
      await adapter.started(observer.running(.job))
      try await observer.heard(["1", "2"])
    }
  }

  @Test("a batch that is refused for good counts as missed, and the next ones go on")
  func refused() async throws {
    let observer = Observer()
    observer.state.withLock { $0.failures = [.refused(.invalid, "no")] }
    await adapter.started(observer.running(.job))
    publish(.job, "1", "2")
    try await running {
      while observer.state.withLock({ !$0.failures.isEmpty }) { try await Task.sleep(for: .milliseconds(5)) }
      publish(.job, "3")
      try await observer.heard(["3"])
      #expect(observer.state.withLock { $0.batches.map(\.missed) } == [2])
    }
  }

  @Test("one that is removed is told nothing more")
  func removed() async throws {
    let observer = Observer()
    try await running {
      await adapter.started(observer.running(.job))
      publish(.job, "1")
      try await observer.heard(["1"])
      await adapter.removed("log")
      publish(.job, "2")
      await adapter.started(observer.running(.job))
      publish(.job, "3")
      try await observer.heard(["1", "3"])
    }
  }
}
