internal import Domain
package import Foundation
package import RunnerHub

/// The inputs that tests of policies start from, and that a rehearsal takes for what it is not given.
package enum PolicySamples {
  /// Monday, 6 January 2025, 09:00 UTC.
  package static let now = Date(timeIntervalSince1970: 1_736_154_000)

  package static let job = PolicyJob(
    Job(
      id: JobID(rawValue: "1"), forgeID: 1, runID: 1, runAttempt: 1,
      repository: Repository(id: 1, fullName: "acme/storefront", isPrivate: true, defaultBranch: "main"), workflow: "CI", name: "build",
      labels: ["self-hosted", "linux"], headSHA: "f83a356604ae3c5d03e1b46ef4d1ca77d64a90b0", headBranch: "main", createdAt: now,
      receivedAt: now))

  package static let pool = PolicyPool(
    name: "linux", minimum: 1, maximum: 10, warm: 1,
    template: .init(
      engine: "docker", image: "ghcr.io/actions/actions-runner:2.336.0", labels: ["self-hosted", "linux"],
      resources: Resources(milliCPUs: 2000, memory: ByteCount(gibibytes: 4))), total: 2, idle: 1, busy: 1, pending: 0, active: 1)

  package static let fleet = PolicyFleet(now: now, pools: [pool], pending: 0, active: 1)

  package static let container = PolicyContainer(
    id: "rh-linux-1", name: "linux-1", pool: "linux", engine: pool.template.engine, image: pool.template.image, isNew: false,
    labels: ["self-hosted", "linux"], resources: pool.template.resources, uses: 0, repository: nil, createdAt: now - 60, idleSince: now - 60
  )

  private static var sampleOfPush: PolicyJob {
    var job = job
    job.event = "push"
    job.trust = .own
    return job
  }

  private static let definition = DefinitionFinding.Definition(
    path: ".github/workflows/ci.yml", commit: job.commit, key: "build", isExact: true, images: [], environment: nil, timeoutMinutes: nil)

  /// Kind → fields, in plain tables.
  static var plain: LuaValue {
    .map([
      "clock": PolicyInput.clock.value(of: PolicyClock(now)).plain,
      "job": PolicyInput.job.value(of: .init(job: sampleOfPush, now: now)).plain,
      "definition": PolicyInput.definition.value(of: definition).plain,
      "estimate": PolicyInput.estimate.value(
        of: Estimate(resources: Resources(milliCPUs: 2000, memory: ByteCount(gibibytes: 4)), sources: ["default size"])
      ).plain,
      "sample": PolicyInput.sample.value(of: .init(at: now, total: 2, busy: 1, pending: 0)).plain,
      "pool": PolicyInput.pool.value(of: pool).plain,
      "queue": PolicyInput.queue.value(
        of: .init(
          queue: PolicyQueue(scope: "acme", labels: ["self-hosted", "linux"], count: 1, pool: "linux", queuedAt: now - 10), now: now)
      ).plain,
      "use": PolicyInput.use.value(of: PolicyUse(repository: "acme/storefront", active: 1)).plain,
      "waits": PolicyInput.waits.value(of: PolicyWaits()).plain,
      "fleet": PolicyInput.fleet.value(of: fleet).plain,
      "container": PolicyInput.container.value(of: .init(container: container, now: now)).plain,
    ])
  }
}
