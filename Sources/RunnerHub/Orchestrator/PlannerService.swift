package import Foundation
package import Logging
import Scheduling

/// The one serial planner: bindings first, then the sizes of pools, turn by turn in one task, so that no two turns count on the same room.
package struct PlannerService: Sendable {
  private let planning: PlanningTurn
  private let scaling: ScalingTurn
  private let policies: any PolicySource
  private let signals: Signals
  private let drain: DrainSwitch
  private let interval: TimeInterval
  private let now: @Sendable () -> Date
  private let logger: Logger
  /// Seconds between two turns of scaling at least, however much changes.
  package static let spacing: TimeInterval = 0.2

  /// - Parameter interval: seconds between two turns of scaling at most.
  package init(
    planning: PlanningTurn, scaling: ScalingTurn, policies: any PolicySource, signals: Signals, drain: DrainSwitch, interval: TimeInterval,
    logger: Logger, now: @escaping @Sendable () -> Date = { Date() }
  ) {
    self.planning = planning
    self.scaling = scaling
    self.policies = policies
    self.signals = signals
    self.drain = drain
    self.interval = interval
    self.logger = logger
    self.now = now
  }

  /// Plans until cancelled: at once, when something changed, and when time has come for something.
  package func run() async throws {
    var consumer = PolicyConsumer(source: policies)
    var memory = PlanningTurn.Memory()
    var history: [String: ScaleHistory] = [:]
    var lastScaling = Date.distantPast
    var pace = Pace()
    while !Task.isCancelled {
      var again: Date?
      let beginning = now()
      do {
        if !drain.isOn {
          let start = now()
          again = try await planning.turn(&memory, with: consumer.engine())
          HubMetrics.plannerTurn(seconds: max(0, now().timeIntervalSince(start)))
          if now().timeIntervalSince(lastScaling) >= Self.spacing {
            try await scaling.turn(&history, with: consumer.engine(), hosts: memory.hosts, claims: memory.claims)
            lastScaling = now()
            again = Self.earlier(again, lastScaling.addingTimeInterval(interval))
          } else {
            again = Self.earlier(again, lastScaling.addingTimeInterval(Self.spacing))
          }
        }
      } catch {
        logger.error("planning stopped for a moment", metadata: ["error": "\(error)"])
        again = now().addingTimeInterval(0.5)
      }
      pace.noteTurn(from: beginning, to: now())
      await signals.planning.wait(until: again)
      await pace.wait(now: now())
    }
  }

  private static func earlier(_ a: Date?, _ b: Date) -> Date { a.map { min($0, b) } ?? b }
}
