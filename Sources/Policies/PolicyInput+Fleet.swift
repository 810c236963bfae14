internal import Domain
internal import Foundation
internal import RunnerHub

/// The fleet and its parts.
extension PolicyInput {
  /// A candidate at a moment.
  package struct ContainerView: Sendable {
    var container: PolicyContainer
    var now: Date
  }

  /// A class's queue at a moment. The same at another moment, since what is kept of it does not depend on the time.
  struct QueueView: Sendable, Equatable {
    var queue: PolicyQueue
    var now: Date
    static func == (left: QueueView, right: QueueView) -> Bool { left.queue == right.queue }
  }

  static let sample = PolicyKind<PolicyPool.Sample>(
    .sample, doc: "How a pool stood at a moment.",
    fields: [
      .init("at", .number, "When, in seconds since 1970.") { .number($0.at.timeIntervalSince1970) },
      .init("total", .integer, "Live containers.") { .integer($0.total) },
      .init("busy", .integer, "Live containers with a job.") { .integer($0.busy) },
      .init("pending", .integer, "Queued jobs that the pool could serve.") { .integer($0.pending) },
      .init("utilisation", .number, "Busy ÷ live containers, 0 to 1.") { .number($0.utilisation) },
    ])

  static let pool = PolicyKind<PolicyPool>(
    .pool, doc: "Containers that share a template.",
    fields: [
      .init("name", .text, "Name in the configuration.") { .text($0.name) },
      .init("engine", .text, "Where its containers run: `docker`, `process`.") { .text($0.template.engine) },
      .init("image", .text, "What its containers are made from.") { .text($0.template.image) },
      .init("labels", .labels, "What its runners may offer.") { .labels($0.template.labels.values) },
      .init("cpus", .number, "CPU cores of a container.") { .number(Double($0.template.resources.milliCPUs) / 1000) },
      .init("memory_mb", .integer, "Memory of a container in MiB.") { .integer($0.template.resources.memory.mebibytes) },
      .init("disk_mb", .integer, "Disk of a container in MiB.") { .integer($0.template.resources.disk.mebibytes) },
      .init("gpus", .integer, "GPUs of a container.") { .integer($0.template.resources.gpus) },
      .init("forks", .boolean, "Whether jobs of forks may run here.") { .bool($0.template.acceptsForks) },
      .init("reuse", .integer, "Jobs of one repository that a container may serve; 1 is no reuse.") { .integer($0.template.maximumUses) },
      .init("minimum", .integer, "Containers that exist even when nothing is to do.") { .integer($0.minimum) },
      .init("maximum", .integer, "Containers at most.") { .integer($0.maximum) },
      .init("warm", .integer, "Idle containers to keep ready beyond the busy ones.") { .integer($0.warm) },
      .init("total", .integer, "Live containers.") { .integer($0.total) },
      .init("idle", .integer, "Live containers that are ready and have no job.") { .integer($0.idle) },
      .init("busy", .integer, "Live containers with a job.") { .integer($0.busy) },
      .init("creating", .integer, "Live containers that are still being made.") { .integer($0.creating) },
      .init("unhealthy", .integer, "Live containers that are isolated because health checks failed.") { .integer($0.unhealthy) },
      .init("ending", .integer, "Live containers that take no more jobs.") { .integer($0.ending) },
      .init("pending", .integer, "Queued jobs that this pool could serve.") { .integer($0.pending) },
      .init("active", .integer, "Jobs that hold one of its containers.") { .integer($0.active) },
      .init("utilisation", .number, "Busy ÷ live containers, 0 to 1; 0 where none is live.") { .number($0.utilisation) },
      .init("start_failures", .integer, "Starts that failed in the last ten minutes.") { .integer($0.startFailures) },
      .init("grown_at", .optional(.number), "When it last grew for load, in seconds since 1970, since RunnerHub started.") {
        .optional($0.grownAt?.timeIntervalSince1970)
      },
      .init("shrunk_at", .optional(.number), "When it last shrank for want of load, in seconds since 1970, since RunnerHub started.") {
        .optional($0.shrunkAt?.timeIntervalSince1970)
      },
      .init("history", parts: sample, "How it stood in the last ten minutes: a sample a minute, oldest first.") { $0.history },
    ])

  static let queue = PolicyKind<QueueView>(
    .queue, doc: "The waiting jobs of one class: of one scope, runner group and set of labels.",
    fields: [
      .init("scope", .text, "Where their runners are registered: an organisation, or a repository.") { .text($0.queue.scope) },
      .init("group", .text, "Runner group; empty for the default one.") { .text($0.queue.group) },
      .init("labels", .labels, "What the jobs ask for.") { .labels($0.queue.labels.values) },
      .init("count", .integer, "Jobs that wait.") { .integer($0.queue.count) },
      .init("pool", .optional(.text), "The first pool that offers the labels.") { .optional($0.queue.pool) },
      .init("priority", .text, "Priority of the job that goes next.") { .text($0.queue.priority.word) },
      .init("waiting_seconds", "How long the job that goes next has waited.", since: { $0.queue.queuedAt }, at: { $0.now }),
      .init("forks", .boolean, "Whether a fork's job is among them.") { .bool($0.queue.holdsForkJob) },
    ])

  static let use = PolicyKind<PolicyUse>(
    .use, doc: "What the jobs of one repository hold.",
    fields: [
      .init("repository", .text, "`owner/name`.") { .text($0.repository) },
      .init("active", .integer, "Containers that its jobs hold.") { .integer($0.active) },
    ])

  static let waits = PolicyKind<PolicyWaits>(
    .waits, doc: "How long the jobs that started in the last ten minutes had waited.",
    fields: [
      .init("count", .integer, "Jobs that started.") { .integer($0.count) },
      .init("p50", .optional(.number), "Seconds that half of them did not exceed; absent where none started.") { .optional($0.p50) },
      .init("p95", .optional(.number), "Seconds that 95 % of them did not exceed; absent where none started.") { .optional($0.p95) },
    ])

  static let fleet = PolicyKind<PolicyFleet>(
    .fleet, doc: "Everything that RunnerHub runs, at one moment.",
    fields: [
      .init("now", .number, "The time, in seconds since 1970 (UTC). The only clock of a policy.") { .number($0.now.timeIntervalSince1970) },
      .init("clock", part: clock, "The same as the calendar has it.") { PolicyClock($0.now) },
      .init("pools", parts: pool, "All pools, as configured.") { $0.pools },
      .init("queue", parts: queue, "Classes with waiting jobs, the most urgent first; a hundred at most.") { fleet in
        fleet.queue.map { QueueView(queue: $0, now: fleet.now) }
      },
      .init("classes", .integer, "Classes with waiting jobs, all of them.") { .integer($0.classes) },
      .init("repositories", parts: use, "Repositories whose jobs hold containers, the largest first; a hundred at most.") {
        $0.repositories
      },
      .init("waits", part: waits, "Recent waits.") { $0.waits },
      .init("pending", .integer, "Queued jobs.") { .integer($0.pending) },
      .init("active", .integer, "Jobs that hold a container.") { .integer($0.active) },
      .init("total", .integer, "Live containers of all pools.") { .integer($0.total) },
      .init("idle", .integer, "Those that are ready and have no job.") { .integer($0.idle) },
      .init("busy", .integer, "Those with a job.") { .integer($0.busy) },
      .init("utilisation", .number, "Busy ÷ live containers of all pools, 0 to 1.") { .number($0.utilisation) },
      .init("draining", .boolean, "Whether RunnerHub is shutting down.") { .bool($0.isDraining) },
    ])

  static let container = PolicyKind<ContainerView>(
    .container, doc: "A candidate for a job: a warm container, or a new one of a pool.",
    fields: [
      .init("id", .text, "Identity; empty for a new one.") { .text($0.container.id) },
      .init("name", .text, "Short name.") { .text($0.container.name) },
      .init("pool", .text, "Name of its pool.") { .text($0.container.pool) },
      .init("engine", .text, "Where it runs: `docker`, `process`.") { .text($0.container.engine) },
      .init("image", .text, "What it is made from.") { .text($0.container.image) },
      .init("is_new", .boolean, "Whether it would have to be created.") { .bool($0.container.isNew) },
      .init("is_starting", .boolean, "Whether it is still being made.") { .bool($0.container.isStarting) },
      .init("labels", .labels, "What its runners offer.") { .labels($0.container.labels.values) },
      .init("cpus", .number, "CPU cores.") { .number(Double($0.container.resources.milliCPUs) / 1000) },
      .init("memory_mb", .integer, "Memory in MiB.") { .integer($0.container.resources.memory.mebibytes) },
      .init("disk_mb", .integer, "Disk in MiB.") { .integer($0.container.resources.disk.mebibytes) },
      .init("gpus", .integer, "GPUs.") { .integer($0.container.resources.gpus) },
      .init("uses", .integer, "Jobs given to it so far.") { .integer($0.container.uses) },
      .init("repository", .optional(.text), "Repository whose jobs it served, `owner/name`.") { .optional($0.container.repository) },
      .init("last_workflow", .optional(.text), "Workflow of the job that it served last.") { .optional($0.container.lastJob?.workflow) },
      .init("last_job", .optional(.text), "Name of the job that it served last.") { .optional($0.container.lastJob?.name) },
      .init("last_branch", .optional(.text), "Branch of the job that it served last.") { .optional($0.container.lastJob?.branch) },
      .init("failed_checks", .integer, "Health checks in a row that failed; an unhealthy container is no candidate.") {
        .integer($0.container.failedChecks)
      },
      .init("age_seconds", "Time since it was created.", since: { $0.container.createdAt }, at: { $0.now }),
      .init("idle_seconds", "Time since its last job, or since it was ready.", since: { $0.container.idleSince }, at: { $0.now }),
    ])
}
