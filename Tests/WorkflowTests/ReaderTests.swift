import Testing

@testable import Workflow

@Suite("Reading a workflow file")
struct ReaderTests {
  @Test("everything a job says is in the model")
  func model() throws {
    let file = try #require(
      parsed(
        """
        name: CI
        run-name: by ${{ github.actor }}
        on: { push: {branches: [main]}, workflow_dispatch: }
        env: { LEVEL: 1.50, ON: on, REF: '${{ github.ref }}' }
        defaults: { run: { shell: bash, working-directory: src } }
        permissions: read-all
        jobs:
          first: { runs-on: { group: big, labels: [gpu] } }
          build:
            name: Build
            needs: first
            if: github.ref == 'refs/heads/main'
            runs-on: [self-hosted, '${{ matrix.os }}']
            strategy: { fail-fast: false, max-parallel: 2, matrix: { os: [linux] } }
            container:
              image: ghcr.io/acme/build:1
              env: { A: b }
              options: --cpus 2
              ports: [80, 8080:80]
              volumes: [/data]
              credentials: { username: me, password: '${{ secrets.P }}' }
            services:
              redis: redis:7
              db: { image: postgres, env: { POSTGRES_PASSWORD: x } }
            env: { B: 'yes' }
            timeout-minutes: 10
            continue-on-error: ${{ matrix.os == 'x' }}
            environment: { name: production, url: https://example.com }
            outputs: { sha: '${{ steps.s.outputs.sha }}' }
            steps:
              - uses: actions/checkout@v4
                with: { fetch-depth: 0 }
              - id: s
                name: Say
                if: always()
                run: echo hi
                shell: sh
                working-directory: out
                env: { C: null }
                continue-on-error: true
                timeout-minutes: 5
        """))
    #expect(file.name == "CI")
    #expect(file.runName == "by ${{ github.actor }}")
    #expect(file.triggers == ["push", "workflow_dispatch"])
    #expect(file.env == ["LEVEL": "1.5", "ON": "on", "REF": "${{ github.ref }}"])
    #expect(file.defaults == RunDefaults(shell: "bash", workingDirectory: "src"))
    #expect(file.jobs.map(\.key) == ["first", "build"])
    #expect(file.jobs[0].runsOn == RunsOn(labels: ["gpu"], group: "big"))
    let job = try #require(file["BUILD"])
    #expect(job.title == "Build")
    #expect(job.needs == ["first"])
    #expect(job.condition == "github.ref == 'refs/heads/main'")
    #expect(!job.runsOn.isLiteral)
    #expect(job.strategy?.failFast == false)
    #expect(job.strategy?.maxParallel == 2)
    #expect(job.container?.image == "ghcr.io/acme/build:1")
    #expect(job.container?.ports == ["80", "8080:80"])
    #expect(job.container?.credentials?.username == "me")
    #expect(job.services.map(\.name) == ["redis", "db"])
    #expect(job.services[1].container.env == ["POSTGRES_PASSWORD": "x"])
    #expect(job.timeoutMinutes == "10")
    #expect(job.continueOnError == "${{ matrix.os == 'x' }}")
    #expect(job.environment == "production")
    #expect(job.outputs == ["sha": "${{ steps.s.outputs.sha }}"])
    #expect(job.line == 9)
    #expect(job.steps[0].with == ["fetch-depth": "0"])
    let step = job.steps[1]
    #expect(step.id == "s" && step.name == "Say" && step.condition == "always()" && step.run == "echo hi" && step.shell == "sh")
    #expect(step.workingDirectory == "out" && step.env == ["C": ""] && step.continueOnError == "true" && step.timeoutMinutes == "5")
    #expect(step.line == 33)
  }

  @Test(
    "a mistake is reported in GitHub's words where it is",
    arguments: [
      ("on: push", ["1:1: Required property is missing: jobs"]),
      ("jobs:\n  a: {runs-on: x}", ["1:1: Required property is missing: on"]),
      ("on: push\njobs: {}", ["2:7: The workflow must contain at least one job with no dependencies."]),
      ("on: [push, pusch]\njobs:\n  a: {runs-on: x}", ["1:12: Unexpected value 'pusch'"]),
      ("on: push\njob: 1\njobs:\n  a: {runs-on: x}", ["2:1: Unexpected value 'job'"]),
      (workflow("steps: []"), ["4:5: Required property is missing: runs-on"]),
      (workflow("runs-on: x\nrun-on: y"), ["5:5: Unexpected value 'run-on'"]),
      (workflow("runs-on: x\nneeds: b"), ["3:3: The workflow must contain at least one job with no dependencies."]),
      (workflow("runs-on: x\nsteps: {}"), ["5:12: A mapping was not expected"]),
      (workflow("runs-on: x\nsteps:\n  - name: n"), ["6:9: \(notEnough)"]),
      (workflow("runs-on: x\nsteps:\n  - run: y\n    uses: z"), ["7:9: Unexpected value 'uses'"]),
      (workflow("runs-on: x\nsteps:\n  - run: y\n    runn: z"), ["7:9: Unexpected value 'runn'"]),
      (workflow("runs-on: x\nsteps:\n  - id: s\n    run: y\n  - id: S\n    run: z"), ["8:13: \(reused("S"))"]),
      (workflow("runs-on: x\nsteps:\n  - run: [y]"), ["6:14: A sequence was not expected"]),
      (workflow("runs-on: x\ntimeout-minutes: soon"), ["5:22: Unexpected value 'soon'"]),
      (workflow("runs-on: x\nruns-on: y"), ["5:5: 'runs-on' is already defined"]),
      (
        workflow("run: 1\nruns-on: y\nrun: 2\nfoo: 3"),
        ["4:5: Unexpected value 'run'", "6:5: 'run' is already defined", "7:5: Unexpected value 'foo'"]
      ),
      (workflow("runs-on: x\nenv:\n  A: 1\n  a: 2"), ["7:7: 'a' is already defined"]),
      (workflow("runs-on: x\nenv:\n  <<: {A: 1}"), ["6:7: Unexpected value '<<': GitHub does not read YAML merge keys"]),
      (workflow("runs-on: x\nif: ${{ github.ref"), ["5:9: \(notClosed)"]),
      (
        workflow("runs-on: x\nif: nosuch.thing"),
        ["5:9: Unrecognized named-value: 'nosuch'. Located at position 1 within expression: nosuch.thing"]
      ),
      (workflow("runs-on: x\nenv: {A: '${{ }}'}"), ["5:14: An expression was expected"]),
      (workflow("runs-on: x\ncontainer: {options: o}"), ["5:16: Container image cannot be empty"]),
      ("on: push\njobs:\n  0a: {runs-on: x}", ["3:3: \(badID("0a"))"]),
      ("on: push\njobs:\n  __a: {runs-on: x}", ["3:3: The identifier '__a' is invalid. IDs starting with '__' are reserved."]),
      (
        "on: push\njobs:\n  a: {runs-on: x}\n  b: {runs-on: x, needs: [a, z]}",
        ["4:30: Job 'b' depends on unknown job 'z'."]
      ),
      (
        "on: push\njobs:\n  a: {runs-on: x}\n  b: {runs-on: x, needs: c}\n  c: {runs-on: x, needs: [a, b]}",
        [
          "4:26: Job 'b' depends on job 'c' which creates a cycle in the dependency graph.",
          "5:30: Job 'c' depends on job 'b' which creates a cycle in the dependency graph.",
        ]
      ),
      ("on: push\njobs:\n\ta: 1", ["3:1: YAML: found character that cannot start any token while scanning for the next token"]),
      ("", ["1:1: Expected a scalar value, a sequence, or a mapping"]),
      ("just a text", ["1:1: Unexpected value 'just a text'"]),
    ])
  func mistakes(text: String, expected: [String]) {
    #expect(errors(text) == expected)
  }

  @Test("every mistake is reported, not only the first")
  func collects() {
    #expect(errors("on: push\nfoo: 1\njobs:\n  a: {}\n  b: {runs-on: x, bar: 2, steps: [{name: n}]}").count == 4)
  }

  @Test("anchors and aliases are read, wherever a star or a question mark stands")
  func aliases() throws {
    let file = try #require(
      parsed(
        """
        on: push
        jobs:
          a:
            runs-on: &label linux
            env: &shared { GLOB: '*.swift', ASK: what? }
            steps: &steps
              - run: "ls *.txt && echo a *b ?c"
          b:
            runs-on: *label
            env: *shared
            steps: *steps
        """))
    #expect(file.jobs[1].runsOn.labels == ["linux"])
    #expect(file.jobs[1].env == ["GLOB": "*.swift", "ASK": "what?"])
    #expect(file.jobs[1].steps[0].run == "ls *.txt && echo a *b ?c")
    #expect(errors(workflow("runs-on: *nobody")) == ["4:14: Unknown alias '*nobody'"])
    #expect(errors(workflow("runs-on: *.js")).count == 1)
    #expect(errors(workflow("? [runs-on]\n: x")).count == 1)
  }

  @Test(
    "scalars follow YAML 1.2's core schema",
    arguments: [
      ("yes", "yes"), ("on", "on"), ("12_345", "12_345"), ("0o14", 12), ("0755", 755), ("0xFF", 255), ("1e3", 1000), ("+.5", 0.5),
      (".inf", .number(.infinity)), ("True", true), ("~", .null), ("NaN", "NaN"), ("Infinity", "Infinity"), ("!!str 1", "1"), ("'1'", "1"),
      ("!!int 0o10", 8), ("1.", 1), ("-0", 0), ("1e", "1e"), (".", "."), ("-", "-"), ("0x", "0x"), ("1970-01-01", "1970-01-01"),
    ] as [(String, ExpressionValue)])
  func scalars(text: String, expected: ExpressionValue) throws {
    let text = text == "-" ? "'-'" : text
    let node = try #require(YAMLReader.read("[\(text)]", DiagnosticCollector(path: "")))
    #expect(node.value == .array([expected]))
  }

  @Test("keys are scalars of the core schema too, written as text")
  func keys() throws {
    let node = try #require(YAMLReader.read("{1.50: a, null: b, 'null ': c, yes: d}", DiagnosticCollector(path: "")))
    guard case .mapping(let entries) = node.content else {
      Issue.record("no mapping")
      return
    }
    #expect(entries.map(\.key) == ["1.5", "", "null ", "yes"])
  }

  @Test("a diagnostic reads as a compiler's")
  func description() {
    let diagnostic = WorkflowFile.parse("on: push", path: "ci.yml").diagnostics[0]
    #expect(diagnostic.description == "ci.yml:1:1: error: Required property is missing: jobs")
  }

  @Test("an explicit key that is one text is read like any other, at its place")
  func explicitKeys() throws {
    let file = try #require(
      parsed(
        """
        ? on
        : push
        jobs:
          ? a
          : runs-on: x
            steps:
              - ? run
                : "what?"
              - run: |
                  ? not a key
        """))
    #expect(file.triggers == ["push"] && file.jobs.map(\.key) == ["a"])
    #expect(file.jobs[0].line == 4 && file.jobs[0].steps.map(\.run) == ["what?", "? not a key"])
  }

  @Test(
    "an explicit key that could be a collection is refused on its line",
    arguments: [
      "? [a, b]\n: c", "? {a: b}\n: c", "? a: b\n: c", "? - a\n: c", "? ? a\n: c", "? *x\n: c", "?\n  a: b\n: c", "? |\n  a\n: c",
    ])
  func explicitCollections(text: String) {
    let reading = WorkflowFile.parse(text + "\n", path: "w.yml")
    #expect(reading.file == nil && reading.errors.first?.line != nil, "\(reading.diagnostics)")
  }
}

private let notEnough =
  "There's not enough info to determine what you meant. Add one of these properties: cancel, run, shell, uses, wait, wait-all, with, working-directory"
private let notClosed = "The expression is not closed. An unescaped ${{ sequence was found, but the closing }} sequence was not found."

private func reused(_ id: String) -> String { "The identifier '\(id)' may not be used more than once within the same scope." }

private func badID(_ id: String) -> String {
  "The identifier '\(id)' is invalid. IDs may only contain alphanumeric characters, '_', and '-'. "
    + "IDs must start with a letter or '_' and and must be less than 100 characters."
}
