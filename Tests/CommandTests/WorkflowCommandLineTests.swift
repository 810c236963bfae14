import ArgumentParser
import Foundation
import Testing

@testable import Command

@Suite("The built command on workflow files")
struct WorkflowCommandLineTests {
  private let good = """
    name: CI
    on: [push, pull_request]
    jobs:
      # runnerhub: cpus=3
      build: { runs-on: [self-hosted, linux], strategy: { matrix: { v: [1, 2] } } }
      deploy: { runs-on: [self-hosted, linux], needs: build, environment: production }
    """
  private let bad = "on: push\njobs:\n  a:\n    runs-on: linux\n    if: true\n    step: []\n"

  /// Command lines that helps show.
  private static let examples = [WorkflowCheckCommand.configuration, WorkflowShowCommand.configuration].flatMap { configuration in
    configuration.discussion.components(separatedBy: "\n").map { $0.drop { $0 == " " } }.filter { $0.hasPrefix("runnerhub workflow ") }
      .map { line in line.prefix { $0 != ">" }.split(separator: " ").dropFirst().map(String.init) }
  }

  @Test("every example of a help is a call that is understood", arguments: examples)
  func example(call: [String]) throws { _ = try RunnerHubCommand.parseAsRoot(call) }

  @Test("check shows each finding with its line, counts them, and ends with 1")
  func check() throws {
    let outcome = try Binary.run(["workflow", "check", "bad.yml", "good.yml"], files: ["bad.yml": bad, "good.yml": good])
    #expect(outcome.status == 1, "\(outcome)")
    #expect(
      outcome.output.contains("bad.yml:6:5: error: Unexpected value 'step' – did you mean 'steps'? [unknown-key]\n   6 |     step: []\n"))
    #expect(outcome.output.hasSuffix("1 error, 1 warning in 2 files\n"))
    let fine = try Binary.run(["workflow", "check", "good.yml"], files: ["good.yml": good])
    #expect(fine.status == 0 && fine.output == "nothing wrong in 1 file\n", "\(fine)")
  }

  @Test("warnings fail on request, and rules are graded on the command line")
  func grades() throws {
    let text = bad.replacing("    step: []\n", with: "")
    let files = ["w.yml": text]
    #expect(try Binary.run(["workflow", "check", "w.yml"], files: files).status == 0)
    #expect(try Binary.run(["workflow", "check", "w.yml", "--strict"], files: files).status == 1)
    #expect(try Binary.run(["workflow", "check", "w.yml", "--strict", "--rule", "constant-condition=off"], files: files).status == 0)
    let here = try Binary.run(["workflow", "check", "."], files: [".github/workflows/bad.yml": bad])
    #expect(here.output.hasPrefix(".github/workflows/bad.yml:5:9: warning: "), "\(here)")
    let unknown = try Binary.run(["workflow", "check", "w.yml", "--rule", "constant-conditon=off"], files: files)
    #expect(unknown.status == 64)
    #expect(unknown.error.contains("unknown rule 'constant-conditon' – did you mean 'constant-condition'?"))
    #expect(try Binary.run(["workflow", "check", "nowhere"]).status == 64)
  }

  @Test("rules are graded in the configuration, which needs no credentials for that, and --rule stands above it")
  func configuration() throws {
    let files = [
      "w.yml": bad.replacing("    step: []\n", with: ""),
      "runnerhub.yaml": "workflow: { rules: { constant-condition: error, resources: off } }\npools: { a: { labels: [other] } }\n",
    ]
    let graded = try Binary.run(["workflow", "check", "w.yml", "--config", "runnerhub.yaml"], files: files)
    #expect(graded.status == 1 && graded.output.contains("error: this condition is always true"), "\(graded)")
    #expect(!graded.output.contains("[unserved-labels]"))
    let grades = ["--rule", "unserved-labels=warning", "--rule", "constant-condition=off"]
    let above = try Binary.run(["workflow", "check", "w.yml", "--config", "runnerhub.yaml"] + grades, files: files)
    #expect(above.status == 0 && above.output.contains("[unserved-labels]"), "\(above)")
    let unknown = try Binary.run(
      ["workflow", "check", "w.yml", "--config", "bad.yaml"],
      files: files.merging(["bad.yaml": "workflow: { rules: { unpinned-acton: off } }\n"]) { $1 })
    #expect(unknown.status != 0 && unknown.error.contains("did you mean 'unpinned-action'?"), "\(unknown)")
  }

  @Test("show reads the hints that lie beside the workflows, and says where they are wrong")
  func hints() throws {
    let files = [".github/workflows/ci.yml": good, ".github/runnerhub.yaml": "jobs: { build: { memory: 3g, priority: HIGH } }\n"]
    let outcome = try Binary.run(["workflow", "show", ".github/workflows/ci.yml"], files: files)
    #expect(outcome.output.contains("memory: .github/runnerhub.yaml") && outcome.output.contains("HIGH"), "\(outcome)")
    let wrong = try Binary.run(
      ["workflow", "show", ".github/workflows/ci.yml"], files: files.merging([".github/runnerhub.yaml": "job: {}\n"]) { $1 })
    #expect(wrong.status == 64 && wrong.error.contains("runnerhub.yaml:1:1: error: Unexpected value 'job'"), "\(wrong)")
  }

  @Test("reports for programs are what their formats say", arguments: ["json", "sarif", "github"])
  func formats(format: String) throws {
    let outcome = try Binary.run(["workflow", "check", "bad.yml", "--format", format], files: ["bad.yml": bad])
    #expect(outcome.status == 1)
    if format == "github" {
      #expect(outcome.output.contains("::error file=bad.yml,line=6,col=5,title=unknown-key::"))
    } else {
      #expect(throws: Never.self) { try JSONSerialization.jsonObject(with: Data(outcome.output.utf8)) }
    }
  }

  @Test("show lists expanded jobs with estimate, route and priority")
  func show() throws {
    let outcome = try Binary.run(["workflow", "show", "good.yml"], files: ["good.yml": good])
    #expect(outcome.status == 0, "\(outcome)")
    for text in ["CI · on push, pull_request · 3 jobs", "build (1)", "build (2)", "3 CPU", "orchestrator", "CRITICAL", "2  deploy ← build"]
    {
      #expect(outcome.output.contains(text), "\(text) in \(outcome.output)")
    }
    #expect(outcome.output.contains("build (1): CPUs: comment"))
    let svg = try Binary.run(["workflow", "show", "good.yml", "--svg"], files: ["good.yml": good])
    #expect(svg.output.hasPrefix("<svg ") && svg.output.hasSuffix("</svg>\n"))
    let refused = try Binary.run(["workflow", "show", "bad.yml"], files: ["bad.yml": bad])
    #expect(refused.status == 1 && refused.error.contains("GitHub does not run this file"), "\(refused)")
  }
}
