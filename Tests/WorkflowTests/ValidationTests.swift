import Testing

@testable import Workflow

@Suite("Validation beyond GitHub's own")
struct ValidationTests {
  private func found(_ text: String, host: HostFacts = HostFacts(), settings: RuleSettings = RuleSettings()) -> [String] {
    WorkflowFile.check(text, path: "w.yml", settings: settings, host: host).map {
      "\($0.line ?? 0) \($0.severity == .error ? "error" : "warning") \($0.rule.rawValue)"
    }
  }

  private func steps(_ text: String) -> String {
    workflow(
      "runs-on: linux\nsteps:\n" + text.split(separator: "\n", omittingEmptySubsequences: false).map { "  \($0)" }.joined(separator: "\n"))
  }

  @Test(
    "each category finds what is probably wrong, on its line",
    arguments: [
      // Container images.
      ("runs-on: linux\ncontainer: node:22", []), ("runs-on: linux\ncontainer: node", ["5 warning image-tag"]),
      ("runs-on: linux\ncontainer: { image: 'node:latest' }", ["5 warning image-tag"]),
      ("runs-on: linux\ncontainer: 'a b'", ["5 warning image-name"]),
      ("runs-on: windows-latest\ncontainer: node:22", ["5 warning image-platform"]),
      ("runs-on: linux\ncontainer: { image: 'node:22', options: --platform windows/amd64 }", ["5 warning image-platform"]),
      // Resources.
      ("runs-on: [ubuntu-latest, windows-latest]", ["4 warning label-conflict"]),
      ("runs-on: linux\ncontainer: { image: 'node:22', options: '--memory lots' }", ["5 warning resource-request"]),
      // Steps.
      ("runs-on: linux\nif: true", ["5 warning constant-condition"]),
      ("runs-on: linux\nif: ${{ github.ref }} == 'x'", ["5 warning constant-condition"]),
      ("runs-on: linux\nif: github.ref == 'x' && always()", []), ("runs-on: linux\nenv: { 'A=B': 1 }", ["5 warning environment-name"]),
      ("runs-on: linux\ndefaults: { run: { shell: bsh } }", ["5 warning shell"]),
      ("runs-on: linux\ndefaults: { run: { shell: 'perl {0}' } }", []),
      ("runs-on: '${{ matrix.oss }}'\nstrategy: { matrix: { os: [a] } }", ["4 warning unknown-property"]),
      ("runs-on: x\nstrategy: { matrix: { os: [a, a] } }", ["5 warning matrix-use"]),
      ("runs-on: x\nstrategy: { matrix: { os: [a, b], exclude: [{ os: c }] } }", ["5 warning matrix-use"]),
      ("runs-on: x\nenv: { A: '${{ needs.b.result }}' }", ["5 warning unknown-property"]),
      // Security.
      ("runs-on: x\npermissions: write-all", ["3 warning wide-permissions"]),
      ("runs-on: linux\ncontainer: { image: 'node:22', options: '--privileged --pid=host' }", ["5 warning privileged-container"]),
      ("runs-on: linux\ncontainer: { image: 'node:22', volumes: ['/var/run/docker.sock:/s'] }", ["5 warning privileged-container"]),
    ] as [(String, [String])])
  func jobs(body: String, expected: [String]) {
    #expect(found(workflow(body)) == expected)
  }

  @Test(
    "steps are looked at in their order, with what they put into scripts",
    arguments: [
      ("- run: echo ${{ steps.later.outputs.x }}\n- id: later\n  run: 'true'", ["6 warning unknown-property"]),
      ("- id: first\n  run: 'true'\n- run: echo ${{ steps.FIRST.outputs.x }}", []),
      ("- run: echo '${{ github.event.issue.title }}'", ["6 warning script-injection"]),
      ("- run: echo '${{ github.event.commits[0].message }}'", ["6 warning script-injection"]),
      ("- run: echo '${{ github.event.issue.number }}'", []),
      ("- run: |\n    true\n    echo ${{ secrets.TOKEN }}", ["8 warning printed-secret"]),
      ("- run: echo ${{ secrets.TOKEN }} | docker login --password-stdin", []),
      ("- uses: actions/checkout@v4", ["6 warning unpinned-action"]),
      ("- uses: actions/checkout@\(String(repeating: "a1", count: 20))", []), ("- uses: ./local", []),
      ("- wait: nobody\n- run: 'true'", ["6 warning step-control"]),
    ] as [(String, [String])])
  func steps(text: String, expected: [String]) {
    #expect(found(steps(text)) == expected)
  }

  @Test("a stranger's head is not checked out with secrets at hand")
  func head() {
    let text = steps("- uses: actions/checkout@v4\n  with: { ref: '${{ github.event.pull_request.head.sha }}' }")
    #expect(!found(text).contains("7 warning head-checkout"))
    #expect(found(text.replacing("on: push", with: "on: pull_request_target")).contains("7 warning head-checkout"))
  }

  @Test("a job is held against what the host approves and can ever give")
  func host() throws {
    let host = HostFacts(
      allowedImages: try ImageAllowList(["docker.io/library/*"]),
      offers: [.init(name: "linux", labels: ["self-hosted", "linux"], milliCPUs: 8_000, memoryBytes: 16 << 30, gpus: 0)],
      foreignLabels: ["ubuntu-latest"])
    #expect(found(workflow("runs-on: linux\ncontainer: evil/one:1"), host: host) == ["5 error image-registry"])
    #expect(found(workflow("runs-on: linux\ncontainer: 'a b'"), host: host) == ["5 error image-registry"])
    #expect(found(workflow("runs-on: [linux, linx]"), host: host) == ["4 error unserved-labels"])
    #expect(found(workflow("runs-on: ubuntu-latest"), host: host) == [])
    #expect(found(workflow("runs-on: linux\nenv: { RUNNERHUB_MEMORY: 64g }"), host: host) == ["4 error oversized-request"])
    let hint = WorkflowFile.check(workflow("runs-on: linx"), path: "w", host: host).first?.hint
    #expect(hint == "did you mean 'linux'?")
  }

  @Test("what a comment asks for counts too, and only pools of the job's labels can give it, one of them all of it")
  func offers() {
    let host = HostFacts(offers: [
      .init(name: "wide", labels: ["linux", "wide"], milliCPUs: 16_000, memoryBytes: 4 << 30, gpus: 0),
      .init(name: "tall", labels: ["linux", "tall"], milliCPUs: 2_000, memoryBytes: 64 << 30, gpus: 0),
    ])
    func oversized(_ label: String, _ asked: String) -> [String] {
      found("on: push\njobs:\n  # RunnerHub: \(asked)\n  a: { runs-on: \(label), steps: [{ run: x }] }", host: host)
    }
    #expect(oversized("linux", "cpus=16") == [] && oversized("linux", "memory=64g") == [])
    #expect(oversized("tall", "cpus=16") == ["4 error oversized-request"])
    #expect(oversized("linux", "cpus=16 memory=64g") == ["4 error oversized-request"])
    #expect(oversized("linux", "cpus=many") == ["4 warning resource-request"])
  }

  @Test("rules can be switched off and graded, alone or by category, but not GitHub's own")
  func settings() throws {
    let text = workflow("runs-on: linux\ncontainer: node\nif: true")
    #expect(found(text, settings: try RuleSettings(["image-tag": "error"])) == ["5 error image-tag", "6 warning constant-condition"])
    let quiet = try RuleSettings(["steps": "off", "container-images": "off", "image-tag": "warning"])
    #expect(found(text, settings: quiet) == ["5 warning image-tag"])
    #expect(found(workflow("runs-on: linux\nneeds: z"), settings: try RuleSettings(["steps": "off"])) == ["3 error needs"])
    #expect(throws: RuleSettings.Unknown(description: "unknown rule 'image-tags' – did you mean 'image-tag'?")) {
      try RuleSettings(["image-tags": "off"])
    }
    #expect(throws: RuleSettings.Unknown.self) { try RuleSettings(["needs": "off"]) }
    #expect(throws: RuleSettings.Unknown.self) { try RuleSettings(["shell": "loud"]) }
  }

  @Test(
    "permissions beside the jobs concern all of them, wherever they stand",
    arguments: [
      ("permissions: write-all\non: push\njobs:\n  a: { runs-on: x }", "1 warning wide-permissions"),
      ("on: push\njobs:\n  a: { runs-on: x }\npermissions: write-all", "1 warning wide-permissions"),
      ("{ on: push, jobs: { a: { runs-on: x } }, permissions: write-all }", "0 warning wide-permissions"),
    ])
  func permissions(text: String, expected: String) {
    #expect(found(text) == [expected])
  }

  @Test("advice without end takes no error's place, and errors without end are an error of the whole file")
  func overflow() throws {
    let many = "permissions: write-all\n" + steps(Array(repeating: "- { run: x, shell: bsh }", count: 600).joined(separator: "\n"))
    let found = self.found(many, settings: try RuleSettings(["wide-permissions": "error"]))
    #expect(found.first == "1 error wide-permissions" && found.count == 501)
    let errors = self.found(many, settings: try RuleSettings(["shell": "error"]))
    #expect(errors.first == "0 error shell" && errors.count { $0.hasSuffix("error shell") } == 501)
  }

  @Test(
    "schedules and patterns are read",
    arguments: [
      ("on: { schedule: [{ cron: '*/5 0-6,12 1 jan-mar MON' }] }", []), ("on: { schedule: [{ cron: '* * * *' }] }", ["1 error cron"]),
      ("on: { schedule: [{ cron: '60 * * * *' }] }", ["1 error cron"]),
      ("on: { schedule: [{ cron: '*/2 * * * *' }] }", ["1 warning trigger-use"]),
      ("on: { schedule: [{ cron: '0 0 * * *', timezone: Europe/Berlin }] }", []),
      ("on: { schedule: [{ cron: '0 0 * * *', timezone: Mars/Base }] }", ["1 error cron"]),
      ("on: { push: { branches: ['release/**', '!x', 'v[0-9]+.x'] } }", []),
      ("on: { push: { branches: ['a b'] } }", ["1 warning filter-pattern"]),
      ("on: { push: { paths: ['./src'] } }", ["1 warning filter-pattern"]),
      ("on: { push: { branches: [a], branches-ignore: [b] } }", ["1 error trigger"]),
    ] as [(String, [String])])
  func triggers(on: String, expected: [String]) {
    #expect(found(on + "\njobs: { a: { runs-on: linux } }") == expected)
  }
}
