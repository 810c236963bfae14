import Emulator
import Foundation
import GRDB
import GitHubDescription
import NIOHTTP1
import Testing

@Suite("Workflows of GitHub's collection through the whole line", .serialized) struct StarterWorkflowTests {
  @Test("thirty files of the collection run as they are, and each job ends as its text foretells", .timeLimit(.minutes(5)))
  func collection() async throws {
    let starters = try Starter.choice(of: 30)
    try #require(!starters.isEmpty)
    let conclusions = starters.flatMap { ($0.forecast?.jobs.values).map { $0.flatMap(\.conclusions) } ?? [] }
    let kinds = Dictionary(grouping: conclusions) { $0.sorted().joined(separator: " or ") }.mapValues(\.count).sorted { $0.key < $1.key }
    print(
      "\(starters.count) of \(try Starter.all().count) foretold workflows:", kinds.map { "\($0.value) \($0.key)" }.joined(separator: ", "))
    try await House.run(try plan(for: starters)) { house in
      // Somebody else's runners have what no pool offers.
      let foreign = Set(
        starters.flatMap { starter in
          (starter.forecast?.jobs.values).map { $0.flatMap { jobs in zip(jobs.labels, jobs.areForwarded).filter(\.1).map(\.0) } } ?? []
        })
      for (number, labels) in foreign.enumerated() { await house.github.hire(.init(name: "foreign-\(number)", labels: labels)) }
      try await push(starters, in: house)
      try await house.allEnded(count(starters), within: .seconds(150))
      try await expectForetold(starters, in: house)
      await house.expectEachEndedOnce()
      #expect(try await house.hub.stop() == 0)
      try await house.expectNothingLeft()
    }
  }

  @Test("with a token each job ends as foretold, RunnerHub and GitHub agree, and statuses tell it") func withToken() async throws {
    let starters = try Starter.fewOfEachKind(3)
    var plan = try plan(for: starters)
    plan.set("github.report", "true")
    try await House.run(plan) { house in
      try await runAll(starters, in: house)
      let statuses = await house.ledger("statuses")
      for job in await house.jobs() where job["conclusion"].string != "skipped" && job["times_started"].int == 1 {
        let name = try #require(job["name"].string)
        let sha = try await sha(of: job, in: house)
        let own = statuses.filter { $0["context"].string == "RunnerHub / \(name)" && ($0["url"].string ?? "").contains(sha) }
        #expect(own.first?["state"].string == (job["conclusion"].string == "success" ? "success" : "failure"), "\(job) \(own)")
      }
      #expect(await house.ledger("check_runs").isEmpty)
      try await expectRightNumbers(count(starters), in: house)
      try await expectDescribed(count(starters), in: house)
      #expect(try await house.hub.stop() == 0)
      try await house.expectNothingLeft()
    }
  }

  @Test("with an App check runs are created, and completed with conclusion and summary") func withApp() async throws {
    let starters = try Starter.fewOfEachKind(2)
    var plan = try plan(for: starters)
    plan.usesApp = true
    plan.set("github.report", "true")
    try await House.run(plan) { house in
      try await runAll(starters, in: house)
      let checks = await house.ledger("check_runs").filter { ($0["name"].string ?? "").hasPrefix("RunnerHub / ") }
      for job in await house.jobs() where job["conclusion"].string != "skipped" && job["times_started"].int == 1 {
        let name = try #require(job["name"].string)
        let sha = try await sha(of: job, in: house)
        let own = checks.filter { $0["name"].string == "RunnerHub / \(name)" && $0["head_sha"].string == sha }
        #expect(own.count == 1, "\(job)")
        let check = try #require(own.first)
        #expect(check["status"].string == "completed")
        #expect(check["conclusion"] == job["conclusion"])
        let summary = check["output"]["summary"].string ?? ""
        for word in ["Wait", "Container", "Resources", "Ubuntu is mapped to the pool"] { #expect(summary.contains(word), "\(summary)") }
      }
      #expect(await house.ledger("statuses").isEmpty)
      try await expectDescribed(count(starters), in: house)
      #expect(try await house.hub.stop() == 0)
      try await house.expectNothingLeft()
    }
  }

  // MARK: - Parts

  /// A pool for Ubuntu, and the policy that maps labels to it.
  private func plan(for starters: [Starter]) throws -> House.Plan {
    let offered = Set(starters.flatMap { $0.forecast?.jobs.values.flatMap { $0.labels.flatMap(\.self) } ?? [] }.filter(Starter.isOffered))
    var plan = House.Plan()
    plan.routing = Starter.routing
    plan.labels = offered.union(["self-hosted", "ubuntu-latest"]).sorted().joined(separator: ", ")
    (plan.maximum, plan.warm) = (5, 2)
    plan.makeImage = Starter.makeImage
    // GitHub takes 80 statuses a minute.
    plan.set("github.report", "false")
    // A search lists the organisation's repositories, which the part of GitHub's description that is at hand does not have.
    plan.set("github.sweep-interval", "0")
    return plan
  }

  private func count(_ starters: [Starter]) -> Int { starters.reduce(0) { $0 + ($1.forecast?.count ?? 0) } }

  private func push(_ starters: [Starter], in house: House) async throws {
    for starter in starters {
      let outcome = try await house.push(starter.files, to: starter.repository, event: starter.event)
      #expect(outcome.runs.count == 1, "\(starter)")
    }
  }

  private func runAll(_ starters: [Starter], in house: House) async throws {
    try await push(starters, in: house)
    try await house.allEnded(count(starters))
    try await house.allReported()
    await house.expectEachEndedOnce()
    try await expectForetold(starters, in: house)
    for starter in starters {
      for job in await house.jobs() where job["repository"].string == starter.repository && job["times_started"].int == 1 {
        let key = try #require(job["key"].string)
        let row = try #require(try house.row(of: job["id"].int ?? 0))
        let metadata = try JSON(parsing: Data((row["metadata"] as String).utf8))
        #expect(metadata["definition"]["found"]["_0"]["key"].string == key, "\(metadata["definition"])")
        guard let words = starter.forecast?.jobs[key.lowercased()]?.shown else { continue }
        #expect(try await house.github.log(of: job["id"].int ?? 0).contains(words), "\(starter): \(words)")
        // RunnerHub's own copy has the runner's output, which tells the steps but not always their last lines.
        var kept = ""
        try await eventually("the log of \(key) of \(starter): \(kept)") {
          kept = try await house.get("/api/v1/jobs/\(row["id"] as String)/log").text
          return kept.contains("completed with result")
        }
        #expect(kept.contains(words), "\(starter): \(kept)")
      }
    }
  }

  /// Each job is there as often as foretold, ended as foretold, and its row says the same.
  private func expectForetold(_ starters: [Starter], in house: House) async throws {
    let all = await house.jobs()
    for starter in starters {
      let jobs = all.filter { $0["repository"].string == starter.repository }
      let forecast = try #require(starter.forecast)
      #expect(jobs.count == forecast.count, "\(starter): \(jobs)")
      for (key, foretold) in forecast.jobs {
        let own = jobs.filter { $0["key"].string?.lowercased() == key }
        try #require(own.count == foretold.conclusions.count, "\(starter): \(own)")
        for (job, (conclusions, isForwarded)) in zip(own, zip(foretold.conclusions, foretold.areForwarded)) {
          let conclusion = job["conclusion"].string ?? ""
          #expect(conclusions.contains(conclusion), "\(starter), foretold \(conclusions): \(job)")
          let row = try #require(try house.row(of: job["id"].int ?? 0))
          #expect(row["repository"] == starter.repository)
          #expect(row["status"] == (conclusion == "cancelled" && job["times_started"].int == 0 ? "cancelled" : "completed"), "\(row)")
          let metadata = try JSON(parsing: Data((row["metadata"] as String).utf8))
          #expect(metadata["conclusion"].string == conclusion, "\(starter): \(metadata)")
          #expect(metadata["runnerName"] == job["runner_name"])
          guard job["times_started"].int == 1 else { continue }
          #expect(metadata["route"].string == (isForwarded ? "traditional" : "orchestrator"), "\(starter): \(metadata)")
          #expect(job["runner_name"].string?.hasPrefix(isForwarded ? "foreign-" : "rh-") == true)
        }
        if foretold.fails { #expect(own.contains { $0["conclusion"].string == "failure" }, "\(starter): \(own)") }
      }
    }
  }

  private func sha(of job: JSON, in house: House) async throws -> String {
    let id = try #require(job["id"].int)
    let row = try #require(try house.row(of: id))
    return try #require(try JSON(parsing: Data((row["metadata"] as String).utf8))["headSHA"].string)
  }

  /// Health, metrics and the status API say what the ledger says.
  private func expectRightNumbers(_ count: Int, in house: House) async throws {
    let ended = await house.jobs()
    let ran = ended.filter { $0["times_started"].int == 1 }
    try await eventually("a gauge of the completed jobs") {
      try await house.get("/metrics").text.contains("runnerhub_jobs{state=\"completed\"} \(count)\n")
    }
    let metrics = try await house.get("/metrics").text
    for conclusion in ["success", "failure"] {
      let ends = ended.count { $0["conclusion"].string == conclusion }
      #expect(metrics.contains("runnerhub_jobs_ended_total{conclusion=\"\(conclusion)\"} \(ends)\n"), "\(metrics)")
    }
    #expect(metrics.contains("runnerhub_job_wait_seconds_count \(ran.count)\n"), "\(metrics)")
    try await eventually("a healthy and quiet RunnerHub") {
      let health = try await house.get("/health")
      return health.status == 200 && health.json["status"].string == "ok" && health.json["state"].string == "READY"
    }
    // The overview is read at most four times a second, and a container is released after its job has ended.
    try await eventually("an overview in which no container is held") { try await house.overview()["pools"].array?.first?["busy"].int == 0 }
    let overview = try await house.overview()
    #expect(overview["jobCounts"]["completed"].int == Int64(count), "\(overview["jobCounts"])")
    #expect(overview["waits"]["count"].int == Int64(ran.count), "\(overview["waits"])")
    #expect(overview["deliveryCounts"]["pending"].int == 0)
    #expect(overview["deliveryCounts"]["malformed"].int == 0)
    #expect(overview["jobs"].array?.count == count)
    let pool = overview["pools"].array?.first
    #expect(pool?["name"].string == "house")
    #expect(pool?["busy"].int == 0)
    #expect(try await house.get("/").status == 200)
  }

  /// Every request, answer and event is as GitHub describes them.
  private func expectDescribed(_ count: Int, in house: House) async throws {
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
    #expect(bodies.count >= count)
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
