import Testing

@testable import Workflow

@Suite("Called workflows")
struct CalledWorkflowTests {
  private let caller = """
    on: push
    jobs:
      first: { runs-on: linux }
      deploy:
        needs: first
        name: Deploy
        uses: ./.github/workflows/deploy.yml
        strategy: { matrix: { region: [eu, us] } }
        with: { target: '${{ matrix.region }}' }
    """
  private let deploy = """
    on:
      workflow_call:
        inputs: { target: { type: string, required: true } }
    jobs:
      push: { runs-on: [self-hosted, linux], strategy: { matrix: { v: [1, 2] } } }
      check: { name: 'Check ${{ inputs.target }}', runs-on: checker }
      more: { uses: acme/shared/.github/workflows/more.yml@v1 }
    """

  private func file() throws -> WorkflowFile {
    let options = WorkflowOptions(calledWorkflows: ["./.github/workflows/deploy.yml": deploy])
    let reading = WorkflowFile.parse(caller, path: "w.yml", options: options)
    #expect(reading.errors == [])
    return try #require(reading.file)
  }

  @Test("a plan has the jobs of called workflows under their callers' names, and says what only the run knows")
  func plan() throws {
    #expect(try file().plan().map(\.isCalled) == [false] + Array(repeating: true, count: 8))
    let names = try file().plan().map { $0.displayName ?? "? \($0.definition.key)" }
    #expect(
      names == [
        "first", "Deploy (eu) / push (1)", "Deploy (eu) / push (2)", "? check", "Deploy (eu) / more", "Deploy (us) / push (1)",
        "Deploy (us) / push (2)", "? check", "Deploy (us) / more",
      ])
  }

  @Test("a job of a called workflow is found in the called file, by name, pattern and labels")
  func match() throws {
    let file = try file()
    guard case .called("deploy", .exact(let job)) = file.match(jobName: "Deploy (us) / push (2)", labels: ["linux", "self-hosted"]) else {
      Issue.record("not found exactly")
      return
    }
    #expect(job.key == "push" && job.matrix["v"] == 2)
    guard case .called("deploy", .pattern(let pattern, _)) = file.match(jobName: "Deploy (eu) / Check eu", labels: ["checker"]) else {
      Issue.record("not found by its pattern")
      return
    }
    #expect(pattern.key == "check")
    #expect(file.match(jobName: "Deploy (eu) / more / inner", labels: []) == .called("deploy", .reusable("more")))
    #expect(file.match(jobName: "Deploy (eu) / nothing", labels: []) == .none)
    #expect(file.match(jobName: "Deploy (eu) / push (1)", labels: ["windows"]) == .none)
  }

  @Test("a mistake in a called file is an error of the line that calls it")
  func mistakes() {
    let broken = "on: push\njobs: { a: { runs-on: x, foo: 1 } }"
    let options = WorkflowOptions(calledWorkflows: ["./.github/workflows/deploy.yml": broken])
    let errors = WorkflowFile.parse(caller, path: "w.yml", options: options).errors
    #expect(errors.map(\.line) == [7])
    #expect(errors.first?.message.contains("./.github/workflows/deploy.yml (Line: 2, Col: 26): Unexpected value 'foo'") == true)
  }

  @Test("calls, jobs, depth and size are bounded over all files")
  func bounds() {
    let loop = "on: workflow_call\njobs:\n  a: { uses: ./.github/workflows/deploy.yml }"
    func errors(_ change: (inout WorkflowOptions) -> Void) -> [String] {
      var options = WorkflowOptions(calledWorkflows: ["./.github/workflows/deploy.yml": loop])
      change(&options)
      return WorkflowFile.parse(loop, path: "w.yml", options: options).errors.map(\.message)
    }
    #expect(errors { _ in } == ["Nested reusable workflow depth exceeded 10."])
    #expect(errors { $0.maximumJobs = 3 } == ["The workflow may not contain more than 3 jobs"])
    #expect(errors { $0.maximumResultSize = 2_000 } == ["Maximum object size exceeded"])
  }

  @Test("a long file that is called very often is read once")
  func often() {
    let long = "on: workflow_call\njobs: { a: { runs-on: x } }\n" + String(repeating: "# nothing\n", count: 80_000)
    let calls = (0..<2_000).map { "  j\($0): { uses: ./long.yml }\n" }.joined()
    let options = WorkflowOptions(calledWorkflows: ["./long.yml": long])
    let clock = ContinuousClock()
    let spent = clock.measure { #expect(WorkflowFile.parse("on: push\njobs:\n" + calls, path: "w.yml", options: options).errors.isEmpty) }
    // Read each time, it would take minutes.
    #expect(spent < .seconds(20))
  }
}
