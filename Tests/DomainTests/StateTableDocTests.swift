import Domain
import Foundation
import Testing

/// Draws the state tables as text, and compares with what stands in the documentation.
@Suite("The state tables as documented")
struct StateTableDocTests {
  @Test("docs/state-tables.md shows the tables of the code; RUNNERHUB_DRAW_TABLES=1 draws it anew")
  func documentIsTrue() throws {
    let file = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
      .appending(path: "docs/state-tables.md")
    let drawn = StateTables.document
    if ProcessInfo.processInfo.environment["RUNNERHUB_DRAW_TABLES"] == "1" {
      try FileManager.default.createDirectory(at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
      try Data(drawn.utf8).write(to: file)
    }
    let written = try String(decoding: Data(contentsOf: file), as: UTF8.self)
    #expect(written == drawn, "draw docs/state-tables.md anew with RUNNERHUB_DRAW_TABLES=1 swift test --filter StateTableDocTests")
  }
}

enum StateTables {
  /// Every kind of job event, with a name for people.
  static let jobEvents: [(name: String, event: JobEvent)] = [
    ("queued (forge)", .queuedAtForge), ("waiting (forge)", .waitingAtForge), ("in_progress, our runner (forge)", .inProgress(ours: true)),
    ("in_progress, other runner (forge)", .inProgress(ours: false)), ("completed: success (forge)", .completedAtForge(.success)),
    ("completed: cancelled (forge)", .completedAtForge(.cancelled)), ("refuse", .refuse), ("forward", .forward), ("enqueue", .enqueue),
    ("assign", .assign), ("start", .start), ("start failed, tries left", .startFailed(triesLeft: 1)),
    ("start failed, none left", .startFailed(triesLeft: 0)), ("requeue", .requeue), ("fall back", .fallBack),
  ]

  static var document: String {
    """
    # State tables

    Drawn from the code by `Tests/DomainTests/StateTableDocTests.swift`, which fails when this page is not what the code does.
    Rows are states, columns events. `·`: nothing changes. `✗`: RunnerHub never decides this here; a request for it is a defect.

    ## Job (`Sources/Domain/JobState.swift`)

    Events of the forge come in any order and number. They never move a job backwards, and none of them is `✗`.

    \(table("state", JobState.allCases.map(\.rawValue), jobEvents.map(\.name), job))

    ## Container (`Sources/Domain/Container.swift`)

    \(table("state", ContainerState.allCases.map(\.rawValue), ContainerEvent.allCases.map { "\($0)" }, container))

    ## Plugin (`Sources/Domain/PluginState.swift`)

    \(table("state", PluginState.allCases.map(\.rawValue), PluginEvent.allCases.map { "\($0)" }, plugin))

    ## Orchestrator (`Sources/Domain/OrchestratorState.swift`)

    Derived from signals; the first line that holds decides. Below it: which state may follow which.

    \(table("signals", signals.map(\.name), ["state"]) { row, _ in OrchestratorState(signals[row].signals).rawValue })

    \(table("state", OrchestratorState.allCases.map(\.rawValue), OrchestratorState.allCases.map(\.rawValue), orchestrator))

    """
  }

  static let signals: [(name: String, signals: OrchestratorState.Signals)] = [
    ("has stopped", .init(hasStopped: true, hasCriticalFailure: true)), ("the store fails", .init(hasCriticalFailure: true)),
    ("drains", .init(hasStarted: true, isDraining: true, activeJobs: 1)), ("a part has not answered since the start", .init(activeJobs: 1)),
    ("a pool changes its size", .init(hasStarted: true, activeJobs: 1, changingContainers: 1)),
    ("a job holds a container", .init(hasStarted: true, activeJobs: 1)), ("none of these", .init(hasStarted: true)),
  ]

  private static func job(_ row: Int, _ column: Int) -> String {
    switch JobState.allCases[row].transition(on: jobEvents[column].event) {
    case .to(let state): state.rawValue
    case .stays: "·"
    case .illegal: "✗"
    }
  }
  private static func container(_ row: Int, _ column: Int) -> String {
    ContainerState.allCases[row].next(on: ContainerEvent.allCases[column])?.rawValue ?? "·"
  }
  private static func plugin(_ row: Int, _ column: Int) -> String {
    PluginState.allCases[row].next(on: PluginEvent.allCases[column])?.rawValue ?? "·"
  }
  private static func orchestrator(_ row: Int, _ column: Int) -> String {
    OrchestratorState.allCases[row].successors.contains(OrchestratorState.allCases[column]) ? "→" : " "
  }

  /// A Markdown table with one column a name.
  private static func table(_ corner: String, _ rows: [String], _ columns: [String], _ cell: (Int, Int) -> String) -> String {
    let head = "| \(corner) | \(columns.joined(separator: " | ")) |\n|---|\(columns.map { _ in "---|" }.joined())"
    let lines = rows.indices.map { row in
      "| **\(rows[row])** | \(columns.indices.map { cell(row, $0) }.joined(separator: " | ")) |"
    }
    return ([head] + lines).joined(separator: "\n")
  }
}
