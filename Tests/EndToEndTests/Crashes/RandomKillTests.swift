import Emulator
import Foundation
import Testing

/// Numbers from a seed, so that a run of kills can be repeated as far as the machine allows.
private struct SplitMix: RandomNumberGenerator {
  var state: UInt64
  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }
}

@Suite("Death at random moments", .serialized) struct RandomKillTests {
  /// `RUNNERHUB_KILL_SEED`, or a new one for each run. An argument of the test, so that a failure tells it.
  private static let seed =
    ProcessInfo.processInfo.environment["RUNNERHUB_KILL_SEED"].flatMap(UInt64.init) ?? UInt64.random(in: 0..<1_000_000)

  /// Forty jobs that succeed, fail, are cancelled, last for a while, or belong to others.
  private static func works() -> [[Work]] {
    (0..<8).map { wave in
      [
        .success("short-\(wave)"), .failure("failing-\(wave)"),
        Work(name: "longer-\(wave)", script: "sleep 0.8", conclusion: "success"), .success("other-\(wave)"),
        wave % 2 == 0 ? .traditional("traditional-\(wave)") : .success("last-\(wave)"),
      ]
    }
  }

  @Test("a run of 40 jobs ends each of them once, and leaves nothing", .timeLimit(.minutes(5)), arguments: [seed])
  func fortyJobs(seed: UInt64) async throws {
    var plan = House.Plan()
    (plan.maximum, plan.reuse, plan.isServed) = (4, 3, false)
    plan.set("orchestrator.reconcile-after", "1")
    plan.set("orchestrator.ask-again-after", "2")
    plan.github = { $0.traditionalRunners = [.init(name: "old-1", labels: ["windows"])] }
    var random = SplitMix(state: seed)
    let moments = (0..<14).map { _ in Duration.milliseconds(Int.random(in: 10...1500, using: &random)) }
    try await House.run(plan) { house in
      let line = CrashLine(house)
      let waves = Self.works()
      var interrupting = 0
      for (death, moment) in moments.enumerated() {
        try await house.hub.serve()
        // One of the eight, at most at each second death.
        let wave = death * waves.count / moments.count
        if wave != (death - 1) * waves.count / moments.count || death == 0 { try await line.push(waves[wave]) }
        // The moment of the crash, not a wait for something.
        try await Task.sleep(for: moment)
        try await line.kill()
        if await house.jobs().contains(where: { $0["status"].string != "completed" }) { interrupting += 1 }
      }
      #expect(interrupting >= 10)
      // What GitHub told nobody stays untold: that a job is there, began or ended, RunnerHub finds out by itself.
      try await line.end(redelivering: [], within: .seconds(120))
      #expect(await house.jobs().count == 40)
    }
  }
}
