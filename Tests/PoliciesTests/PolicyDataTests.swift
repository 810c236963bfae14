import Domain
import Foundation
import Policies
import RunnerHub
import Testing

@Suite("Data of policies")
struct PolicyDataTests {
  private func data(_ yaml: String, schema: String? = nil) -> PolicyData {
    var files = ["data/teams.yaml": Array(yaml.utf8)]
    if let schema { files["data/teams.schema.yaml"] = Array(schema.utf8) }
    return PolicyData(files: files)
  }

  @Test("is read by the core schema: whole numbers, numbers, texts, booleans; null is nil")
  func scalars() {
    let data = data("a: 1\nb: 2.5\nc: yes\nd: true\ne: null\nf: '3'\ng: 0x10\nh: [1, x]\ni: { j: ~ }\n3: k\n")
    #expect(data.problems.isEmpty)
    #expect(
      data.tables == [
        "teams": .map([
          "a": .integer(1), "b": .number(2.5), "c": .text("yes"), "d": .bool(true), "f": .text("3"), "g": .integer(16),
          "h": .list([.integer(1), .text("x")]), "i": .map([:]), "3": .text("k"),
        ])
      ])
  }

  private static let bomb =
    "a: &a [1,1,1,1,1,1,1,1,1,1]\n"
    + (0..<8).map { level in
      let (name, below) = (Character(UnicodeScalar(98 + UInt8(level))), Character(UnicodeScalar(97 + UInt8(level))))
      return "\(name): &\(name) [\(Array(repeating: "*\(below)", count: 10).joined(separator: ","))]\n"
    }.joined()

  @Test(
    "that cannot be read says where, and what",
    arguments: [
      ("a: 1\nb: 2\na: 3", "data/teams.yaml:3:1: 'a' is already defined"), ("a: [1", "data/teams.yaml:"), ("", "data/teams.yaml:1:1: "),
      ("just a text", "data/teams.yaml:1:1: the file holds \"just a text\"; expected a mapping or a list"),
      ("a: [1, null]", "data/teams.yaml:1:8: a list cannot hold null"), ("a: *b", "data/teams.yaml:1:4: Unknown alias '*b'"),
      ("a: !!python/object x", "data/teams.yaml:1:4: Unexpected tag"), (bomb, "Aliases expand to more than"),
      (String(repeating: "- ", count: 14) + "x", "nested"), ("a: &a { b: *a }", "Unknown alias"),
      ((0..<20_001).map { "- \($0)\n" }.joined(), "20000 are taken at most"),
    ])
  func unreadable(yaml: String, problem: String) {
    let data = data(yaml)
    #expect(data.tables.isEmpty)
    #expect(data.problems.first?.description.contains(problem) == true, "\(data.problems)")
  }

  private static let schema = """
    type: object
    description: Who owns what.
    additionalProperties:
      type: object
      required: [tier]
      additionalProperties: false
      properties:
        tier: { enum: [gold, silver] }
        percent: { type: number, minimum: 0, maximum: 100 }
        size: { type: integer }
        repositories: { type: array, minItems: 1, maxItems: 2, items: { type: string, pattern: "^[a-z]+/[a-z]+$", maxLength: 20 } }
        note: { type: [string, "null"], minLength: 2 }
    """

  @Test("that fits its schema is taken")
  func fits() {
    let data = data(
      "payments: { tier: gold, percent: 40, size: 3, repositories: [acme/shop], note: null }\nsearch:\n  tier: silver", schema: Self.schema)
    #expect(data.problems.isEmpty)
    #expect(data.tables["teams"] != nil)
  }

  @Test(
    "that breaks its schema says where, what it is, and what is expected",
    arguments: [
      ("payments:\n  tier: bronze", "2:9: payments.tier is \"bronze\"; expected one of \"gold\", \"silver\""),
      ("payments: {}", "1:11: payments has no 'tier'; it is required"),
      ("payments:\n  tier: gold\n  teir: x", "3:3: 'payments.teir' is not known here; expected tier, percent, size, repositories, note"),
      ("payments: { tier: gold, percent: 101 }", "1:34: payments.percent is 101; expected a number up to 100"),
      ("payments: { tier: gold, percent: -1 }", "payments.percent is -1; expected a number from 0"),
      ("payments: { tier: gold, percent: '40' }", "payments.percent is \"40\"; expected a number"),
      ("payments: { tier: gold, size: 1.5 }", "payments.size is 1.5; expected a whole number"),
      ("payments: { tier: gold, repositories: [] }", "payments.repositories is a list of 0; expected at least 1 items"),
      ("payments: { tier: gold, repositories: [a/b, c/d, e/f] }", "expected at most 2 items"),
      (
        "payments: { tier: gold, repositories: [a/b, shop] }",
        "payments.repositories[2] is \"shop\"; expected a text that matches ^[a-z]+/[a-z]+$"
      ),
      ("payments: { tier: gold, note: x }", "payments.note is \"x\"; expected at least 2 characters"),
      ("payments: 3", "1:11: payments is 3; expected a mapping"), ("- 1", "1:1: the file is a list of 1; expected a mapping"),
    ])
  func violations(yaml: String, problem: String) {
    let data = data(yaml, schema: Self.schema)
    #expect(data.tables.isEmpty)
    #expect(data.problems.map(\.description).joined(separator: "\n").contains(problem), "\(data.problems)")
    #expect(data.problems.allSatisfy { $0.file == "data/teams.yaml" })
  }

  @Test(
    "has a schema whose keywords are all checked; another is an error, not left out",
    arguments: [
      ("type: object\nformat: date", "data/teams.schema.yaml:2:1: unknown keyword 'format'"),
      ("type: thing", "data/teams.schema.yaml:1:7: "),
      ("pattern: '(a+)+$'", "no groups"), ("pattern: 'a*b*c*d*'", "at most 3"), ("pattern: '['", "cannot be read"),
      ("minItems: -1", "whole number from 0"), ("properties: [a]", "a mapping of names"), ("- 1", "a schema is a mapping"),
    ])
  func schemas(schema: String, problem: String) {
    let data = data("a: 1", schema: schema)
    #expect(data.problems.first?.description.contains(problem) == true, "\(data.problems)")
  }

  private static let policy = """
    local routing = { api = 1 }
    function routing.route(job)
      local team = data.teams[job.owner]
      if not team then return "traditional", "no team" end
      return "orchestrator", team.tier .. " " .. #team.repositories
    end
    return routing
    """

  @Test("reaches a policy and its tests, and is part of the digest")
  func inBundle() throws {
    var files = [
      "routing.lua": Array(Self.policy.utf8), "data/teams.yaml": Array("acme: { tier: gold, repositories: [a, b] }".utf8),
      "routing_test.lua": Array(
        """
        local routing = require("routing")
        test("sees data", function()
          expect(data.teams.acme.tier).equals("gold")
          expect((routing.route(job({ repository = "acme/shop", owner = "acme" })))).equals("orchestrator")
          expect(function() data.teams.acme.tier = "x" end).fails("read-only")
          expect(function() return data.teems end).fails("did you mean 'data.teams'?")
        end)
        """.utf8),
    ]
    let bundle = try PolicyBundle(files: files)
    #expect(BundleCheck(bundle).summary == nil)
    let engine = LuaPolicyEngine(bundle: bundle, builtIn: BuiltInPolicy())
    #expect(engine.route(PolicySamples.job, fleet: PolicySamples.fleet).reason == "gold 2")
    files["data/teams.yaml"] = Array("acme: { tier: silver, repositories: [a] }".utf8)
    #expect(try PolicyBundle(files: files).digest != bundle.digest)
  }

  @Test("that is wrong keeps a bundle from acting, and an engine of it answers with the built-in rule")
  func wrong() throws {
    let bundle = try PolicyBundle(files: ["routing.lua": Array(Self.policy.utf8), "data/teams.yaml": Array("a: 1\na: 2".utf8)])
    #expect(BundleCheck(bundle).summary == "data/teams.yaml:2:1: 'a' is already defined")
    let verdict = LuaPolicyEngine(bundle: bundle, builtIn: BuiltInPolicy()).route(PolicySamples.job, fleet: PolicySamples.fleet)
    #expect(verdict.fallbackCause?.contains("'a' is already defined") == true)
  }

  @Test("is read from its folder; a file of another name is refused, one of another kind left alone")
  func folder() throws {
    let folder = try ScratchFolder()
    try folder.write("routing.lua", Self.policy)
    try folder.write("data/teams.yaml", "acme: { tier: gold, repositories: [] }")
    try folder.write("data/README.md", "about")
    try folder.write("examples/x.lua", "return {}")
    #expect(try PolicyBundle.paths(in: folder.path) == ["routing.lua", "data/teams.yaml"])
    #expect(try PolicyBundle(folder: folder.path).data.tables.keys.sorted() == ["teams"])
    try folder.write("data/tiers.yml", "a: 1")
    #expect(throws: BundleError.self) { try PolicyBundle(folder: folder.path) }
  }

  @Test("without its file a schema is an error")
  func orphan() {
    let data = PolicyData(files: ["data/teams.schema.yaml": Array("type: object".utf8)])
    #expect(data.problems.first?.description == "data/teams.schema.yaml:1:1: a schema without its file: there is no data/teams.yaml")
  }
}
