import Foundation
import Testing

@Suite("The built command, simulating")
struct SimulateCommandTests {
  private static let short = ["policy", "simulate", "--workload", "steady", "--hours", "0.03", "--policies", "built-in"]

  @Test("policies are compared with each other and with a runner for each repository, in a table and on a page, the same each time")
  func compares() throws {
    let arguments = Self.short + ["--against", "built-in", "--html", "plot.html"]
    let outcome = try Binary.run(arguments)
    #expect(outcome.status == 0)
    #expect(outcome.output.hasPrefix("steady · seed 1 · 2 min · "))
    for row in ["wait p50 / p95 / p99", "CRITICAL wait p99", "utilisation", "container-hours", "a runner a repository", "180 in 60 s"] {
      #expect(outcome.output.contains(row), "\(row)")
    }
    #expect(outcome.output.hasSuffix("plot: plot.html\n"))
    #expect(outcome.left == ["plot.html"])
    #expect(try Binary.run(arguments) == outcome)
  }

  @Test("pools come from a configuration that needs no credentials, and a trace from a file")
  func poolsAndTrace() throws {
    let trace = """
      {"format":"runnerhub-trace","version":1}
      {"created_at":"2026-09-07T08:00:00Z","duration_seconds":60,"id":1,"labels":["linux"],"name":"test","repository":"a/b"}
      {"created_at":"2026-09-07T08:00:01Z","duration_seconds":60,"id":2,"labels":["linux"],"name":"test","repository":"a/b"}
      """
    let pools = """
      github: { organization: a, webhook-secret-file: /nowhere }
      pools: { linux: { labels: [linux], maximum: 1, warm: 0 } }
      """
    let outcome = try Binary.run(
      ["policy", "simulate", "--trace", "t.jsonl", "--pools", "hub.yaml", "--policies", "built-in", "--no-html", "--json"],
      files: ["t.jsonl": trace, "hub.yaml": pools])
    #expect(outcome.status == 0)
    #expect(outcome.left.isEmpty)
    #expect(outcome.output.contains("\"peakContainers\" : 1,"))
    #expect(outcome.output.contains("\"maximum\" : 1,"))
  }

  @Test(
    "what cannot be simulated is said, with the nearest word",
    arguments: [
      (["policy", "simulate"], "one of --trace and --workload is needed"),
      (["policy", "simulate", "--workload", "stedy"], "did you mean steady?"),
      (["policy", "simulate", "--trace", "nowhere"], "--trace names nowhere"),
      (["policy", "simulate", "--workload", "steady", "--policies", "nowhere"], "nowhere"),
      (["trace", "export", "--data", "nowhere"], "there is no store at nowhere/runnerhub.sqlite"),
      (["trace", "export", "--since", "soon"], "--since is \"soon\""),
    ])
  func refusals(arguments: [String], expected: String) throws {
    let outcome = try Binary.run(arguments)
    #expect(outcome.status == 64)
    #expect(outcome.error.contains(expected), "\(outcome.error)")
    #expect(outcome.output.isEmpty && outcome.left.isEmpty)
  }
}
