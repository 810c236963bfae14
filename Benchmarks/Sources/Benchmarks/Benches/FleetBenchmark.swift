import Domain
import Foundation

/// A whole RunnerHub in a process of its own: memory and CPU with 1,000 running and 100,000 waiting jobs while nothing happens, and how soon
/// it has found its work after a start.
enum FleetBenchmark: Benchmark {
  static let name = "fleet"
  private static let settling = 25.0
  /// Two intervals of the health checks, whose work is the most of all.
  private static let seconds = 60.0

  static func figures(in surroundings: Surroundings) async throws -> [Figure] {
    let small = try await observe(Scene(waiting: 1), surroundings)
    let large = try await observe(Scene(waiting: 100_000, running: 1000), surroundings)
    let fleet = "1,000 running, 100,000 waiting"
    return [
      Figure("start to the first container, \(fleet)", large.start, .seconds, against: ("one waiting", small.start), budget: .below(3)),
      Figure("memory, \(fleet)", large.resident, .mebibytes, against: ("one running", small.resident), budget: .below(150)),
      Figure("CPU while nothing happens, \(fleet)", large.cpu, .percent, against: ("one running", small.cpu), budget: .below(1)),
    ]
  }

  private struct Observation {
    /// Seconds from the start of the process to the first container that it asks for.
    var start: Double
    var resident: Double
    /// Per cent of one core.
    var cpu: Double
  }

  private static func observe(_ scene: Scene, _ surroundings: Surroundings) async throws -> Observation {
    let directory = try await surroundings.workshop.directory(scene)
    let began = Clock.now
    let child = try HubProcess(directory: directory, running: scene.running, policies: surroundings.policies)
    defer { child.end() }
    try await child.waitUntilItAsksForAContainer()
    let start = Clock.seconds(began, Clock.now)
    Progress.say("fleet: \(scene.running) running, \(Text.number(Double(scene.waiting))) waiting: settling for \(Int(settling)) s …")
    try await Task.sleep(for: .seconds(settling))
    let before = try ProcessReading(of: child.id)
    let reading = Clock.now
    Progress.say("fleet: observing for \(Int(seconds)) s …")
    try await Task.sleep(for: .seconds(seconds))
    let after = try ProcessReading(of: child.id)
    return Observation(
      start: start, resident: after.resident / Double(1 << 20),
      cpu: (after.cpuSeconds - before.cpuSeconds) / Clock.seconds(reading, Clock.now) * 100)
  }
}
