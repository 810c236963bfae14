import Domain
import Foundation
import GitHub
import GitHubDescription
import RunnerHub
import Testing

@Suite("Deliveries are read leniently") struct DeliveryDecoderTests {
  private let decoder = GitHubDeliveryDecoder()

  @Test("the corpus of deliveries is there") func corpusIsThere() {
    #expect(!CorpusCase.all.isEmpty)
    #expect(CorpusCase.all.contains { $0.event == "workflow_job" })
  }

  @Test("each example delivery shows exactly what a plain look-up shows", arguments: CorpusCase.all)
  func exampleIsReadAsItStands(example: CorpusCase) throws {
    let body = try JSONValue(json: example.body)
    switch try decoder.decode(example.delivery) {
    case .job(let report):
      #expect(example.event == "workflow_job")
      try expect(report, shows: body)
    case .run(let report):
      #expect(example.event == "workflow_run")
      #expect(report.id == body["workflow_run"]?["id"]?.integer)
      #expect(report.headSHA == body["workflow_run"]?["head_sha"]?.string)
    case .ignored(let reason):
      #expect(example.event != "workflow_job" && example.event != "workflow_run")
      #expect(reason.contains(example.event))
    }
  }

  private func expect(_ report: JobReport, shows body: JSONValue) throws {
    let job = try #require(body["workflow_job"])
    #expect(report.action == body["action"]?.string)
    #expect(report.forgeID == job["id"]?.integer)
    #expect(report.runID == job["run_id"]?.integer)
    #expect(Int64(report.runAttempt) == job["run_attempt"]?.integer ?? 1)
    #expect(report.name == job["name"]?.string)
    #expect(report.workflow == job["workflow_name"]?.string)
    #expect(report.headSHA == job["head_sha"]?.string)
    #expect(report.headBranch == job["head_branch"]?.string)
    #expect(report.status == job["status"]?.string)
    #expect(report.conclusion == job["conclusion"]?.string)
    #expect(report.labels == job["labels"]?.array?.compactMap(\.string))
    #expect(report.runnerID == job["runner_id"]?.integer)
    #expect(report.runnerName == job["runner_name"]?.string)
    #expect(report.runnerGroupName == job["runner_group_name"]?.string)
    #expect(report.startedAt?.formatted(.iso8601) == job["started_at"]?.string)
    #expect(report.completedAt?.formatted(.iso8601) == job["completed_at"]?.string)
    let steps = job["steps"]?.array ?? []
    #expect(report.steps.map { Int64($0.number) } == steps.map { $0["number"]?.integer })
    #expect(report.steps.map(\.name) == steps.map { $0["name"]?.string })
    #expect(report.steps.map(\.status) == steps.map { $0["status"]?.string })
    #expect(report.steps.map(\.conclusion) == steps.map { $0["conclusion"]?.string })
    #expect(report.repository.id == body["repository"]?["id"]?.integer)
    #expect(report.repository.fullName == body["repository"]?["full_name"]?.string)
    #expect(report.repository.isPrivate == body["repository"]?["private"]?.bool)
    #expect(report.repository.defaultBranch == body["repository"]?["default_branch"]?.string)
    #expect(report.organization == body["organization"]?["login"]?.string)
    #expect(report.installationID == body["installation"]?["id"]?.integer)
  }

  @Test("an unknown member at every level changes nothing", arguments: CorpusCase.all)
  func unknownMembersAreSkipped(example: CorpusCase) throws {
    let strange = try JSONValue(json: example.body).withStrangers.data()
    #expect(try decoder.decode(CorpusCase.delivery(event: example.event, body: strange)) == decoder.decode(example.delivery))
  }

  @Test("an action that nobody knows is still an event", arguments: CorpusCase.all)
  func unknownActionsAreKept(example: CorpusCase) throws {
    var body = try JSONValue(json: example.body)
    body["action"] = .string("teleported")
    switch try decoder.decode(CorpusCase.delivery(event: example.event, body: try body.data())) {
    case .job(let report): #expect(report.action == "teleported")
    case .run(let report): #expect(report.action == "teleported")
    case .ignored(let reason): #expect(reason.contains(example.event))
    }
  }

  @Test("no change of any part of a job's event makes the decoder do anything but answer or name a fault")
  func mutationsNeverTrap() throws {
    var dice = Dice(seed: 20_261_124)
    for example in CorpusCase.all where example.event == "workflow_job" {
      let body = try JSONValue(json: example.body)
      var faults = 0
      for _ in 0..<400 {
        let mutated = body.mutated(&dice)
        do {
          _ = try decoder.decode(CorpusCase.delivery(event: example.event, body: try mutated.data()))
        } catch let fault as MalformedDelivery {
          faults += 1
          #expect(fault.description.hasPrefix("workflow_job: "), "\(fault)")
        }
      }
      #expect(faults > 0, "the mutations of \(example.testDescription) never met a member that is read")
    }
  }

  @Test("no bytes make the decoder trap") func bytesNeverTrap() throws {
    var dice = Dice(seed: 7)
    let example = try #require(CorpusCase.all.first { $0.event == "workflow_job" })
    for _ in 0..<300 {
      var bytes = [UInt8](example.body)
      for _ in 0..<Int.random(in: 1...8, using: &dice) {
        bytes[Int.random(in: 0..<bytes.count, using: &dice)] = UInt8.random(in: 0...255, using: &dice)
      }
      if Bool.random(using: &dice) { bytes = Array(bytes.prefix(Int.random(in: 0..<bytes.count, using: &dice))) }
      do {
        _ = try decoder.decode(CorpusCase.delivery(event: "workflow_job", body: Data(bytes)))
      } catch {
        #expect(!error.description.isEmpty)
      }
    }
    let deep = Data(repeating: UInt8(ascii: "["), count: 100_000)
    #expect(throws: MalformedDelivery.self) { try decoder.decode(CorpusCase.delivery(event: "workflow_job", body: deep)) }
  }

  @Test(
    "a fault is named by its member",
    arguments: [
      (#"{"workflow_job": {"id": "7"}}"#, "workflow_job.id is not an integer"),
      (#"{"workflow_job": {"id": 99999999999999999999}}"#, "workflow_job.id"),
      (#"{"workflow_job": {"id": 1.5}}"#, "workflow_job.id"),
      (#"{"workflow_job": {"run_id": 1}}"#, "workflow_job.id is missing"),
      (#"{"workflow_job": null}"#, "workflow_job is null"),
      (#"{"workflow_job": {"id": 1, "run_id": 2, "name": "n", "labels": ["a", 3]}}"#, "workflow_job.labels[1] is not a string"),
      (#"{"repository": {"id": 1, "full_name": "o/r"}}"#, "workflow_job is missing"), (#"[]"#, "(the whole body) is not an object"),
      ("", "not JSON"),
      ("{", "not JSON"),
    ])
  func faultIsNamed(body: String, expected: String) throws {
    let fault = #expect(throws: MalformedDelivery.self) {
      let whole = body.replacingOccurrences(of: "{\"workflow_job", with: #"{"repository": {"id": 1, "full_name": "o/r"}, "workflow_job"#)
      return try decoder.decode(CorpusCase.delivery(event: "workflow_job", body: Data(whole.utf8)))
    }
    #expect(try #require(fault).description.contains(expected), "\(String(describing: fault))")
  }

  @Test("ids of 64 bits and nulls in optional places survive") func extremesSurvive() throws {
    let body = #"""
      {"action": null, "workflow_job": {"id": 9223372036854775807, "run_id": 9007199254740993, "run_attempt": null, "name": "Bäu 🏗",
      "labels": null, "status": null, "head_sha": "a", "head_branch": null, "steps": null, "runner_id": 0, "runner_name": "",
      "created_at": "2026-11-24T01:02:03.456Z"},
      "repository": {"id": 1, "full_name": "o/r", "private": null, "default_branch": null}, "organization": null, "installation": null}
      """#
    guard case .job(let report) = try decoder.decode(CorpusCase.delivery(event: "workflow_job", body: Data(body.utf8))) else {
      Issue.record("no job")
      return
    }
    #expect(report.forgeID == .max)
    #expect(report.runID == 9_007_199_254_740_993)
    #expect(report.runAttempt == 1)
    #expect(report.labels.isEmpty)
    #expect(report.repository.isPrivate == false)
    #expect(report.createdAt != nil)
  }
}

extension JSONValue {
  /// With a member nobody knows in each object.
  fileprivate var withStrangers: JSONValue {
    switch self {
    case .object(let members):
      var members = members.mapValues(\.withStrangers)
      members["zz_unknown_member"] = .object(["deep": .array([.null, .integer(1)])])
      return .object(members)
    case .array(let items): return .array(items.map(\.withStrangers))
    default: return self
    }
  }

  /// With one part, chosen at random, replaced, removed or doubled.
  fileprivate func mutated(_ dice: inout Dice) -> JSONValue {
    switch self {
    case .object(var members) where !members.isEmpty && Int.random(in: 0..<10, using: &dice) > 0:
      guard let name = members.keys.sorted().randomElement(using: &dice) else { return self }
      // The parts that are read are few among many; the dice are loaded in their favour.
      let favoured = ["workflow_job", "steps", "repository"].first { members[$0] != nil && Bool.random(using: &dice) } ?? name
      members[favoured] = Int.random(in: 0..<8, using: &dice) == 0 ? nil : members[favoured]?.mutated(&dice)
      return .object(members)
    case .array(var items) where !items.isEmpty && Bool.random(using: &dice):
      let index = Int.random(in: 0..<items.count, using: &dice)
      items[index] = items[index].mutated(&dice)
      return .array(items)
    default:
      let others: [JSONValue] = [
        .null, .bool(true), .integer(.max), .integer(.min), .number(1e300), .number(-0.5), .string(""), .string("\u{0}\u{FFFD}"),
        .array([]),
        .array([.null, self]), .object([:]), .object(["id": self]),
      ]
      return others.randomElement(using: &dice) ?? .null
    }
  }
}

/// Chance that can be repeated (SplitMix64).
struct Dice: RandomNumberGenerator {
  private var state: UInt64
  init(seed: UInt64) { state = seed }
  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var mixed = state
    mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
    return mixed ^ (mixed >> 31)
  }
}
