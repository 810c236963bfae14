import Domain
import Emulator
import Foundation
import NIOHTTP1
import RunnerHub
import Web

/// Steps 5 and 6: `serve` as a process of its own, and what becomes of the two jobs.
extension Verification {
  private static let jobs = [VerifyPlan.succeeding: "success", VerifyPlan.failing: "failure"]
  /// For what comes a moment after a job's end: logs, rows, statuses.
  private static let afterwards: Duration = .seconds(30)

  func runLine(of run: VerifiedRun, in repository: VerifiedRepository) async throws {
    try await ScratchFolder.with("runnerhub-verify", holding: "runnerhub.yaml, serve.log, data") { folder in
      let webhooks = "127.0.0.1:\(try OwnServer.freePort())"
      let data = folder.appending(path: "data", directoryHint: .isDirectory)
      let configuration = folder.appending(path: "runnerhub.yaml")
      try Data(plan.configuration(webhooks: webhooks, data: data.path(percentEncoded: false)).utf8).write(to: configuration)
      let server = OwnServer(
        arguments: ["serve", "--config", configuration.path(percentEncoded: false)],
        secrets: ["GITHUB_TOKEN": plan.token, "GITHUB_WEBHOOK_SECRET": plan.webhookSecret],
        log: folder.appending(path: "serve.log"), drainLimit: .seconds(45))
      let relay = WebhookRelay(
        run: run, repository: repository, github: github, target: "http://\(webhooks)/webhooks/github", secret: plan.webhookSecret)
      try await withThrowingTaskGroup(of: Bool.self) { group in
        group.addTask {
          await traces.note(server: try await server.run())
          return false
        }
        group.addTask {
          try await follow(relay, server: server, data: data)
          return true
        }
        while try await group.next() == false {}
        group.cancelAll()
      }
    }
  }

  private func follow(_ relay: WebhookRelay, server: OwnServer, data: URL) async throws {
    let deadline = ContinuousClock.now + plan.timeLimit
    let (client, relayed) = try await list.step(5, "runnerhub serve takes the jobs in") { () -> (AdministrationClient, WebhookRelay) in
      var relay = relay
      let listening = try await server.announcement(of: "runnerhub  ")
      guard let announced = Announcement.read(directory: data) else {
        throw OwnServer.Failure(description: "serve did not announce itself")
      }
      await list.see("serve: \(listening)")
      await list.see(
        "GitHub cannot reach this machine: its jobs are looked at every \(Checklist.text(plan.interval)), and passed on as signed deliveries"
      )
      while !relay.knows(Self.jobs.count) {
        try await look(&relay)
        if ContinuousClock.now > deadline {
          throw VerifyFailure(seen: "GitHub shows \(relay.jobs.count) jobs of the run, not 2", advice: nil)
        }
        if !relay.knows(Self.jobs.count) { try await Task.sleep(for: plan.interval) }
      }
      return (AdministrationClient(address: announced.administration), relay)
    }
    try await list.step(6, "both jobs run in containers of this machine, and end as written") {
      var relay = relayed
      try await untilEnd(of: &relay, client, deadline)
      for job in relay.jobs.sorted(by: { $0["name"].string ?? "" < $1["name"].string ?? "" }) { try await judge(job, relay, client) }
      try await judgeStatuses(relay)
      let rate = relay.rate.map { "; \($0)" } ?? ""
      await list.see("looked \(relay.looks) times, of which GitHub answered \(relay.unchanged) with 304\(rate)")
    }
  }

  private func look(_ relay: inout WebhookRelay) async throws {
    for line in try await relay.turn() { await list.see(line) }
  }

  private func untilEnd(of relay: inout WebhookRelay, _ client: AdministrationClient, _ deadline: ContinuousClock.Instant) async throws {
    while true {
      try await look(&relay)
      if relay.jobs.count == Self.jobs.count, relay.jobs.allSatisfy({ $0["status"].string == "completed" }) { return }
      guard ContinuousClock.now < deadline else { break }
      try await Task.sleep(for: plan.interval)
    }
    for row in try await client.jobs(limit: 100) {
      for line in try await client.story(of: row.id).text.split(separator: "\n") { await list.see("RunnerHub: \(line)") }
    }
    throw VerifyFailure(
      seen: "the jobs have not ended within \(Checklist.text(plan.timeLimit))",
      advice: "the lines above say how far RunnerHub came; the engine's and GitHub's words are in serve.log")
  }

  // MARK: - What GitHub says, and what RunnerHub says

  private func judge(_ job: JSON, _ relay: WebhookRelay, _ client: AdministrationClient) async throws {
    let name = job["name"].string ?? ""
    let runner = job["runner_name"].string ?? ""
    guard let expected = Self.jobs[name], job["conclusion"].string == expected else {
      throw VerifyFailure(
        seen: "\(name) should have ended with \(Self.jobs[name] ?? "nothing"), but ended with \(job["conclusion"].string ?? "nothing")",
        advice: "its log at GitHub says why: \(job["html_url"].string ?? "")")
    }
    await list.see("GitHub: \(name) ended with \(expected) on runner \(runner) (\(job["runner_id"].int ?? 0))")

    var story: JobStory?
    let row = try await client.find(name)
    try await eventually("RunnerHub's own row of \(name) says so") {
      story = try await client.story(of: row.id)
      return story?.job.conclusion?.word == expected && story?.job.state == .completed
    }
    guard let assignment = story?.assignments.first(where: { $0.id.rawValue == runner }), assignment.runnerID == job["runner_id"].int else {
      throw VerifyFailure(seen: "RunnerHub did not register the runner \(runner) that \(name) ran on", advice: nil)
    }
    await list.see(
      "RunnerHub: \(name) ended with \(expected); it registered \(assignment.id) for it in container \(story?.row.container ?? "–")")

    let words = name == VerifyPlan.succeeding ? "the word is \(plan.word)" : "exit code 7"
    if name == VerifyPlan.succeeding { try await seeLogAtGitHub(of: job, words, relay.repository) }
    try await eventually("RunnerHub's log of \(name) holds “\(words)”") {
      let log = String(decoding: try await client.log(of: row.id, from: 0), as: UTF8.self)
      return log.contains(words)
    }
    await list.see("RunnerHub's log of \(name) holds “\(words)”")
  }

  private func seeLogAtGitHub(of job: JSON, _ words: String, _ repository: VerifiedRepository) async throws {
    var log: VerifyClient.Answer?
    try await eventually("GitHub's log holds “\(words)”") {
      log = try await github.send(.GET, repository.path("actions/jobs/\(job["id"].int ?? 0)/logs"))
      return log.map { $0.status == 200 && String(decoding: $0.body, as: UTF8.self).contains(words) } ?? false
    }
    if let log { await list.see("\(log.seen): \(log.body.count) bytes, with “\(words)”") }
  }

  private func judgeStatuses(_ relay: WebhookRelay) async throws {
    let path = relay.repository.path("commits/\(relay.run.commit)/statuses?per_page=100")
    let wanted = Dictionary(uniqueKeysWithValues: Self.jobs.map { ("RunnerHub / \($0)", $1) })
    var seen = ""
    try await eventually("the commit has RunnerHub's last word on both jobs") {
      let answer = try await github.send(.GET, path).expecting(200, right: .readStatuses)
      seen = answer.seen
      // Newest first.
      let newest = Dictionary(
        (answer.json.array ?? []).map { ($0["context"].string ?? "", $0["state"].string ?? "") }, uniquingKeysWith: { first, _ in first })
      return newest.filter { wanted[$0.key] != nil } == wanted
    }
    await list.see("\(seen): \(wanted.sorted { $0.key < $1.key }.map { "\($0) \($1)" }.joined(separator: ", "))")
  }

  private func eventually(_ what: String, _ holds: () async throws -> Bool) async throws {
    let deadline = ContinuousClock.now + Self.afterwards
    while ContinuousClock.now < deadline {
      if try await holds() { return }
      try await Task.sleep(for: min(plan.interval, .seconds(1)))
    }
    throw VerifyFailure(seen: "within \(Checklist.text(Self.afterwards)) this did not come true: \(what)", advice: "see serve.log")
  }
}
