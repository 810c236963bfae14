import Emulator
import Foundation
import GRDB
import Testing

@Suite("What GitHub decides, and RunnerHub follows", .serialized) struct ForgeWillTests {
  @Test("without the permission to cancel, a refused job is failed by its runner's hook, and others of its class run") func refused()
    async throws
  {
    var plan = House.Plan()
    plan.permissions["actions"] = "read"
    plan.pool = ["images: [ghcr.io/acme/*]"]
    try await House.run(plan) { house in
      try await house.push([
        ".github/workflows/ci.yml": """
        on: push
        jobs:
          allowed:
            runs-on: ubuntu-latest
            steps:
              - run: echo allowed
          forbidden:
            runs-on: ubuntu-latest
            steps:
              - run: echo this must not be run
              - uses: docker://docker.io/unknown/tool:latest
          welcome:
            runs-on: ubuntu-latest
            steps:
              - run: echo welcome
        """
      ])
      try await house.allEnded(3)
      for name in ["allowed", "welcome"] { #expect(await house.job(name)["conclusion"].string == "success", "\(name)") }
      let forbidden = await house.job("forbidden")
      #expect(forbidden["conclusion"].string == "failure")
      let id = try #require(forbidden["id"].int)
      let log = try await house.github.log(of: id)
      #expect(log.contains("docker.io/unknown/tool"), "\(log)")
      #expect(!log.contains("\nthis must not be run"), "\(log)")
      let row = try #require(try house.row(of: id))
      let metadata = try JSON(parsing: Data((row["metadata"] as String).utf8))
      #expect(metadata["refusalAction"].string == "failByHook")
      #expect(metadata["refusal"].string?.contains("docker.io/unknown/tool") == true, "\(metadata)")
      await house.expectEachEndedOnce()
      try await house.allReported()
      #expect(try await house.hub.stop() == 0)
      try await house.expectNothingLeft()
    }
  }

  @Test("when GitHub gives a runner another job of the class, the jobs exchange their places and each ends once") func exchanged()
    async throws
  {
    var plan = House.Plan()
    (plan.maximum, plan.warm, plan.routesEverything) = (1, 0, false)
    try await House.run(plan) { house in
      let gate = house.hub.folder.appending(path: "gate")
      func workflow(_ name: String, _ event: String, _ script: String) -> [String: String] {
        let text = "on: \(event)\njobs:\n  \(name):\n    runs-on: [self-hosted, linux]\n    steps:\n      - run: \(script)\n"
        return [".github/workflows/\(name).yml": text]
      }
      func waitFor(_ name: String, _ state: String) async throws {
        try await eventually("\(name) is \(state)") { try house.row(of: await house.job(name)["id"].int ?? 0)?["status"] == state }
      }
      try await house.push(workflow("first", "push", "while [ ! -e '\(gate.path(percentEncoded: false))' ]; do sleep 0.05; done"))
      try await waitFor("first", "running")
      try await house.push(workflow("background", "workflow_dispatch", "echo background"), event: "workflow_dispatch")
      try await waitFor("background", "queued")
      try await house.push(workflow("deploy", "release", "echo deploy"), event: "release")
      try await waitFor("deploy", "queued")
      // The next container is made for the deployment, which overtakes here; GitHub gives its runner to the job that came first.
      try Data().write(to: gate)
      try await house.allEnded(3)
      for name in ["background", "deploy"] { #expect(await house.job(name)["conclusion"].string == "success", "\(name)") }
      await house.expectEachEndedOnce()
      let story: [String] = try house.rows("SELECT text FROM timeline").map { $0["text"] }
      #expect(story.contains { $0.contains("was given to background") }, "\(story.joined(separator: "\n"))")
      // Each row names the runner that GitHub gave it.
      for job in await house.jobs() {
        let row = try #require(try house.row(of: job["id"].int ?? 0))
        let metadata = try JSON(parsing: Data((row["metadata"] as String).utf8))
        #expect(metadata["runnerName"] == job["runner_name"])
      }
      #expect(try await house.hub.stop() == 0)
      try await house.expectNothingLeft()
    }
  }
}
