import Crypto
import Emulator
import Foundation
import GRDB
import NIOHTTP1
import Testing

/// One of GitHub's example deliveries.
struct Example: Sendable, CustomStringConvertible {
  let event: String
  let name: String
  var body: Data
  var description: String { "\(event)/\(name)" }
  var guid = UUID().uuidString.lowercased()

  /// All of the corpus.
  static func all() throws -> [Example] {
    let folder = Places.corpora.appending(path: "webhooks")
    let files = FileManager.default
    let events = try files.contentsOfDirectory(atPath: folder.path).filter { !$0.contains(".") && $0 != "LICENSE" }.sorted()
    return try events.flatMap { event in
      try files.contentsOfDirectory(atPath: folder.appending(path: event).path).sorted().filter { $0.hasSuffix(".json") }.map {
        Example(event: event, name: $0, body: try Data(contentsOf: folder.appending(path: event).appending(path: $0)))
      }
    }
  }

  /// What the body says, by plain look-up.
  var json: JSON {
    get throws { try JSON(parsing: body) }
  }

  /// The change of a job that it tells of: one that was told before is not stored again.
  private var transition: String? {
    get throws {
      let message = try json
      let job = message["workflow_job"]
      guard event == "workflow_job", !job.isNull else { return nil }
      return "\(job["id"]) \(job["run_attempt"]) \(message["action"]) \(job["status"])"
    }
  }

  /// Groups in which no two tell of the same change.
  static func groups(_ examples: [Example]) throws -> [[Example]] {
    var groups: [(told: Set<String>, examples: [Example])] = []
    for example in examples {
      let transition = try example.transition ?? "\(example) itself"
      if let index = groups.firstIndex(where: { !$0.told.contains(transition) }) {
        groups[index].told.insert(transition)
        groups[index].examples.append(example)
      } else {
        groups.append(([transition], [example]))
      }
    }
    return groups.map(\.examples)
  }

  func mutated(_ change: (JSON) -> JSON) throws -> Example {
    Example(event: event, name: name, body: try change(try JSON(parsing: body)).encoded())
  }
}

extension House {
  enum Signature {
    case right, none
    case of(Data)
  }

  func post(_ example: Example, signed signature: Signature = .right, type: String = "application/json") async throws -> Reply {
    let address = try #require(await hub.announcement?.webhooks)
    var headers = [
      ("Content-Type", type), ("X-GitHub-Event", example.event), ("X-GitHub-Delivery", example.guid), ("X-GitHub-Hook-ID", "7"),
    ]
    func sign(_ data: Data) -> String {
      let code = HMAC<SHA256>.authenticationCode(for: data, using: SymmetricKey(data: Data(Self.secret.utf8)))
      return "sha256=" + code.map { String(UInt16($0) + 0x100, radix: 16).dropFirst() }.joined()
    }
    switch signature {
    case .right: headers.append(("X-Hub-Signature-256", sign(example.body)))
    case .of(let other): headers.append(("X-Hub-Signature-256", sign(other)))
    case .none: break
    }
    return try await Self.send(.POST, address, headers: headers, body: example.body)
  }

  /// The answer to a head alone: a body that is too large is refused before it is sent.
  fileprivate func announce(bytes: Int) async throws -> Reply {
    let address = try #require(await hub.announcement.flatMap { URL(string: $0.webhooks) })
    let port = try #require(address.port)
    let connection = try LoopbackConnection(port: UInt16(port))
    return try connection.exchange(
      "POST \(address.path) HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: \(bytes)\r\n"
        + "X-Hub-Signature-256: sha256=\(String(repeating: "0", count: 64))\r\nX-GitHub-Event: push\r\nX-GitHub-Delivery: \(UUID().uuidString)\r\nConnection: close\r\n\r\n"
    )
  }

  private func count(_ sql: String, _ arguments: StatementArguments = StatementArguments()) throws -> Int {
    try rows("SELECT count(*) AS n FROM \(sql)", arguments).first?["n"] ?? 0
  }

  fileprivate func deliveries() throws -> Int { try count("deliveries") }

  /// Every job with its version: what changed nothing leaves this as it was.
  fileprivate func jobVersions() throws -> [String] {
    try rows("SELECT id, version FROM orchestrator_jobs ORDER BY id").map { "\($0["id"] as String) \($0["version"] as Int)" }
  }

  /// States by GitHub's number and attempt.
  fileprivate func jobStates() throws -> [String: String] {
    let all = try rows("SELECT id, status FROM orchestrator_jobs")
    return Dictionary(all.map { ($0["id"], $0["status"]) }, uniquingKeysWith: { first, _ in first })
  }

  fileprivate func status(of example: Example) throws -> String? {
    try rows("SELECT status FROM deliveries WHERE guid = ?", [example.guid]).first?["status"]
  }

  /// Waits until the intake has looked at all that is stored.
  fileprivate func allTakenIn() async throws {
    try await eventually("an empty inbox, and every job routed") {
      try count("deliveries WHERE status = 'pending'") == 0 && count("orchestrator_jobs WHERE status = 'received'") == 0
    }
  }
}

/// Where a job stands after what was told of it, in a house of which no pool offers what it asks for: by GitHub's words alone.
private struct JobLife {
  private(set) var state: String?

  /// A state only rises; what ended has ended. A word that nobody knows tells nothing.
  mutating func hear(_ message: JSON) {
    let job = message["workflow_job"]
    if state == "completed" || state == "cancelled" { return }
    switch (message["action"].string, job["status"].string) {
    case ("queued", "waiting"), ("waiting", _): state = state ?? "waiting"
    // Nobody here may run it: it is others'.
    case ("queued", _): if state == nil || state == "waiting" { state = "forwarded" }
    case ("in_progress", _): state = "running"
    case ("completed", _):
      let hadRunner = job["runner_name"].string?.isEmpty == false || state == "running"
      state = job["conclusion"].string == "cancelled" && !hadRunner ? "cancelled" : "completed"
    default: break
    }
  }

  /// States by row after all of the messages.
  static func states(after messages: [JSON]) -> [String: String] {
    var lives: [String: JobLife] = [:]
    for message in messages {
      let job = message["workflow_job"]
      let attempt = job["run_attempt"].int ?? 1
      lives["\(job["id"].int ?? 0)" + (attempt > 1 ? ".\(attempt)" : ""), default: JobLife()].hear(message)
    }
    return lives.compactMapValues(\.state)
  }
}

@Suite("GitHub's example deliveries, posted to a running server", .serialized) struct WebhookCorpusTests {
  /// A house that nobody's job asks for.
  private static var plan: House.Plan {
    var plan = House.Plan()
    (plan.routesEverything, plan.labels, plan.warm) = (false, "nobody-asks-for-this", 0)
    return plan
  }

  @Test("each is stored byte for byte, once, and only with the right signature") func stored() async throws {
    let examples = try Example.all()
    try #require(!examples.isEmpty)
    for group in try Example.groups(examples) {
      try await House.run(Self.plan) { house in
        for example in group {
          let reply = try await house.post(example)
          #expect(reply.status == (example.event == "ping" ? 200 : 202), "\(example): \(reply.text)")
          let bodies: [Data] = try house.rows("SELECT body FROM deliveries WHERE guid = ?", [example.guid]).map { $0["body"] }
          #expect(bodies == [example.body], "\(example)")
        }
        try await house.allTakenIn()
        let jobs = try house.jobVersions()
        for example in group {
          let again = try await house.post(example)
          #expect(again.status == 200, "\(example): \(again.text)")
        }
        try await house.allTakenIn()
        let stored = try house.deliveries()
        #expect(stored == group.count)
        #expect(try house.jobVersions() == jobs, "the same delivery again changes nothing")
        try await expectRefused(group, in: house)
        try await house.allTakenIn()
        #expect(try house.deliveries() == stored)
        #expect(try house.jobVersions() == jobs, "what is refused leaves no job")

        for example in group {
          let row = try #require(try house.rows("SELECT status, note FROM deliveries WHERE guid = ?", [example.guid]).first)
          switch example.event {
          case "workflow_job": #expect(row["status"] != "malformed" && row["status"] != "pending", "\(example): \(row)")
          case "workflow_run":
            let message = try example.json
            let id = try #require(message["workflow_run"]["id"].int)
            #expect(row["status"] == "processed" && row["note"] == "run \(id) \(message["action"].string ?? "")", "\(example): \(row)")
          // What the product has no use for is stored and acknowledged with its reason, never an error.
          default: #expect(row["status"] == "ignored" && (row["note"] as String?)?.isEmpty == false, "\(example): \(row)")
          }
        }
        #expect(await house.hub.isRunning)
      }
    }
  }

  private func expectRefused(_ examples: [Example], in house: House) async throws {
    for example in examples {
      var changed = example
      changed.guid = UUID().uuidString
      changed.body[changed.body.count / 2] ^= 1
      var unsigned = example
      unsigned.guid = UUID().uuidString
      let refused = [
        try await house.post(unsigned, signed: .none), try await house.post(unsigned, signed: .of(Data("other".utf8))),
        try await house.post(changed, signed: .of(example.body)),
      ]
      for reply in refused {
        #expect(reply.status == 401, "\(example)")
        #expect(reply.json["reason"].string?.isEmpty == false, "\(reply.text)")
      }
    }
    let refusals = try await house.get("/metrics").text.split(separator: "\n").filter { $0.contains(#"outcome="unauthorized""#) }
    #expect(refusals.contains { $0.hasSuffix(" \(examples.count * 3)") }, "\(refusals)")
  }

  @Test("a delivery of a job, alone, leads to the row that shows what a plain look-up in its body shows") func aloneRows() async throws {
    let examples = try Example.all().filter { $0.event == "workflow_job" }
    try #require(!examples.isEmpty)
    try await House.run(Self.plan) { house in
      for (number, example) in examples.enumerated() {
        // A number of its own, so that no other delivery tells of the same job.
        let alone = try example.mutated { message in
          message.merging(["workflow_job": message["workflow_job"].merging(["id": .int(Int64(9_000_000_000 + number))])])
        }
        #expect(try await house.post(alone).status == 202, "\(example)")
        try await house.allTakenIn()
        try expectShown(try alone.json, in: house, example)
      }
    }
  }

  private func expectShown(_ message: JSON, in house: House, _ example: Example) throws {
    let job = message["workflow_job"]
    guard let state = JobLife.states(after: [message]).values.first else {
      #expect(try house.row(of: job["id"].int ?? 0) == nil, "an action that nobody knows makes no row: \(example)")
      return
    }
    let row = try #require(try house.row(of: job["id"].int ?? 0), "\(example)")
    let hasBegun = state == "running" || (state == "completed" && job["runner_name"].string?.isEmpty == false)
    #expect(row["status"] == state, "\(example)")
    #expect(row["repository"] == message["repository"]["full_name"].string)
    #expect(row["workflow"] == job["workflow_name"].string ?? "")
    #expect(row["run_id"] == job["run_id"].int)
    #expect(row["run_attempt"] == job["run_attempt"].int)
    #expect(row["container_id"] as String? == nil)
    #expect((row["completed_at"] as String? != nil) == ["completed", "cancelled"].contains(state), "\(example)")
    #expect((row["started_at"] as String? != nil) == hasBegun, "\(example)")
    let metadata = try JSON(parsing: Data((row["metadata"] as String).utf8))
    for (ours, theirs) in [
      ("name", "name"), ("workflow", "workflow_name"), ("headSHA", "head_sha"), ("headBranch", "head_branch"), ("labels", "labels"),
      ("runID", "run_id"), ("runAttempt", "run_attempt"), ("htmlURL", "html_url"),
    ] { #expect(metadata[ours] == job[theirs], "\(example): \(theirs)") }
    for (ours, theirs) in [("id", "id"), ("fullName", "full_name"), ("isPrivate", "private"), ("defaultBranch", "default_branch")] {
      #expect(metadata["repository"][ours] == message["repository"][theirs], "\(example): \(theirs)")
    }
    #expect(metadata["organization"] == message["organization"]["login"], "\(example)")
    #expect(metadata["installationID"] == message["installation"]["id"], "\(example)")
    #expect(metadata["conclusion"] == (["completed", "cancelled"].contains(state) ? job["conclusion"] : .null), "\(example)")
    if hasBegun { #expect(metadata["runnerName"] == job["runner_name"], "\(example)") }
    let steps = (job["steps"].array ?? []).map { step in
      ["number", "name", "status", "conclusion"].map { step[$0] }
    }
    let kept = (metadata["steps"].array ?? []).map { step in
      ["number", "name", "status", "conclusion"].map { step[$0] }
    }
    #expect(kept == steps, "\(example)")
  }

  enum Order: CaseIterable { case asNamed, ofLife, againstLife }

  @Test("all deliveries of jobs, as they are, lead to the states that GitHub's words say, in every order", arguments: Order.allCases)
  func jobStates(order: Order) async throws {
    let life = ["queued", "waiting", "in_progress", "completed"]
    var examples = try Example.all().filter { $0.event == "workflow_job" }
    if order != .asNamed {
      let ranks = try examples.map { example in life.firstIndex(of: try example.json["action"].string ?? "") ?? life.count }
      examples = zip(examples, ranks).enumerated().sorted { ($0.element.1, $0.offset) < ($1.element.1, $1.offset) }.map(\.element.0)
    }
    if order == .againstLife { examples.reverse() }
    let messages = try examples.map { try $0.json }
    try await House.run(Self.plan) { [examples] house in
      for example in examples {
        #expect(try await house.post(example).status < 300, "\(example)")
        // One at a time: the order is the point.
        try await house.allTakenIn()
      }
      #expect(try house.jobStates() == JobLife.states(after: messages))
    }
  }

  @Test("members and actions that nobody knows change nothing of the acceptance", .timeLimit(.minutes(2))) func mutations() async throws {
    @Sendable func strange(_ value: JSON) -> JSON {
      switch value {
      case .object(let members): .object(members.mapValues(strange).merging(["member_of_tomorrow": ["a": [1, nil]]]) { $1 })
      case .array(let items): .array(items.map(strange))
      default: value
      }
    }
    for group in try Example.groups(try Example.all()) {
      let grown = try group.map { try $0.mutated(strange) }
      // An event without an action has none that could be unknown.
      let unheard = try group.filter { try !$0.json["action"].isNull }.map { try $0.mutated { $0.merging(["action": "teleported"]) } }
      let told = try grown.filter { $0.event == "workflow_job" }.map { try $0.json }
      try await House.run(Self.plan) { house in
        for sent in grown {
          let reply = try await house.post(sent)
          #expect(reply.status == (sent.event == "ping" ? 200 : 202), "\(sent): \(reply.text)")
          try await house.allTakenIn()
        }
        let jobs = try house.jobVersions()
        for sent in unheard { #expect(try await house.post(sent).status < 300, "\(sent)") }
        try await house.allTakenIn()
        #expect(try house.rows("SELECT guid FROM deliveries WHERE status = 'malformed'").isEmpty)
        #expect(try house.jobStates() == JobLife.states(after: told))
        #expect(try house.jobVersions() == jobs, "an action that nobody knows moves no job")
      }
    }
  }

  @Test("a form is unpacked, an unknown event is ignored, and what is wrong is refused with a reason") func otherShapes() async throws {
    try await House.run(Self.plan) { house in
      let example = try #require(try Example.all().first { $0.event != "ping" })
      var form = example
      let escaped = try #require(String(decoding: example.body, as: UTF8.self).addingPercentEncoding(withAllowedCharacters: .alphanumerics))
      form.body = Data("payload=\(escaped)".utf8)
      #expect(try await house.post(form, type: "application/x-www-form-urlencoded").status == 202)
      let bodies: [Data] = try house.rows("SELECT body FROM deliveries WHERE guid = ?", [form.guid]).map { $0["body"] }
      #expect(bodies == [example.body])

      let unknown = Example(event: "teleport", name: "made up", body: Data(#"{"action": "done"}"#.utf8))
      #expect(try await house.post(unknown).status == 202)
      try await eventually("the unknown event is ignored") { try house.status(of: unknown) == "ignored" }

      let stored = try house.deliveries()
      let broken = Example(event: "push", name: "broken", body: Data(#"{"action": "#.utf8))
      let refusals = [
        (400, try await house.post(broken)), (415, try await house.post(unknown, type: "text/plain")),
        (413, try await house.announce(bytes: (25 << 20) + 1)),
      ]
      for (status, reply) in refusals {
        #expect(reply.status == status, "\(reply.text)")
        #expect(reply.json["reason"].string?.isEmpty == false, "\(reply.text)")
      }
      #expect(try house.deliveries() == stored)
    }
  }
}
