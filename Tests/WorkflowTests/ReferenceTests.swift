import Testing

@testable import Workflow

@Suite("References to called workflows")
struct ReferenceTests {
  @Test("a reference is a path of the own repository, or repository, path and ref")
  func forms() throws {
    let own = try #require(WorkflowReference("./.github/workflows/a.yml"))
    #expect(own.repository == nil && own.path == ".github/workflows/a.yml" && own.ref == nil)
    #expect("\(own)" == "./.github/workflows/a.yml")
    let other = try #require(WorkflowReference("acme/ci/.github/workflows/a.yaml@release/v1"))
    #expect(other.repository == "acme/ci" && other.path == ".github/workflows/a.yaml" && other.ref == "release/v1")
    #expect("\(other)" == "acme/ci/.github/workflows/a.yaml@release/v1")
  }

  @Test(
    "anything else is none",
    arguments: [
      "", "./", "./a.yml", "./.github/workflows/../a.yml", "./.github/workflows/a.txt", "acme/ci/.github/workflows/a.yml",
      "acme/ci/.github/workflows/a.yml@", "acme/.github/workflows/a.yml@v1", "/ci/.github/workflows/a.yml@v1",
      "acme/ci/a/b/.github/workflows/a.yml@v1", "acme/ci/.github/workflows/${{ github.ref }}.yml@v1", "../x/.github/workflows/a.yml@v1",
    ])
  func others(text: String) { #expect(WorkflowReference(text) == nil) }

  @Test("./ in a called file is its own repository at its own ref")
  func nested() throws {
    let file = try #require(WorkflowReference("acme/ci/.github/workflows/a.yml@v1"))
    let nested = try #require(WorkflowReference("./.github/workflows/b.yml", in: file))
    #expect("\(nested)" == "acme/ci/.github/workflows/b.yml@v1")
    let away = try #require(WorkflowReference("x/y/.github/workflows/c.yml@v2", in: file))
    #expect(away.repository == "x/y")
  }

  @Test("a file of the caller's does not stand in for one of the called repository's")
  func confusion() throws {
    let texts = [
      "acme/ci/.github/workflows/outer.yml@v1": "on: workflow_call\njobs: { in: { uses: ./.github/workflows/b.yml } }",
      "./.github/workflows/b.yml": "on: workflow_call\njobs: { own: { runs-on: x, steps: [{ run: x }] } }",
    ]
    let file = "on: push\njobs: { ci: { uses: acme/ci/.github/workflows/outer.yml@v1 } }"
    let resolved = WorkflowFile.parse(
      file, path: "ci.yml", options: WorkflowOptions(calledWorkflows: texts, resolvesReferences: true))
    #expect(resolved.file?.match(jobName: "ci / in / own", labels: []) == .called("ci", .reusable("in")))
  }
}
