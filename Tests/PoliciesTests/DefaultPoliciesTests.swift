import Domain
import Foundation
import Policies
import RunnerHub
import Testing

/// The policies folder of the project.
let projectPolicies = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
  .appending(path: "policies").path(percentEncoded: false)

/// A job of the samples with some things changed.
func job(
  name: String = "build", workflow: String? = "CI", labels: [String] = ["self-hosted", "linux"], branch: String? = "main",
  event: String = "push", environment: String? = nil, repository: String = "acme/storefront"
) -> PolicyJob {
  var job = PolicySamples.job
  job.name = name
  job.workflow = workflow
  job.labels = labels
  job.branch = branch
  job.repository = repository
  job.event = event
  job.actor = "octocat"
  if let environment {
    job.definition = .init(
      path: ".github/workflows/ci.yml", commit: job.commit, key: "x", isExact: true, images: [], environment: environment,
      timeoutMinutes: nil)
  }
  return job
}

func pool(minimum: Int = 1, maximum: Int = 20, warm: Int = 1, idle: Int, busy: Int, pending: Int, active: Int? = nil) -> PolicyPool {
  PolicyPool(
    name: "linux", minimum: minimum, maximum: maximum, warm: warm, total: idle + busy, idle: idle, busy: busy, pending: pending,
    active: active ?? busy)
}

@Suite("The default policies")
struct DefaultPoliciesTests {
  private func engine() throws -> LuaPolicyEngine {
    LuaPolicyEngine(bundle: try PolicyBundle(folder: projectPolicies), builtIn: BuiltInPolicy())
  }

  @Test("are fit, and their own tests pass")
  func fit() throws {
    let check = BundleCheck(try PolicyBundle(folder: projectPolicies))
    #expect(check.summary == nil)
    #expect(check.missing.isEmpty)
    #expect(check.tests.count >= 30)
  }

  static let routed: [([String], Route, String)] = [
    (["self-hosted", "linux"], .orchestrator, "linux container job"),
    (["Docker"], .orchestrator, "linux container job"),
    (["SELF-HOSTED"], .orchestrator, "self-hosted job"),
    (["self-hosted", "Windows"], .traditional, "label windows"),
    (["macos", "linux"], .traditional, "label macos"),
    (["ubuntu-latest"], .traditional, "no label of docker, linux, self-hosted"),
    ([], .traditional, "no label of docker, linux, self-hosted"),
  ]

  @Test("route as the built-in rule does", arguments: routed)
  func routing(labels: [String], route: Route, reason: String) throws {
    for engine: any PolicyEngine in [try engine(), BuiltInPolicy()] {
      let verdict = engine.route(job(labels: labels), fleet: PolicySamples.fleet)
      #expect(verdict.value == route)
      #expect(verdict.reason == reason)
      #expect(verdict.fallbackCause == nil)
    }
  }

  static let prioritised: [(PolicyJob, Priority, String)] = [
    (job(environment: "production"), .critical, "deploys to production"),
    (job(labels: ["self-hosted", "linux", "deploy"], environment: "production"), .critical, "deploys to production (own label)"),
    (job(labels: ["run-812"], environment: "eu"), .critical, "deploys to eu (own label)"),
    (job(event: "release"), .critical, "release event"),
    (job(event: "deployment"), .critical, "deployment event"),
    (job(name: "deploy (eu)"), .critical, "deployment job deploy"),
    (job(name: " Deploy docs "), .critical, "deployment job Deploy docs"),
    (job(name: "deployDocs"), .critical, "deployment job deployDocs"),
    (job(workflow: "Build and deploy to AKS"), .critical, "deployment workflow Build and deploy to AKS"),
    (job(workflow: "Release"), .critical, "deployment workflow Release"),
    (job(name: "build (ubuntu, release)"), .normal, "standard job"),
    (job(name: "(release)"), .normal, "standard job"),
    (job(workflow: "Release notes"), .normal, "standard job"),
    (job(workflow: "release-drafter"), .normal, "standard job"),
    (job(workflow: "undeployed"), .normal, "standard job"),
    (job(workflow: "prerelease-notes"), .normal, "standard job"),
    (job(labels: ["linux", "URGENT"]), .high, "label urgent"),
    (job(labels: ["high-priority", "urgent"]), .high, "label high-priority"),
    (job(branch: "hotfix/cart"), .high, "hotfix branch hotfix/cart"),
    (job(branch: "feature/hotfixes"), .normal, "standard job"),
    (job(event: "schedule"), .low, "scheduled run"),
    (job(labels: ["linux", "nightly"]), .low, "label nightly"),
    (job(labels: ["low-priority", "background"]), .low, "label background"),
    (job(labels: ["urgent"], event: "schedule"), .high, "label urgent"),
    (job(workflow: nil, branch: nil), .normal, "standard job"),
    (asking(.low, job(branch: "hotfix/cart")), .low, "asked for in .github/runnerhub.yaml"),
    (asking(.high, job(event: "schedule")), .high, "asked for in .github/runnerhub.yaml"),
    (asking(.low, job(labels: ["urgent"])), .high, "label urgent"),
    (asking(.low, job(event: "release")), .critical, "release event"),
  ]

  /// A job for which its repository asks for a priority.
  private static func asking(_ priority: Priority, _ job: PolicyJob) -> PolicyJob {
    var job = job
    job.estimate = Estimate(resources: Resources(milliCPUs: 1_000, memory: ByteCount(gibibytes: 1)), sources: [], priorityHint: priority)
    return job
  }

  @Test("prioritise as the built-in rule does", arguments: prioritised)
  func priority(job: PolicyJob, priority: Priority, reason: String) throws {
    for engine: any PolicyEngine in [try engine(), BuiltInPolicy()] {
      let verdict = engine.prioritise(job, fleet: PolicySamples.fleet)
      #expect(verdict.value == priority)
      #expect(verdict.reason == reason)
      #expect(verdict.fallbackCause == nil)
    }
  }

  static let scaled: [(PolicyPool, Int)] = [
    (pool(idle: 0, busy: 6, pending: 6), 12), (pool(idle: 0, busy: 6, pending: 5), 6), (pool(idle: 1, busy: 4, pending: 9), 5),
    (pool(idle: 9, busy: 0, pending: 0), 5), (pool(idle: 2, busy: 0, pending: 0), 1), (pool(idle: 1, busy: 0, pending: 0), 1),
    (pool(idle: 8, busy: 2, pending: 0), 10), (pool(idle: 7, busy: 3, pending: 0, active: 1), 10),
    (pool(maximum: 10, idle: 0, busy: 9, pending: 100), 10), (pool(minimum: 3, idle: 0, busy: 0, pending: 0), 3),
    (pool(idle: 1, busy: 9, pending: 6), 15),
  ]

  @Test("scale as the built-in rule does", arguments: scaled)
  func scaling(pool: PolicyPool, wanted: Int) throws {
    for engine: any PolicyEngine in [try engine(), BuiltInPolicy()] {
      let verdict = engine.scale(pool, fleet: PolicySamples.fleet)
      #expect(verdict.value == wanted)
      #expect(verdict.fallbackCause == nil)
    }
  }

  @Test("prefer a container with the repository's cache, and a warm one to a new one")
  func affinity() throws {
    var cached = PolicySamples.container, new = PolicySamples.container
    cached.repository = "acme/storefront"
    new.isNew = true
    let verdict = try engine().place(job(), candidates: [new, PolicySamples.container, cached], now: PolicySamples.now)
    #expect(verdict.fallbackCause == nil)
    #expect(verdict.value.candidates.map(\.score) == [20, 50, 80])
    #expect(verdict.value.candidates.last?.reason == "has this repository's cache")
    #expect(verdict.value.strategy == nil)
    let builtIn = BuiltInPolicy().place(job(), candidates: [new, cached], now: PolicySamples.now)
    #expect(builtIn.value.candidates.map(\.score) == [50, 50])
  }

  @Test("say which bundle answered, how long it took and how many steps")
  func verdict() throws {
    let bundle = try PolicyBundle(folder: projectPolicies)
    let verdict = try engine().prioritise(job(), fleet: PolicySamples.fleet)
    #expect(verdict.bundle == bundle.digest)
    #expect(bundle.digest.count == 12)
    #expect(verdict.microseconds > 0)
    #expect((verdict.instructions ?? 0) > 0)
  }
}
