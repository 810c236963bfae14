import Testing

@testable import Workflow

@Suite("From a job of a run to its definition")
struct MatchingTests {
  private let file: WorkflowFile

  init() throws {
    file = try #require(
      parsed(
        """
        on: push
        jobs:
          build:
            runs-on: ${{ matrix.os }}
            strategy: { matrix: { os: [linux, windows], v: [1, 2] } }
          lint: { name: Lint it, runs-on: [self-hosted, linux] }
          deploy: { name: 'Deploy to ${{ inputs.target }}', runs-on: deploy }
          dynamic:
            runs-on: ${{ matrix.os }}
            strategy: { matrix: '${{ fromJSON(needs.lint.outputs.m) }}' }
          twin-a: { name: 'Twin ${{ vars.x }}', runs-on: one }
          twin-b: { name: 'Twin ${{ vars.y }}', runs-on: two }
          call: { name: Called, uses: ./.github/workflows/other.yml }
          call-many:
            uses: ./.github/workflows/other.yml
            strategy: { matrix: { os: [linux] } }
          \(longKey): { runs-on: linux }
          same-a: { name: Same, runs-on: linux }
          same-b: { name: Same, runs-on: windows }
        """))
  }

  private let longKey = "k" + String(repeating: "y", count: 98)

  @Test("a predicted name is exact, matrix values included")
  func exact() throws {
    guard case .exact(let job) = file.match(jobName: "build (windows, 2)", labels: ["windows"]) else {
      Issue.record("no exact match")
      return
    }
    #expect(job.key == "build")
    #expect(job.matrix["v"] == 2)
    guard case .exact(let lint) = file.match(jobName: "Lint it", labels: ["Linux", "self-hosted"]) else {
      Issue.record("labels are compared without case and order")
      return
    }
    #expect(lint.key == "lint")
  }

  @Test("labels decide between jobs of one name, and rule out what asks for others")
  func labels() {
    #expect(key(file.match(jobName: "Same", labels: ["windows"])) == "exact same-b")
    #expect(file.match(jobName: "Same", labels: []) == .ambiguous(["same-a", "same-b"]))
    #expect(file.match(jobName: "Lint it", labels: ["windows"]) == .none)
    #expect(file.match(jobName: "Deploy to production", labels: ["other"]) == .none)
  }

  @Test(
    "expressions are wildcards",
    arguments: [
      ("Deploy to production", ["deploy"], "pattern deploy"), ("Deploy to ", ["deploy"], "pattern deploy"),
      ("Deploy into production", ["deploy"], "none"), ("dynamic (linux, 7)", ["linux"], "pattern dynamic"),
      ("dynamic", [], "pattern dynamic"),
      ("dynamically", [], "none"), ("Twin x", [], "ambiguous twin-a twin-b"), ("Twin x", ["two"], "pattern twin-b"),
      ("build (mac, 1)", [], "none"),
      ("Called / unit", ["linux"], "reusable call"), ("Called / deep / unit", [], "reusable call"),
      ("call-many (linux) / unit", [], "reusable call-many"),
      ("Unknown / unit", [], "none"), ("Called", [], "none"), ("", [], "none"),
    ])
  func patterns(name: String, labels: [String], expected: String) {
    #expect(key(file.match(jobName: name, labels: labels)) == expected)
  }

  @Test("a name that GitHub has cut is found by its beginning")
  func cut() throws {
    let file = try #require(
      parsed(
        """
        on: push
        jobs:
          a: { name: '\(String(repeating: "n", count: 90)) ${{ vars.x }} with an end', runs-on: x }
          b: { name: '\(String(repeating: "m", count: 120))', runs-on: x }
        """))
    #expect(key(file.match(jobName: String(repeating: "n", count: 90) + " abcdef...", labels: [])) == "pattern a")
    #expect(key(file.match(jobName: String(repeating: "n", count: 90) + " abc...", labels: [])) == "none")
    #expect(key(file.match(jobName: String(repeating: "m", count: 97) + "...", labels: [])) == "exact b")
  }

  @Test("a hostile name is answered at once")
  func hostile() {
    #expect(file.match(jobName: String(repeating: "x", count: 2_000_000), labels: []) == .none)
    #expect(file.match(jobName: String(repeating: " / ", count: 300), labels: []) == .none)
  }

  private func key(_ match: JobMatch) -> String {
    switch match {
    case .exact(let job): "exact \(job.key)"
    case .pattern(let job, _): "pattern \(job.key)"
    case .reusable(let key): "reusable \(key)"
    case .called(let caller, let match): "\(caller) > \(key(match))"
    case .ambiguous(let keys): "ambiguous \(keys.joined(separator: " "))"
    case .none: "none"
    }
  }
}
