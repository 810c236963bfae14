import Emulator
import Foundation
import GRDB
import GitHubDescription
import NIOHTTP1
import Testing

/// A workflow of GitHub's own collection, and what the stand-in's rules say of it.
private struct Starter: Sendable {
  let path: String
  let event: String
  var payload: JSON = [:]
  var files: [String: String] = [:]
  /// Each job's conclusion, by name.
  let conclusions: [String: String]
  /// Words of a log, by job.
  var logs: [String: String] = [:]

  /// The text, with the placeholders that GitHub fills in.
  var text: String {
    get throws {
      try String(contentsOf: Places.corpora.appending(path: "starter-workflows").appending(path: path), encoding: .utf8)
        .replacing("$default-branch", with: "main").replacing("$protected-branches", with: "main")
        .replacing("$cron-daily", with: "30 1 * * 0").replacing("$cron-weekly", with: "30 1 * * 0")
    }
  }
  var repository: String { "acme/" + path.replacing("/", with: "-").replacing(".yml", with: "") }

  static let five = [
    // Two `run:` steps that echo.
    Starter(path: "ci/blank.yml", event: "push", conclusions: ["build": "success"], logs: ["build": "Hello, world!"]),
    // An input reaches the step.
    Starter(
      path: "automation/manual.yml", event: "workflow_dispatch", payload: ["inputs": ["name": "RunnerHub"]],
      conclusions: ["greet": "success"],
      logs: ["greet": "Hello RunnerHub"]),
    // Rule 4: checkout places the files, setup-java says that it does nothing.
    Starter(
      path: "ci/android.yml", event: "push", files: ["gradlew": "#!/bin/sh\necho \"gradle was asked to $1\"\n"],
      conclusions: ["build": "success"],
      logs: ["build": "gradle was asked to build"]),
    // Rules 1 and 2: there is no ./configure, so nothing after it runs.
    Starter(path: "ci/makefile.yml", event: "push", conclusions: ["build": "failure"], logs: ["build": "configure"]),
    // Rule 4: an action that is not known fails its step.
    Starter(path: "ci/d.yml", event: "push", conclusions: ["build": "failure"], logs: ["build": "dlang-community/setup-dlang"]),
    // Rule 8: there is no package-lock.json, and what needs the build is skipped.
    Starter(
      path: "ci/npm-publish.yml", event: "release", conclusions: ["build": "failure", "publish-npm": "skipped"]),
  ]
  static var jobs: Int { five.reduce(0) { $0 + $1.conclusions.count } }
}

@Suite("Workflows of GitHub's collection through the whole line", .serialized) struct StarterWorkflowTests {
  @Test("with a token each job ends as predicted, RunnerHub and GitHub agree, and statuses tell it") func withToken() async throws {
    try await House.run { house in
      try await runAll(in: house)
      let statuses = await house.ledger("statuses")
      for job in await house.jobs() where job["conclusion"].string != "skipped" {
        let name = try #require(job["name"].string)
        // The newest of a context is what GitHub shows; one commit has one job here, but for npm-publish.
        let sha = try await sha(of: job, in: house)
        let own = statuses.filter { $0["context"].string == "RunnerHub / \(name)" && ($0["url"].string ?? "").contains(sha) }
        #expect(own.first?["state"].string == (job["conclusion"].string == "success" ? "success" : "failure"), "\(job) \(own)")
      }
      #expect(await house.ledger("checkRuns").isEmpty)
      try await expectRightNumbers(in: house)
      try await expectDescribed(in: house)
      #expect(try await house.hub.stop() == 0)
      try await house.expectNothingLeft()
    }
  }

  @Test("with an App check runs are created, and completed with conclusion and summary") func withApp() async throws {
    var plan = House.Plan()
    plan.usesApp = true
    try await House.run(plan) { house in
      try await runAll(in: house)
      let checks = await house.ledger("check_runs").filter { ($0["name"].string ?? "").hasPrefix("RunnerHub / ") }
      for job in await house.jobs() where job["conclusion"].string != "skipped" {
        let name = try #require(job["name"].string)
        let sha = try await sha(of: job, in: house)
        let own = checks.filter { $0["name"].string == "RunnerHub / \(name)" && $0["head_sha"].string == sha }
        #expect(own.count == 1, "\(job)")
        let check = try #require(own.first)
        #expect(check["status"].string == "completed")
        #expect(check["conclusion"] == job["conclusion"])
        let summary = check["output"]["summary"].string ?? ""
        for word in ["Wait", "Container", "Resources", "every job runs here"] { #expect(summary.contains(word), "\(summary)") }
      }
      #expect(await house.ledger("statuses").isEmpty)
      try await expectDescribed(in: house)
      #expect(try await house.hub.stop() == 0)
      try await house.expectNothingLeft()
    }
  }

  // MARK: - Parts

  private func runAll(in house: House) async throws {
    for starter in Starter.five {
      let file = ".github/workflows/" + (starter.path.split(separator: "/").last ?? "")
      let outcome = try await house.push(
        starter.files.merging([file: try starter.text]) { own, _ in own }, to: starter.repository, event: starter.event,
        payload: starter.payload)
      #expect(outcome.runs.count == 1, "\(starter.path)")
    }
    try await house.allEnded(Starter.jobs)
    try await house.allReported()
    await house.expectEachEndedOnce()
    for starter in Starter.five {
      let jobs = await house.jobs().filter { $0["repository"].string == starter.repository }
      #expect(jobs.count == starter.conclusions.count)
      for job in jobs {
        let name = try #require(job["name"].string)
        let id = try #require(job["id"].int)
        #expect(job["conclusion"].string == starter.conclusions[name], "\(starter.path): \(job)")
        let row = try #require(try house.row(of: id))
        #expect(row["repository"] == starter.repository)
        let metadata = try JSON(parsing: Data((row["metadata"] as String).utf8))
        #expect(metadata["conclusion"] == job["conclusion"])
        #expect(metadata["runnerName"] == job["runner_name"])
        guard job["conclusion"].string != "skipped" else { continue }
        #expect(row["status"] == "completed")
        #expect(metadata["definition"]["found"]["_0"]["key"] == job["key"], "\(metadata["definition"])")
        if let words = starter.logs[name] {
          #expect(try await house.github.log(of: id).contains(words), "\(starter.path)")
          // RunnerHub's own copy has the runner's output, which tells the steps but not always their last lines.
          var kept = ""
          try await eventually("the log of \(name) of \(starter.path): \(kept)") {
            kept = try await house.get("/api/v1/jobs/\(row["id"] as String)/log").text
            return kept.contains("completed with result")
          }
          #expect(kept.contains(words), "\(starter.path): \(kept)")
        }
      }
    }
  }

  private func sha(of job: JSON, in house: House) async throws -> String {
    let id = try #require(job["id"].int)
    let row = try #require(try house.row(of: id))
    return try #require(try JSON(parsing: Data((row["metadata"] as String).utf8))["headSHA"].string)
  }

  /// Health, metrics and the status API say what the ledger says.
  private func expectRightNumbers(in house: House) async throws {
    let ran = await house.jobs().filter { $0["conclusion"].string != "skipped" }
    try await eventually("a gauge of the completed jobs") {
      try await house.get("/metrics").text.contains("runnerhub_jobs{state=\"completed\"} \(Starter.jobs)\n")
    }
    let metrics = try await house.get("/metrics").text
    for conclusion in ["success", "failure"] {
      let count = ran.count { $0["conclusion"].string == conclusion }
      #expect(metrics.contains("runnerhub_jobs_ended_total{conclusion=\"\(conclusion)\"} \(count)\n"), "\(metrics)")
    }
    #expect(metrics.contains("runnerhub_job_wait_seconds_count \(ran.count)\n"), "\(metrics)")
    try await eventually("a healthy and quiet RunnerHub") {
      let health = try await house.get("/health")
      return health.status == 200 && health.json["status"].string == "ok" && health.json["state"].string == "READY"
    }
    // The overview is read at most four times a second, and a container is released after its job has ended.
    try await eventually("an overview in which no container is held") { try await house.overview()["pools"].array?.first?["busy"].int == 0 }
    let overview = try await house.overview()
    #expect(overview["jobCounts"]["completed"].int == Int64(Starter.jobs), "\(overview["jobCounts"])")
    #expect(overview["waits"]["count"].int == Int64(ran.count), "\(overview["waits"])")
    #expect(overview["deliveryCounts"]["pending"].int == 0)
    #expect(overview["deliveryCounts"]["malformed"].int == 0)
    #expect(overview["jobs"].array?.count == Starter.jobs)
    let pool = overview["pools"].array?.first
    #expect(pool?["name"].string == "house")
    #expect(pool?["busy"].int == 0)
    #expect(try await house.get("/").status == 200)
  }

  /// Every request, answer and event is as GitHub describes them.
  private func expectDescribed(in house: House) async throws {
    let description = try GitHubDescription.standard()
    let recorded = try await House.send(.GET, house.url + "/_emulator/exchanges").json
    let exchanges = try (recorded.array ?? []).map(RecordedExchange.init)
    #expect(exchanges.count > 20)
    var operations: Set<String> = []
    var complaints: Set<String> = []
    for exchange in exchanges {
      operations.insert(exchange.method + " " + (exchange.path.split(separator: "/").last ?? ""))
      for finding in description.findings(exchange) {
        complaints.insert("\(exchange.method) \(exchange.path) \(exchange.status): \(finding)")
      }
    }
    #expect(complaints.isEmpty, "\(complaints.sorted().joined(separator: "\n"))")
    #expect(operations.contains("POST generate-jitconfig"), "\(operations.sorted())")

    let bodies = try house.rows("SELECT event, body FROM deliveries")
    #expect(bodies.count >= Starter.jobs * 2)
    var wrong: Set<String> = []
    for row in bodies {
      for finding in description.findings(webhook: row["event"], body: row["body"]) {
        wrong.insert("\(row["event"] as String): \(finding)")
      }
    }
    #expect(wrong.isEmpty, "\(wrong.sorted().joined(separator: "\n"))")
  }
}

extension RecordedExchange {
  /// What the emulator has recorded. It leaves credentials out: that some were sent is known from the answer, which is no 401.
  init(_ recorded: JSON) throws {
    func text(_ value: JSON) throws -> String {
      switch value {
      case .null: ""
      case .string(let text): text
      default: String(decoding: try value.encoded(), as: UTF8.self)
      }
    }
    func fields(_ value: JSON) -> [String: String] {
      Dictionary((value.object ?? [:]).map { ($0.key.lowercased(), $0.value.string ?? "") }, uniquingKeysWith: { first, _ in first })
    }
    let status = Int(recorded["status"].int ?? 0)
    let query = (recorded["query"].object ?? [:]).sorted { $0.key < $1.key }.map { name, value in
      "\(name)=" + (value.string?.addingPercentEncoding(withAllowedCharacters: .alphanumerics) ?? "")
    }
    var headers = fields(recorded["request_headers"])
    if status != 401 { headers["authorization"] = "left out" }
    self.init(
      method: recorded["method"].string ?? "", path: recorded["path"].string ?? "", query: query.joined(separator: "&"),
      requestHeaders: headers,
      requestBody: try text(recorded["request_body"]), status: status, responseHeaders: fields(recorded["response_headers"]),
      responseBody: try text(recorded["response_body"]))
  }
}
