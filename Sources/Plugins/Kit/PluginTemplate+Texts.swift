/// What stands beside a new plugin's program: its manifest, its test, its page.
extension PluginTemplate {
  private var command: String {
    switch language {
    case .shell: "[./\(name).sh]"
    case .python: "[python3, -B, ./\(name).py]"
    case .lua: "[lua5.4, ./\(name).lua]"
    case .swift: "[./.build/release/\(name)]"
    }
  }

  private var summary: String {
    switch kind {
    case .notifier: "Tells people of alerts."
    case .observer: "Is told what happens."
    case .secrets: "Keeps secrets that the configuration names."
    case .engine: "Containers that are processes of this computer, without isolation."
    case .source: "Runs jobs of a queue."
    case .garmProvider: "Machines that are processes of this computer, without isolation, by GARM's contract."
    }
  }

  private var abilities: String {
    switch kind {
    case .notifier, .secrets: "[]"
    case .observer: "[events:job]"
    case .engine, .garmProvider: "[network]"
    case .source: "[network, jobs]"
    }
  }

  // MARK: - Manifest

  var manifest: String {
    var lines = ["name: \(name)", "version: \"1.0.0\"", "kind: \(kind.rawValue)", "summary: \(summary)", "command: \(command)"]
    // Python's helper answers each call in a thread of its own; the others answer one at a time. A provider is called anew each time.
    if kind != .garmProvider { lines.append("concurrency: \(language == .python ? 8 : 1)") }
    lines += [
      "# What it may do beyond its own files, for the operator to grant: network, environment:NAME, read:/path, write:/path, events:KIND\(kind == .source ? ", jobs" : "").",
      "abilities: \(abilities)",
    ]
    return (lines + configuration).joined(separator: "\n") + "\n"
  }

  private var configuration: [String] {
    switch kind {
    case .notifier:
      [
        "# JSON Schema of what runnerhub.yaml may say. Mark what is secret with writeOnly: true.", "configuration:", "  type: object",
        "  additionalProperties: false", "  properties:", "    prefix:", "      description: Put before each alert.", "      type: string",
        "      maxLength: 40",
      ]
    case .secrets:
      [
        "# JSON Schema of what runnerhub.yaml may say. What is secret is writeOnly.", "configuration:", "  type: object",
        "  additionalProperties: false", "  required: [values]", "  properties:", "    values:",
        "      description: Secrets by PATH or PATH#FIELD.",
        "      type: object", "      additionalProperties: {type: string, writeOnly: true}",
      ]
    case .source:
      [
        "# JSON Schema of what runnerhub.yaml may say. What is secret is writeOnly.", "configuration:", "  type: object",
        "  additionalProperties: false", "  required: [url, token]", "  properties:", "    url:", "      description: Of the queue.",
        "      type: string", "      pattern: \"^https?://[^ ]+$\"", "    token:", "      type: string", "      minLength: 1",
        "      writeOnly: true",
      ]
    case .garmProvider:
      ["# What RunnerHub is told of a provider is the same for all of them: docs/garm-providers.md.", "configuration: {type: object}"]
    case .observer, .engine: []
    }
  }

  // MARK: - Test

  var test: String {
    let example = [
      "# Tests of your own, in order and in one process. A result must have at least what is written here; … stands for anything."
    ]
    let well = ["# tests:", "#   - name: it is well", "#     call: health", "#     with: {}", "#     result: {status: ok}"]
    let lines: [String] =
      switch kind {
      case .notifier: ["configuration: {prefix: \"RunnerHub: \"}", "invalid:", "  - {prefix: 7}", "  - {prefixes: \"x\"}"] + example + well
      case .observer: example + well
      case .secrets:
        [
          "configuration: {values: {team/token: sesame, \"team/user#name\": ada}}", "invalid:", "  - {}", "  - {values: {team/token: 7}}",
          "secret: {path: team/token}",
        ] + example + well
      case .engine: ["# What the suite makes a container of.", "image: \"${folder}/image\""] + example + engineSteps
      case .source:
        [
          "# Run beside stand_in.py, a queue with jobs in it; python3 is needed for that.", "helper: {command: [python3, -B, stand_in.py]}",
          "configuration: {url: \"http://127.0.0.1:${port}\", token: sesame}", "invalid:", "  - {}",
          "  - {url: \"ftp://queue\", token: sesame}",
        ] + example + sourceSteps
      case .garmProvider:
        [
          "# Tried against GARM's contract, with machines of this image.", "image: \"${folder}/image\"",
          "# Machines are processes of this computer, and outlive the call that makes them.",
          "configuration: {local-machines: true, bootstrap-timeout: 30, call-timeout: 10}",
          "invalid:", "  - {bootstrap-timeout: 0}",
        ]
      }
    return lines.joined(separator: "\n") + "\n"
  }

  private var engineSteps: [String] {
    let amounts = "milliCPUs: 500, memory: 268435456, disk: 1073741824, gpus: 0, reusable: false, environment: {}"
    return [
      "tests:", "  - name: an image that is not there is not found", "    call: engine/create",
      "    with: {id: own-1, pool: linux, image: /nowhere, \(amounts)}", "    error: -32001", "  - name: and leaves nothing",
      "    call: engine/list", "    result: {containers: []}", "  - name: a container is for one job only", "    call: engine/create",
      "    with: {id: own-2, pool: linux, image: \"${folder}/image\", \(amounts.replacing("reusable: false", with: "reusable: true"))}",
      "    error: -32002", "  - name: an id that leads out of the folder is none", "    call: engine/remove", "    with: {id: ../own}",
      "    error: -32002",
    ]
  }

  private var sourceSteps: [String] {
    let wish = "name: rh-1, scope: acme/shop, labels: [linux], job: {id: 2, run: 2, name: test, repository: acme/shop, labels: [linux]}"
    return [
      "tests:", "  - name: jobs that wait are told", "    call: source/open",
      "    result: {jobs: [{id: 1, status: queued, labels: [linux], repository: {name: acme/shop}}, {id: 2}, {id: 3}]}",
      "  - name: a runner is registered for one, with a token that changes this job only", "    call: source/register",
      "    with: {\(wish)}",
      "    result: {id: 1, command: [sh, job.sh], files: [{path: job.sh, mode: 493}, {path: script.sh}, {path: queue.conf, mode: 384}]}",
      "  - name: a second one of that name is not", "    call: source/register", "    with: {\(wish)}", "    error: -32005",
      "  - name: it is removed by its name", "    call: source/remove", "    with: {name: rh-1, scope: acme/shop, repository: acme/shop}",
      "    result: {outcome: removed}", "  - name: a job is cancelled", "    call: source/cancel",
      "    with: {run: 3, repository: acme/shop}",
      "    result: {}", "  - name: and has ended then", "    call: source/job", "    with: {id: 3, repository: acme/shop}",
      "    result: {job: {id: 3, status: completed, conclusion: cancelled, transition: 3/completed}}",
      "  - name: and is open no more", "    call: source/open", "    result: {jobs: [{id: 1}, {id: 2}]}",
      "  - name: what became of a job is reported", "    call: source/report",
      "    with: {job: {id: 1, name: build, commit: 4f50365}, repository: acme/shop, status: in_progress, title: It runs, summary: On rh-1.}",
      "    result: {}",
    ]
  }

  // MARK: - README

  var readme: String {
    let build = language == .swift ? "Build it first: `swift build -c release`.\n\n" : ""
    let helpers = programs.dropFirst().map(\.path).filter { !["Sources/main.swift", "Package.swift"].contains($0) }
    return """
      # \(name)

      \(summary)\(warning)

      Your own code goes where \(programs[0].path) says `YOUR CODE`; what stands beside it (\(helpers.map { "`\($0)`" }.joined(separator: ", "))) need not be changed.\(needs)

      \(build)```
      runnerhub plugin test \(name)
      ```

      In `runnerhub.yaml`:

      ```yaml
      plugins:
        \(name):
          grant: \(abilities)
      \(section)```
      """ + "\n"
  }

  private var warning: String {
    switch kind {
    case .engine, .garmProvider:
      " Jobs run as the user of this plugin, and read and change whatever that user may: for trying, or for jobs that you trust."
    default: ""
    }
  }

  private var needs: String {
    var needs: [String] = []
    switch kind {
    case .engine, .garmProvider: needs = ["`setsid` (util-linux)", "GNU coreutils and grep"]
    case .source:
      needs = language == .python ? [] : ["`curl`"]
      needs.append("`curl` where its runners are")
      if language != .python { needs.append("python3 for its test") }
    default: break
    }
    return needs.isEmpty ? "" : " It needs \(needs.joined(separator: ", "))."
  }

  private var section: String {
    switch kind {
    case .notifier: "    configuration: {prefix: \"RunnerHub: \"}\n"
    case .observer: ""
    case .secrets: "    configuration: {values: {team/token: sesame}}\n"
    case .source:
      "    configuration: {url: \"https://queue.example.org\", token: \"secret://…\"}\npools:\n  queue: {source: \(name), labels: [linux]}\n"
    case .engine: "pools:\n  local: {engine: \(name), image: /srv/image, labels: [self-hosted, linux]}\n"
    case .garmProvider:
      """
          configuration:
            local-machines: true
            runner-home: "/run/runnerhub-plugin/data/machines/{machine}/home/actions-runner"   # where RunnerHub is root
      webhooks: {base-url: "http://127.0.0.1:8080"}
      pools:
        local: {engine: \(name), image: /srv/image, labels: [self-hosted, linux]}

      """
    }
  }
}
