import Emulator
import Foundation
import GRDB
import Glibc
import Testing

@Suite("Signals, and what the next start finds", .serialized) struct SignalTests {
  /// A job that lasts until a file appears in the test's own folder.
  private static func held(_ names: [String], by gate: URL) -> [String: String] {
    var jobs = ""
    for name in names {
      jobs += """
          \(name):
            runs-on: ubuntu-latest
            steps:
              - run: while [ ! -e '\(gate.path(percentEncoded: false))' ]; do sleep 0.05; done
              - run: echo the end of \(name)

        """
    }
    return [".github/workflows/held.yml": "name: Held\non: push\njobs:\n" + jobs]
  }

  @Test("SIGTERM lets the running job end, answers meanwhile, and exits with 0") func drains() async throws {
    try await House.run { house in
      let gate = house.hub.folder.appending(path: "gate")
      try await house.push(Self.held(["long"], by: gate))
      try await eventually("the job runs") { await house.job("long")["status"].string == "in_progress" }
      #expect(try await house.get("/readyz").status == 200)
      await house.hub.signal(SIGTERM)
      try await eventually("it says that it is not ready") { try await house.get("/readyz").status == 503 }
      #expect(try await house.get("/livez").status == 200)
      #expect(try await house.get("/health").json["state"].string == "DRAINING")
      // A job that comes now is taken in, and left to the next start.
      try await house.push(
        [".github/workflows/late.yml": "on: release\njobs:\n  late:\n    runs-on: ubuntu-latest\n    steps:\n      - run: echo late\n"],
        event: "release")
      try await eventually("the late job is stored") { try house.rows("SELECT id FROM orchestrator_jobs").count == 2 }
      try Data().write(to: gate)
      #expect(try await house.hub.exit() == 0)
      #expect(await house.job("long")["conclusion"].string == "success")
      #expect(await house.job("late")["status"].string == "queued")
      let processes = Processes.of(house.hub.folder)
      #expect(processes.isEmpty, "\(Processes.describe(processes))")

      try await house.hub.serve()
      try await house.allEnded(2)
      #expect(await house.job("late")["conclusion"].string == "success")
      await house.expectEachEndedOnce()
      #expect(try await house.hub.stop() == 0)
      try await house.expectNothingLeft()
    }
  }

  @Test("a second SIGTERM ends it at once, and the next start goes on with the running job") func secondSignal() async throws {
    try await House.run { house in
      let gate = house.hub.folder.appending(path: "gate")
      try await house.push(Self.held(["long"], by: gate))
      try await eventually("the job runs here too") {
        try await house.row(of: house.job("long")["id"].int ?? 0)?["status"] == "running"
      }
      await house.hub.signal(SIGTERM)
      try await eventually("it drains") { try await house.get("/readyz").status == 503 }
      await house.hub.signal(SIGTERM)
      #expect(try await house.hub.exit(within: .seconds(5)) == 130)
      #expect(await house.job("long")["status"].string == "in_progress")

      try await house.hub.serve()
      try Data().write(to: gate)
      try await house.allEnded(1)
      #expect(await house.job("long")["conclusion"].string == "success")
      await house.expectEachEndedOnce()
      #expect(try await house.hub.stop() == 0)
      try await house.expectNothingLeft()
    }
  }

  @Test("after SIGKILL in the middle of several jobs each one ends exactly once, and nothing is left") func killed() async throws {
    try await House.run { house in
      let gate = house.hub.folder.appending(path: "gate")
      let names = (1...6).map { "job-\($0)" }
      try await house.push(Self.held(names, by: gate))
      // Three containers: three jobs run, three wait.
      try await eventually("three jobs run and three wait") {
        let states: [String] = try house.rows("SELECT status FROM orchestrator_jobs").map { $0["status"] }
        return states.count { $0 == "running" } == 3 && states.count { $0 == "queued" } == 3
      }
      await house.hub.signal(SIGKILL)
      #expect(try await house.hub.exit() == 128 + SIGKILL)
      try await house.hub.serve()
      try Data().write(to: gate)
      try await house.allEnded(6)
      await house.expectEachEndedOnce()
      for job in await house.jobs() { #expect(job["conclusion"].string == "success", "\(job)") }
      #expect(try await house.hub.stop() == 0)
      try await house.expectNothingLeft()
    }
  }

  @Test("after SIGKILL while jobs are being started each one ends exactly once", arguments: [40, 160, 320])
  func killedEarly(milliseconds: Int) async throws {
    try await House.run { house in
      let gate = house.hub.folder.appending(path: "gate")
      try Data().write(to: gate)
      try await house.push(Self.held((1...4).map { "job-\($0)" }, by: gate))
      // All are stored: what GitHub told before the crash it never tells again.
      try await eventually("four jobs are stored") {
        try house.rows("SELECT id FROM deliveries WHERE event = 'workflow_job' AND instr(CAST(body AS TEXT), '\"action\":\"queued\"')")
          .count == 4
      }
      // The moment of the crash, not a wait for something.
      try await Task.sleep(for: .milliseconds(milliseconds))
      await house.hub.signal(SIGKILL)
      _ = try await house.hub.exit()
      try await house.hub.serve()
      try await house.allEnded(4)
      await house.expectEachEndedOnce()
      for job in await house.jobs() { #expect(job["conclusion"].string == "success", "\(job)") }
      #expect(try await house.hub.stop() == 0)
      try await house.expectNothingLeft()
    }
  }
}
