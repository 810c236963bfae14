import Foundation
import Testing

@Suite("The built command")
struct CommandLineTests {
  private static let credentials = ["GITHUB_TOKEN": "ghp_t0k3n", "GITHUB_WEBHOOK_SECRET": "s3cr3t"]

  @Test("--version says the version")
  func version() throws {
    let outcome = try Binary.run(["--version"])
    #expect(outcome == Binary.Outcome(status: 0, output: "0.1.0\n", error: ""))
  }

  @Test(
    "every command's help has an abstract, and an example where it takes input",
    arguments: [
      ([], false), (["serve"], true), (["emulator"], true), (["demo"], true), (["config"], false), (["config", "check"], true),
      (["config", "show"], true), (["config", "reference"], true), (["policy"], false), (["policy", "check"], true),
      (["policy", "test"], true),
      (["policy", "eval"], true), (["policy", "explain"], true), (["policy", "bench"], true), (["policy", "replay"], true),
      (["policy", "diff"], true), (["policy", "new"], true), (["policy", "types"], true), (["policy", "simulate"], true),
      (["trace"], false), (["trace", "export"], true), (["job"], false), (["job", "list"], true), (["job", "logs"], true),
      (["job", "explain"], true),
    ])
  func help(command: [String], hasExample: Bool) throws {
    let outcome = try Binary.run(command + ["--help"])
    #expect(outcome.status == 0)
    #expect(outcome.error.isEmpty)
    #expect(outcome.output.hasPrefix("OVERVIEW: "))
    #expect(outcome.output.contains("USAGE: \((["runnerhub"] + command).joined(separator: " "))"))
    if hasExample { #expect(outcome.output.contains("runnerhub \(command.joined(separator: " ")) ") || outcome.output.contains("curl")) }
  }

  @Test(
    "a wrong call ends with 64, names us, and shows the usage",
    arguments: [["bogus"], ["policy", "eval"], ["job", "logs"], ["job", "list", "--limit", "0"], ["demo", "--bogus"]])
  func wrongCalls(arguments: [String]) throws {
    let outcome = try Binary.run(arguments)
    #expect(outcome.status == 64)
    #expect(outcome.output.isEmpty)
    #expect(outcome.error.hasPrefix("runnerhub: "))
    #expect(outcome.error.contains("Usage: runnerhub"))
    #expect(!outcome.error.contains("Error:"))
  }

  @Test("serve does not start with a failpoint that is none, and names the nearest one")
  func unknownFailpoint() throws {
    let outcome = try Binary.run(["serve"], environment: Self.credentials.merging(["RUNNERHUB_FAILPOINT": "regster:after"]) { $1 })
    #expect(outcome.status == 1)
    #expect(
      outcome.error == "runnerhub: RUNNERHUB_FAILPOINT: there is no failpoint \"regster:after\"; did you mean register:after?\n")
    #expect(outcome.left.isEmpty)
  }

  @Test("config check ends with 0 for a good configuration")
  func goodConfiguration() throws {
    let outcome = try Binary.run(
      ["config", "check"], environment: Self.credentials, files: ["runnerhub.yaml": "pools: { linux: { maximum: 7 } }\n"])
    #expect(outcome == Binary.Outcome(status: 0, output: "configuration ok: 3 values set, 1 pool\n", error: ""))
  }

  @Test("config check tells every problem on standard error, each with our name, and ends with 1")
  func badConfiguration() throws {
    let file = String(repeating: "\n", count: 11) + "pools:\n linux:\n  maximum: many\n  warn: 1\n"
    let outcome = try Binary.run(
      ["config", "check", "--config", "runnerhub.yaml"], environment: Self.credentials, files: ["runnerhub.yaml": file])
    #expect(
      outcome
        == Binary.Outcome(
          status: 1, output: "",
          error: """
            runnerhub: configuration: pools.linux.maximum is "many" (runnerhub.yaml:14:12): expected a whole number from 0 to 100000
            runnerhub: configuration: unknown key pools.linux.warn (runnerhub.yaml:15:3) – did you mean 'warm'?

            """))
  }

  @Test("config show tells values and where they come from, without secrets", arguments: [false, true])
  func show(json: Bool) throws {
    let outcome = try Binary.run(
      ["config", "show", "--orchestrator.max-tries", "3"] + (json ? ["--json"] : []), environment: Self.credentials,
      files: ["runnerhub.yaml": "log: { level: debug }\n"])
    #expect(outcome.status == 0)
    for secret in Self.credentials.values { #expect(!outcome.output.contains(secret)) }
    guard json else {
      #expect(outcome.output.contains(#/orchestrator\.max-tries +3 +flag --orchestrator\.max-tries\n/#))
      #expect(outcome.output.contains(#/log\.level +debug +runnerhub\.yaml:1:15\n/#))
      #expect(outcome.output.contains(#/github\.token +\(secret\) +environment variable GITHUB_TOKEN\n/#))
      return
    }
    let values = try JSONDecoder().decode([String: [String: String]].self, from: Data(outcome.output.utf8))
    #expect(values["orchestrator.max-tries"] == ["value": "3", "source": "flag --orchestrator.max-tries"])
    #expect(values["github.token"] == ["value": "(secret)", "source": "environment variable GITHUB_TOKEN"])
  }

  @Test("serve with a bad configuration ends before it listens or writes anything")
  func serve() throws {
    let outcome = try Binary.run(
      ["serve"], environment: Self.credentials.merging(["DATABASE_URL": "postgresql://u:pa55@h/db"]) { own, _ in own })
    #expect(outcome.status == 1)
    #expect(outcome.output.isEmpty)
    #expect(outcome.error.hasPrefix("runnerhub: configuration: store.url names PostgreSQL (environment variable DATABASE_URL)"))
    #expect(!outcome.error.contains("pa55"))
    #expect(outcome.left.isEmpty)
  }

  @Test("demo on Docker says what it needs")
  func engine() throws {
    let outcome = try Binary.run(["demo", "--engine", "docker"])
    let error = "runnerhub: --engine docker needs --image and --address; `make run ENGINE=docker` gives them\n"
    #expect(outcome == Binary.Outcome(status: 64, output: "", error: error))
  }

  @Test("the emulator refuses to start without its secrets")
  func emulator() throws {
    let bare = try Binary.run(["emulator"])
    #expect(bare.status == 64)
    #expect(bare.error == "runnerhub: GITHUB_TOKEN is not set: the emulator accepts the token that it holds\n")
    let unsigned = try Binary.run(["emulator", "--webhook-url", "http://127.0.0.1:1/"], environment: ["GITHUB_TOKEN": "t"])
    #expect(unsigned.status == 64)
    #expect(unsigned.error == "runnerhub: GITHUB_WEBHOOK_SECRET is not set: deliveries to --webhook-url are signed with it\n")
  }

  @Test("jobs cannot be asked for where nothing runs", arguments: [["list"], ["logs", "deploy"], ["explain", "deploy"]])
  func jobs(arguments: [String]) throws {
    let silent = try Binary.run(["job"] + arguments)
    #expect(silent.status != 0)
    #expect(
      silent.error == "runnerhub: no running serve is announced in data: name it by --address http://127.0.0.1:8081 or --data FOLDER\n")
    // Port 1 is tcpmux, which nobody serves.
    let gone = try Binary.run(["job"] + arguments + ["--address", "http://127.0.0.1:1/"])
    #expect(gone.status == 1)
    #expect(gone.output.isEmpty)
    #expect(gone.error.hasPrefix("runnerhub: http://127.0.0.1:1 does not answer: "))
    #expect(gone.error.hasSuffix("Is `runnerhub serve` running there?\n"))
  }

  // MARK: - Policies

  @Test("the policies that come with RunnerHub pass their check and their tests", arguments: ["check", "test"])
  func policies(verb: String) throws {
    let outcome = try Binary.run(["policy", verb, Self.policies])
    #expect(outcome.status == 0, "\(outcome)")
    #expect(outcome.error.isEmpty)
    #expect(outcome.output.contains(verb == "test" ? " passed in " : ": fit"))
  }

  @Test("a policy that does not parse fails its check with place and excerpt")
  func brokenPolicy() throws {
    let outcome = try Binary.run(["policy", "check", "."], files: ["routing.lua": "return {\n  route = = 1\n}\n"])
    #expect(outcome.status == 1)
    #expect(outcome.output.contains("./routing.lua:2:11: error: "))
    #expect(outcome.output.contains("   2 |   route = = 1"))
  }

  @Test("the corpus of deliveries is there")
  func corpus() {
    #expect(Self.deliveries.count >= 5, "set RUNNERHUB_CORPORA to the folder of corpora")
  }

  @Test("policy eval answers for every recorded workflow_job delivery", arguments: deliveries)
  func eval(delivery: URL) throws {
    let text = try Binary.run(["policy", "eval", "routing", "--event", delivery.path, "--policies", Self.policies])
    #expect(text.status == 0, "\(text)")
    #expect(text.output.hasPrefix("route     "))
    #expect(text.output.contains("\nreason    "))
    let json = try Binary.run(["policy", "eval", "priority", "--event", delivery.path, "--policies", Self.policies, "--json"])
    struct Answer: Decodable { var priority, reason: String }
    let answer = try JSONDecoder().decode(Answer.self, from: Data(json.output.utf8))
    #expect(json.status == 0)
    #expect(["CRITICAL", "HIGH", "NORMAL", "LOW"].contains(answer.priority))
    #expect(!answer.reason.isEmpty)
  }

  @Test("an unknown decision is named with the nearest known one")
  func decision() throws {
    let outcome = try Binary.run(["policy", "eval", "rooting", "--event", "x"])
    #expect(outcome.status == 64)
    #expect(
      outcome.error == "runnerhub: unknown decision \"rooting\": expected routing, priority, affinity or scaling – did you mean routing?\n")
  }

  @Test("a payload that is none is refused clearly", arguments: ["not json", "", "[]", "{}", "{\"action\": \"queued\"}"])
  func payload(text: String) throws {
    let outcome = try Binary.run(
      ["policy", "eval", "routing", "--event", "event.json", "--policies", Self.policies], files: ["event.json": text])
    #expect(outcome.status == 64)
    #expect(outcome.output.isEmpty)
    #expect(outcome.error.hasPrefix("runnerhub: event.json is not the body of a workflow_job delivery"))
  }

  @Test("a payload that is not there is named")
  func missingPayload() throws {
    let outcome = try Binary.run(["policy", "eval", "routing", "--event", "none.json", "--policies", Self.policies])
    #expect(outcome.status == 64)
    #expect(outcome.error.hasPrefix("runnerhub: --event names none.json, which cannot be read: "))
  }

  // MARK: - Places

  private static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
  private static let policies = root.appending(path: "policies").path

  /// `RUNNERHUB_CORPORA`, or `../shared/corpora` from the package's root. Empty when it is not there, which a test of its own reports.
  private static let deliveries: [URL] = {
    let named = ProcessInfo.processInfo.environment["RUNNERHUB_CORPORA"].map { URL(filePath: $0, directoryHint: .isDirectory) }
    let folder = (named ?? root.appending(path: "../shared/corpora").standardized).appending(path: "webhooks/workflow_job")
    let names = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
    return names.filter { $0.hasSuffix(".json") }.sorted().map { folder.appending(path: $0) }
  }()
}
