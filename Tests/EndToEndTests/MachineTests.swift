import Emulator
import Foundation
import GRDB
import Glibc
import Testing

/// A house whose jobs run on machines that an unmodified GARM provider makes: `plugins/garm-local`, whose machines are processes.
private struct MachineHouse: Sendable {
  /// Outside of the house's own folder, which is for its owner alone: the provider has a user of its own where the house is root's.
  let cloud = FileManager.default.temporaryDirectory.appending(path: "runnerhub-cloud-\(UUID().uuidString)", directoryHint: .isDirectory)
  var path: String { String(cloud.path(percentEncoded: false).dropLast()) }

  func run(_ body: @Sendable @escaping (House) async throws -> Void) async throws {
    var plan = House.Plan()
    (plan.labels, plan.warm) = ("self-hosted, elsewhere", 0)
    plan.set("orchestrator.start-limit", "60")
    plan.pools = ["machines: { engine: garm-local, image: \"\(path)/image\", labels: [self-hosted, linux], maximum: 2, warm: 1 }"]
    plan.prepare = { _, port in
      try makeCloud()
      return [
        "webhooks.base-url: \"http://127.0.0.1:\(port)\"",
        "plugins.directory: \"\(Places.root.appending(path: "plugins").path(percentEncoded: false))\"",
        """
        plugins.garm-local:
          grant: [network]
          configuration:
            provider-config: "\(path)/provider.json"
            runner-home: "\(path)/machines/{machine}/actions-runner"
            local-machines: true
            list-interval: 1
        """,
      ]
    }
    defer { remove() }
    try await House.run(plan, body)
  }

  private func makeCloud() throws {
    let files = FileManager.default
    try files.createDirectory(at: cloud.appending(path: "image"), withIntermediateDirectories: true)
    try files.createDirectory(at: cloud.appending(path: "machines"), withIntermediateDirectories: true)
    let script = cloud.appending(path: "image/run.sh")
    try files.copyItem(at: Places.root.appending(path: "Sources/Emulator/Runner/run.sh"), to: script)
    try Data(#"{"directory":"\#(path)/machines"}"#.utf8).write(to: cloud.appending(path: "provider.json"))
    for (name, mode) in [("", 0o755), ("image", 0o755), ("image/run.sh", 0o755), ("machines", 0o777), ("provider.json", 0o644)] {
      try files.setAttributes([.posixPermissions: mode], ofItemAtPath: cloud.appending(path: name).path(percentEncoded: false))
    }
  }

  var machines: [String] {
    ((try? FileManager.default.contentsOfDirectory(atPath: "\(path)/machines")) ?? []).filter { !$0.hasPrefix(".") }
  }

  private func remove() {
    for pid in Processes.of(cloud) { kill(pid, SIGKILL) }
    // What a failed test has left is in the way of nobody.
    try? FileManager.default.removeItem(at: cloud)
  }
}

@Suite("The whole line on machines of a GARM provider", .serialized) struct MachineTests {
  @Test("jobs run on machines, each ends once as written, with its log, and no machine is left", .timeLimit(.minutes(3)))
  func jobs() async throws {
    let machines = MachineHouse()
    try await machines.run { house in
      let names = ["first", "second", "third"]
      var text = "on: push\njobs:\n"
      for name in names {
        text +=
          "  \(name):\n    runs-on: [self-hosted, linux]\n    steps:\n      - run: |\n          echo \"here is $GITHUB_JOB\"; \(name == "second" ? "exit 3" : "true")\n"
      }
      try await house.push([".github/workflows/ci.yml": text])
      try await house.allEnded(3, within: .seconds(90))
      for name in names {
        let job = await house.job(name)
        #expect(job["conclusion"].string == (name == "second" ? "failure" : "success"), "\(job)")
        let row = try #require(try house.row(of: job["id"].int ?? 0))
        try await eventually("the log of \(name)") {
          try await house.get("/api/v1/jobs/\(row["id"] as String)/log").text.contains("here is \(name)\n")
        }
      }
      await house.expectEachEndedOnce()
      let engines = try house.rows("SELECT DISTINCT engine FROM container_registry").map { $0["engine"] as String }
      #expect(engines == ["garm-local"])
      #expect(try await house.hub.stop() == 0)
      try await house.expectNothingLeft()
      #expect(machines.machines.isEmpty)
    }
  }
}
