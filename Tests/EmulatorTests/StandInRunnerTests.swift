import Foundation
import Testing

@testable import Emulator

/// The script itself, run by the shell that is here against a real server.
struct StandInRunnerTests {
  @Test("a job runs to its end over each way to speak HTTP", arguments: ["curl", "bash"])
  func transports(_ transport: String) async throws {
    try await LocalGitHub.run { github in
      _ = try await github.push(
        """
        on: push
        jobs:
          build:
            runs-on: linux
            steps:
              - uses: actions/checkout@v4
              - run: cat hello.txt
        """, files: ["hello.txt": "it's a 'file'\nwith lines\n"])
      let folder = try await github.runOne(environment: ["STAND_IN_TRANSPORT": transport])
      let job = await github.job("build")
      #expect(job["conclusion"] == "success")
      #expect(job["times_started"] == 1 && job["times_ended"] == 1)
      #expect(try await github.log("build").contains("it's a 'file'"))
      for line in ["Connected to GitHub", "Listening for Jobs", "Running job: build", "Job build completed with result: Succeeded"] {
        #expect(folder.output.contains(line), "\(folder.output)")
      }
      #expect(!FileManager.default.fileExists(atPath: folder.root.appending(path: ".runner").path))
      try await eventually("pages are deleted once uploaded") {
        try FileManager.default.contentsOfDirectory(atPath: folder.root.appending(path: "_diag/pages").path).isEmpty
      }
    }
  }

  @Test("a failing step skips what follows, except what always or on failure runs")
  func conditions() async throws {
    try await LocalGitHub.run { github in
      let run = try await github.push(
        """
        on: push
        jobs:
          test:
            runs-on: linux
            steps:
              - { name: forgiven, id: forgiven, run: exit 4, continue-on-error: true }
              - { name: breaks, run: "echo outcome ${{ steps.forgiven.outcome }} ${{ steps.forgiven.conclusion }}; exit 3" }
              - { name: skipped, run: echo never }
              - { name: on failure, if: failure(), run: echo tidy }
              - { name: always, if: always(), run: "echo status ${{ job.status }}" }
        """)
      _ = try await github.runOne()
      #expect(await github.job("test")["conclusion"] == "failure")
      let reply = try await github.call("GET", "/repos/acme/shop/actions/runs/\(run)/jobs")
      let steps = try #require(reply.body["jobs"].array?.first?["steps"].array)
      let ends = Dictionary(steps.map { ($0["name"].string ?? "", $0["conclusion"].string ?? "") }, uniquingKeysWith: { $1 })
      #expect(
        ends == [
          "Set up job": "success", "forgiven": "success", "breaks": "failure", "skipped": "skipped", "on failure": "success",
          "always": "success",
          "Complete job": "success",
        ])
      let log = try await github.log("test")
      #expect(log.contains("outcome failure success") && log.contains("status failure") && !log.contains("Z never"))
      #expect(log.contains("##[error]Process completed with exit code 3."))
    }
  }

  @Test("variables come from workflow, job, step and GITHUB_ENV, the nearer winning; outputs, paths and jobs pass values on")
  func environment() async throws {
    try await LocalGitHub.run { github in
      _ = try await github.push(
        """
        on: push
        env: { A: workflow, B: workflow, C: workflow }
        jobs:
          first:
            runs-on: linux
            env: { B: job, C: job }
            outputs: { answer: "${{ steps.make.outputs.answer }}" }
            steps:
              - { run: 'echo "1: $A $B $C"', env: { C: step } }
              - id: make
                run: |
                  echo "answer=42" >> "$GITHUB_OUTPUT"
                  echo "B=from file" >> "$GITHUB_ENV"
                  mkdir -p tools && printf '#!/bin/sh\\necho tool ran\\n' > tools/tool && chmod +x tools/tool
                  echo "$PWD/tools" >> "$GITHUB_PATH"
              - run: 'echo "2: $B ${{ env.B }} ${{ steps.make.outputs.answer }}"; tool'
              - { run: pwd, working-directory: tools, shell: sh }
              - run: 'echo "3: $CI $GITHUB_JOB $GITHUB_REPOSITORY $GITHUB_RUN_ATTEMPT $RUNNER_NAME"'
          second:
            needs: first
            runs-on: linux
            steps: [{ run: "echo answer ${{ needs.first.outputs.answer }}" }]
        """)
      _ = try await github.runOne("one")
      _ = try await github.runOne("two", shell: "/bin/bash")
      let log = try await github.log("first")
      for line in ["1: workflow job step", "2: from file from file 42", "tool ran", "3: true first acme/shop 1 one"] {
        #expect(log.contains(line), "\(log)")
      }
      #expect(log.contains("_work/shop/shop/tools\n"))
      #expect(try await github.log("second").contains("answer 42"))
    }
  }

  @Test("a step that takes too long fails, and what always runs still does")
  func timeout() async throws {
    try await LocalGitHub.run { github in
      _ = try await github.push(
        """
        on: push
        jobs:
          slow:
            runs-on: linux
            steps:
              - { run: sleep 60, timeout-minutes: 0.01 }
              - { if: always(), run: echo after all }
          late:
            runs-on: linux
            timeout-minutes: 0.02
            steps: [{ run: sleep 60 }]
        """)
      _ = try await github.runOne("one")
      _ = try await github.runOne("two")
      #expect(await github.job("slow")["conclusion"] == "failure")
      #expect(try await github.log("slow").contains("has timed out after 1 seconds"))
      #expect(try await github.log("slow").contains("Z after all"))
      #expect(await github.job("late")["conclusion"] == "cancelled")
      #expect(try await github.log("late").contains("has exceeded the maximum execution time of 2 seconds"))
    }
  }

  @Test("a started hook that fails ends the job before its first step; hooks see the job's variables")
  func hooks() async throws {
    try await LocalGitHub.run { github in
      let workflow = "on: push\njobs:\n  build:\n    runs-on: linux\n    steps: [{ run: echo first step of $FROM_HOOK }]\n"
      _ = try await github.push(workflow)
      _ = try await github.runOne("refused") { folder in
        try folder.write("started.sh", "echo \"hook of $GITHUB_JOB on $RUNNER_NAME\"\nfalse\necho never\n")
        try folder.write("completed.sh", "echo completed hook ran\n")
        try folder.write(
          ".env",
          "ACTIONS_RUNNER_HOOK_JOB_STARTED=\(folder.root.path)/started.sh\nACTIONS_RUNNER_HOOK_JOB_COMPLETED=\(folder.root.path)/completed.sh\n"
        )
      }
      #expect(await github.job("build")["conclusion"] == "failure")
      let log = try await github.log("build")
      #expect(log.contains("hook of build on refused") && log.contains("completed hook ran"))
      #expect(!log.contains("first step") && !log.contains("Z never"))

      _ = try await github.push(workflow)
      _ = try await github.runOne("welcome") { folder in
        try folder.write("started.sh", "echo FROM_HOOK=gold >> \"$GITHUB_ENV\"\n")
        try folder.write(".env", "ACTIONS_RUNNER_HOOK_JOB_STARTED=\(folder.root.path)/started.sh\n")
        try folder.write(
          ".setup_info", #"[{"group": "RunnerHub", "detail": "pool demo\nhost \"one\""}, {"group": "Why", "detail": "warm"}]"#)
      }
      #expect(await github.job("build")["conclusion"] == "success")
      let second = try await github.log("build")
      #expect(second.contains("first step of gold"))
      for line in ["##[group]RunnerHub", "Z pool demo\n", "Z host \"one\"\n", "##[group]Why"] {
        #expect(second.contains(line), "\(second)")
      }
    }
  }

  @Test("what is masked never reaches the log; lines carry their time")
  func masks() async throws {
    try await LocalGitHub.run({ $0.secrets = ["PASSWORD": "hunter2"] }) { github in
      _ = try await github.push(
        """
        on: push
        jobs:
          quiet:
            runs-on: linux
            steps:
              - { run: 'echo "::add-mask::s3cret"; echo "a s3cret and ${{ secrets.PASSWORD }} b"' }
              - { run: 'echo "again s3cret"' }
        """)
      _ = try await github.runOne()
      let log = try await github.log("quiet")
      #expect(log.contains("a *** and *** b") && log.contains("again ***"))
      #expect(!log.contains("hunter2"))
      let stamp = #/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{7}Z /#
      #expect(log.split(separator: "\n").allSatisfy { $0.firstMatch(of: stamp) != nil }, "\(log)")
    }
  }

  @Test(
    "actions that stand for nothing pass, all others and containers fail with a reason",
    arguments: [
      ("uses: actions/cache@v4", "success", "nothing is done"), ("uses: actions/setup-node@v4", "success", "nothing is done"),
      ("uses: actions/upload-artifact@v4", "success", "nothing is done"),
      ("uses: octo/deploy@v1", "failure", "cannot run 'octo/deploy@v1'"),
      ("uses: docker://alpine:3", "failure", "cannot run 'docker://alpine:3'"),
      ("run: exit 0\n        shell: nonsense", "failure", "Invalid shell option"),
      ("run: print(6*7)\n        shell: python3 {0}", "success", "Z 42"),
      ("run: pwd\n        working-directory: nowhere", "failure", "No such file or directory"),
    ])
  func uses(_ step: String, _ conclusion: String, _ line: String) async throws {
    try await LocalGitHub.run { github in
      _ = try await github.push("on: push\njobs:\n  job:\n    runs-on: linux\n    steps:\n      - \(step)\n")
      _ = try await github.runOne()
      #expect(await github.job("job")["conclusion"].string == conclusion)
      #expect(try await github.log("job").contains(line))
    }
  }

  @Test("a job with a container fails where the containers would be started")
  func containers() async throws {
    try await LocalGitHub.run { github in
      _ = try await github.push("on: push\njobs:\n  job:\n    runs-on: linux\n    container: alpine:3\n    steps: [{ run: echo no }]\n")
      _ = try await github.runOne()
      #expect(await github.job("job")["conclusion"] == "failure")
      #expect(try await github.log("job").contains("The stand-in runner has no containers"))
    }
  }

  @Test("cancelling a run ends the step on its runner, and what always runs still does", arguments: ["server", "signal"])
  func cancel(_ way: String) async throws {
    try await LocalGitHub.run { github in
      let run = try await github.push(
        """
        on: push
        jobs:
          long:
            runs-on: linux
            steps:
              - { run: "echo begun > ../../../begun; sleep 60" }
              - { run: echo never }
              - { if: always(), run: echo tidied }
        """)
      let folder = try RunnerFolder(try await github.register("runner").files)
      try folder.start()
      try await eventually("the step begins") { FileManager.default.fileExists(atPath: folder.root.appending(path: "begun").path) }
      if way == "server" {
        #expect(try await github.call("POST", "/repos/acme/shop/actions/runs/\(run)/cancel").status == 202)
      } else {
        folder.terminate()
      }
      #expect(try await folder.end() == 0, "\(folder.output)")
      #expect(await github.job("long")["conclusion"] == "cancelled")
      let log = try await github.log("long")
      #expect(log.contains("The operation was canceled") && log.contains("Z tidied") && !log.contains("Z never"))
      #expect(folder.output.contains("completed with result: Canceled"))
    }
  }

  @Test("a registration that is gone ends the runner with 0, waiting or not; one that was used is refused")
  func registrations() async throws {
    try await LocalGitHub.run { github in
      let (id, files) = try await github.register("short")
      let folder = try RunnerFolder(files)
      try folder.start()
      try await eventually("the runner is online") {
        try await github.call("GET", "/orgs/acme/actions/runners/\(id)").body["status"] == "online"
      }
      #expect(try await github.call("DELETE", "/orgs/acme/actions/runners/\(id)").status == 204)
      #expect(try await folder.end() == 0)

      _ = try await github.push("on: push\njobs:\n  job:\n    runs-on: linux\n    steps: [{ run: echo once }]\n")
      let used = try await github.register("used").files
      for _ in 0..<2 {
        let folder = try RunnerFolder(used)
        try folder.start()
        #expect(try await folder.end() == 0)
      }
      #expect(await github.job("job")["times_started"] == 1)
      let registration = await github.server.github.ledger()["registrations"].array?.last
      #expect(registration?["refused_uses"] == 1)
      #expect(registration?["fate"].string?.hasPrefix("ran job") == true)
    }
  }
}
