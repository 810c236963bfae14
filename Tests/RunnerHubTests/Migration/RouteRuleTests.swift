import Domain
import Testing

@testable import RunnerHub

@Suite("What the host adds to a routing policy")
struct RouteRuleTests {
  private static let large = Estimate(
    resources: Resources(milliCPUs: 64_000, memory: ByteCount(gibibytes: 8), disk: ByteCount(gibibytes: 1)), sources: [])

  private static func ruling(
    _ labels: [String] = ["self-hosted", "linux"], wish: Route = .orchestrator, estimate: Estimate? = nil, draining: Bool = false,
    traditional: Labels = []
  ) -> RouteRule.Ruling {
    var job = Job(Bench.report(1, "queued", labels: labels), at: TestClock().now)
    job.estimate = estimate
    return RouteRule(pools: [Bench.pool()], migration: MigrationSettings(traditionalLabels: traditional))
      .ruling(on: job, wish: Verdict(wish, reason: "as the policy says"), isDraining: draining)
  }

  @Test("a policy's word stands where nothing is against it")
  func policy() {
    #expect(Self.ruling() == .init(route: .orchestrator, cause: .policy, reason: "as the policy says"))
    #expect(Self.ruling(wish: .traditional) == .init(route: .traditional, cause: .policy, reason: "as the policy says"))
  }

  @Test("labels that no pool offers go to others, and the reason says so where nobody is known for them")
  func labels() {
    #expect(Self.ruling(["windows"]) == .init(route: .traditional, cause: .noPool, reason: "no pool offers [windows]"))
    #expect(Self.ruling([]).reason == "it names no label")
    #expect(Self.ruling(["windows"], traditional: ["windows"]).reason == "no pool offers [windows]")
    let stranded = Self.ruling(["windows"], traditional: ["linux"])
    #expect(stranded.route == .traditional)
    #expect(stranded.reason.hasSuffix("migration.traditional-labels names no runner for [windows]: it waits until one comes"))
  }

  @Test("an estimate that fits no pool goes to others where they are known, and else waits here and says why")
  func size() {
    let labels: Labels = ["self-hosted", "linux", "x64"]
    #expect(Self.ruling(estimate: Self.large, traditional: labels).cause == .tooLarge)
    #expect(Self.ruling(estimate: Self.large, traditional: labels).route == .traditional)
    let alone = Self.ruling(estimate: Self.large)
    #expect(alone.route == .orchestrator)
    #expect(alone.reason.contains("fits no pool that offers [linux, self-hosted], and no traditional runner is known for it"))
  }

  @Test("while RunnerHub drains, others get what they can take, and what they cannot waits for the next start")
  func draining() {
    #expect(Self.ruling(draining: true, traditional: ["self-hosted", "linux"]).cause == .draining)
    #expect(Self.ruling(draining: true, traditional: ["self-hosted"]).route == .orchestrator)
    #expect(Self.ruling(draining: true).route == .orchestrator)
  }
}
