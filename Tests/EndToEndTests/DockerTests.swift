import Emulator
import Foundation
import Glibc
import GRDB
import NIOHTTP1
import PrivateDocker
import Testing

/// A house whose jobs run in real containers.
enum DockerHouse {
  static let image = "runnerhub/stand-in:1"

  /// Runs the line on a daemon, the tests' own unless another is given, and at the end asks that daemon what is left.
  static func run(
    on given: PrivateDocker? = nil, _ change: (inout House.Plan) -> Void = { _ in },
    _ body: @Sendable @escaping (House, PrivateDocker) async throws -> Void
  ) async throws {
    let docker = if let given { given } else { try await PrivateDocker.shared() }
    try await docker.makeImage(of: Places.root.appending(path: "Sources/Emulator/Runner/run.sh"), as: image)
    var plan = House.Plan()
    plan.docker = docker
    change(&plan)
    try await House.run(plan) { house in
      try await body(house, docker)
      #expect(try await house.hub.stop() == 0)
      try await house.expectNothingLeft()
      let left = try await containers(of: docker)
      #expect(left.isEmpty, "\(left)")
    }
  }

  /// What the daemon has, whatever RunnerHub says: names of the house's containers, in any state.
  static func containers(of docker: PrivateDocker) async throws -> [String] {
    try await docker.list(labelled: "runnerhub.pool=house").map { $0["Names"].array?.first?.string ?? "?" }
  }

  /// Steps for a job of this name.
  static func workflow(_ jobs: [(name: String, run: String)]) -> [String: String] {
    var text = "on: push\njobs:\n"
    for job in jobs { text += "  \(job.name):\n    runs-on: [self-hosted, linux]\n    steps:\n      - run: |\n          \(job.run)\n" }
    return [".github/workflows/ci.yml": text]
  }
}

extension PrivateDocker {
  /// `GET /containers/json`
  func list(labelled label: String) async throws -> [JSON] {
    let filters = #"{"label":["\#(label)"]}"#.addingPercentEncoding(withAllowedCharacters: .alphanumerics) ?? ""
    let path = socket.addingPercentEncoding(withAllowedCharacters: .alphanumerics) ?? ""
    let reply = try await House.send(
      .GET, "http+unix://\(path)/v1.41/containers/json?all=1&filters=\(filters)", headers: [("Host", "docker")])
    #expect(reply.status == 200)
    return reply.json.array ?? []
  }

  /// `POST /containers/{name}/kill`, from outside of RunnerHub.
  func kill(container name: String) async throws {
    let path = socket.addingPercentEncoding(withAllowedCharacters: .alphanumerics) ?? ""
    let reply = try await House.send(.POST, "http+unix://\(path)/v1.41/containers/\(name)/kill", headers: [("Host", "docker")])
    #expect(reply.status == 204, "\(reply.text)")
  }
}

@Suite("The whole line in real containers", .serialized) struct DockerTests {
  @Test("jobs run in containers that serve several, each ends once as written, with its log, and nothing is left", .timeLimit(.minutes(3)))
  func jobs() async throws {
    try await DockerHouse.run({ ($0.maximum, $0.warm, $0.reuse) = (3, 2, 3) }) { house, docker in
      let names = (1...8).map { "job-\($0)" }
      try await house.push(
        DockerHouse.workflow(
          names.map { ($0, "echo \"here is $GITHUB_JOB\"; cat /etc/passwd | head -n 1; \($0 == "job-5" ? "exit 3" : "true")") }))
      try await house.allEnded(8, within: .seconds(90))
      for name in names {
        let job = await house.job(name)
        #expect(job["conclusion"].string == (name == "job-5" ? "failure" : "success"), "\(job)")
        let row = try #require(try house.row(of: job["id"].int ?? 0))
        var kept = ""
        try await eventually("the log of \(name)") {
          kept = try await house.get("/api/v1/jobs/\(row["id"] as String)/log").text
          return kept.contains("completed with result")
        }
        #expect(kept.contains("here is \(name)\n"), "\(kept)")
        // Nothing of another job's.
        for other in names where other != name { #expect(!kept.contains("here is \(other)\n"), "\(kept)") }
      }
      await house.expectEachEndedOnce()
      let made: Int = try house.rows("SELECT count(*) AS n FROM container_registry").first?["n"] ?? 0
      #expect(made < 8, "no container served two jobs: \(made) were made")
    }
  }

  @Test("RunnerHub is killed in the middle of jobs: they go on in their containers, and each ends once", .timeLimit(.minutes(3)))
  func killed() async throws {
    try await DockerHouse.run({ ($0.maximum, $0.warm, $0.reuse) = (3, 1, 2) }) { house, docker in
      try await house.push(
        DockerHouse.workflow((1...6).map { ("job-\($0)", "for n in 1 2 3 4 5 6 7 8; do echo \"step $n\"; sleep 0.3; done") }))
      for begun in [1, 3, 5] {
        try await eventually("\(begun) jobs that have begun") { await house.jobs().count { $0["times_started"].int == 1 } >= begun }
        await house.hub.signal(SIGKILL)
        _ = try await house.hub.exit()
        try await house.hub.serve()
      }
      try await house.allEnded(6, within: .seconds(90))
      for job in await house.jobs() { #expect(job["conclusion"].string == "success", "\(job)") }
      await house.expectEachEndedOnce()
    }
  }

  @Test("the daemon is killed while jobs run: they go on, RunnerHub says so, and afterwards each ends once", .timeLimit(.minutes(3)))
  func daemonKilled() async throws {
    let own = try await PrivateDocker()
    try await DockerHouse.run(on: own, { ($0.maximum, $0.warm) = (2, 1) }) { house, docker in
      try await house.push(
        DockerHouse.workflow((1...4).map { ("job-\($0)", "for n in 1 2 3 4 5 6; do echo \"step $n\"; sleep 0.3; done") }))
      try await eventually("a running job") { await house.jobs().contains { $0["status"].string == "in_progress" } }
      try await docker.kill()
      try await eventually("a RunnerHub that says so") {
        try await house.get("/health").json["components"]["engine"]["status"].string == "failing"
      }
      try await docker.start()
      try await eventually("a healthy RunnerHub") { try await house.get("/health").json["components"]["engine"]["status"].string == "ok" }
      try await house.allEnded(4, within: .seconds(90))
      for job in await house.jobs() { #expect(job["conclusion"].string == "success", "\(job)") }
      await house.expectEachEndedOnce()
    }
    await own.end()
  }

  @Test("a warm container that somebody kills is replaced, long before the next health check", .timeLimit(.minutes(2)))
  func replaced() async throws {
    try await DockerHouse.run({ ($0.maximum, $0.warm, $0.healthCheckInterval) = (2, 1, 600_000) }) { house, docker in
      var victim = ""
      try await eventually("a warm container") {
        victim = try house.rows("SELECT id FROM container_registry WHERE status = 'READY'").first?["id"] ?? ""
        return !victim.isEmpty
      }
      try await docker.kill(container: victim)
      try await eventually("another one") {
        let rows = try house.rows("SELECT id, status FROM container_registry")
        return rows.contains { $0["id"] == victim && $0["status"] == "GONE" }
          && rows.contains { $0["id"] != victim && $0["status"] == "READY" }
      }
    }
  }

  @Test("a job that runs out of memory tells so in its story", .timeLimit(.minutes(2)))
  func memory() async throws {
    try await DockerHouse.run({ $0.pool = ["memory: 1g"] }) { house, _ in
      try await house.push(DockerHouse.workflow([("greedy", "tail /dev/zero")]))
      try await house.allEnded(1, within: .seconds(90))
      #expect(await house.job("greedy")["conclusion"].string == "failure")
      try await eventually("the reason") {
        try house.rows("SELECT text FROM timeline").contains { ($0["text"] as String).contains("want of memory (limit 1 GiB)") }
      }
    }
  }
}
