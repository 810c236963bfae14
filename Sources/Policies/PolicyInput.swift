internal import Domain
internal import Foundation
internal import RunnerHub

/// What policies see, version 1 of it. One table a kind; the order is the order in the annotations.
package enum PolicyInput {
  /// The version that a policy file names in its field `api`.
  package static let version: Int64 = 1

  /// A job at a moment; affinity is asked without one.
  package struct JobView: Sendable {
    var job: PolicyJob
    var now: Date?
  }

  /// A candidate at a moment.
  package struct ContainerView: Sendable {
    var container: PolicyContainer
    var now: Date
  }

  static let estimate = PolicyKind<Estimate>(
    name: "estimate", doc: "What a job is expected to need.",
    fields: [
      .init("cpus", .number, "CPU cores.") { .number(Double($0.resources.milliCPUs) / 1000) },
      .init("memory_mb", .integer, "Memory in MiB.") { .integer($0.resources.memory.mebibytes) },
      .init("disk_mb", .integer, "Disk in MiB.") { .integer($0.resources.disk.mebibytes) },
      .init("gpus", .integer, "GPUs.") { .integer($0.resources.gpus) },
      .init("duration_seconds", .optional(.number), "Expected run time, where something is known of it.") { .optional($0.durationSeconds) },
    ])

  static let job = PolicyKind<JobView>(
    name: "job", doc: "One job of GitHub Actions.",
    fields: [
      .init("id", .text, "Identity: GitHub's job id, with the attempt where it is not the first.") { .text($0.job.id.rawValue) },
      .init("name", .text, "Name as GitHub shows it, with the matrix: `build (ubuntu, debug)`.") { .text($0.job.name) },
      .init("workflow", .optional(.text), "Name of the workflow.") { .optional($0.job.workflow) },
      .init("workflow_path", .optional(.text), "Path of the workflow file, where the run is known.") { .optional($0.job.workflowPath) },
      .init("repository", .text, "`owner/name`.") { .text($0.job.repository) },
      .init("owner", .text, "Owner of the repository.") { .text($0.job.owner) },
      .init("private", .boolean, "Whether the repository is private.") { .bool($0.job.isPrivate) },
      .init("labels", .labels, "Labels of `runs-on`, in lower case and sorted.") { .labels(Labels($0.job.labels).values) },
      .init("branch", .optional(.text), "Branch of the run's commit.") { .optional($0.job.branch) },
      .init("default_branch", .optional(.text), "Default branch of the repository, where it is known.") {
        .optional($0.job.defaultBranch)
      },
      .init("commit", .text, "The run's commit.") { .text($0.job.commit) },
      .init("event", .text, "Event that triggered the run (`push`, `schedule`), or `unknown`.") { .text($0.job.event) },
      .init("actor", .optional(.text), "Who triggered the run.") { .optional($0.job.actor) },
      .init("run_id", .integer, "GitHub's id of the run.") { .integer($0.job.runID) },
      .init("attempt", .integer, "Attempt of the run, from 1.") { .integer($0.job.attempt) },
      .init("environment", .optional(.text), "Deployment environment of the job's definition.") {
        .optional($0.job.environment)
      },
      .init("from_fork", .boolean, "Whether the code comes from a fork, as far as is known.") { .bool($0.job.isFromFork) },
      .init("estimate", .optional(.object("estimate")), "What it is expected to need, once estimated.") {
        $0.job.estimate.map(estimate.value(of:)) ?? .none
      },
      .init("tries", .integer, "Starts that failed so far.") { .integer($0.job.tries) },
      .init("waiting_seconds", .optional(.number), "How long it has waited; absent in affinity, which is asked without a time.") { view in
        .optional(view.now.map { max(0, $0.timeIntervalSince(view.job.createdAt)) })
      },
    ])

  static let pool = PolicyKind<PolicyPool>(
    name: "pool", doc: "Containers that share a template.",
    fields: [
      .init("name", .text, "Name in the configuration.") { .text($0.name) },
      .init("minimum", .integer, "Containers that exist even when nothing is to do.") { .integer($0.minimum) },
      .init("maximum", .integer, "Containers at most.") { .integer($0.maximum) },
      .init("warm", .integer, "Idle containers to keep ready beyond the busy ones.") { .integer($0.warm) },
      .init("total", .integer, "Live containers.") { .integer($0.total) },
      .init("idle", .integer, "Live containers without a job.") { .integer($0.idle) },
      .init("busy", .integer, "Live containers with a job.") { .integer($0.busy) },
      .init("pending", .integer, "Queued jobs that this pool could serve.") { .integer($0.pending) },
      .init("active", .integer, "Jobs that hold one of its containers.") { .integer($0.active) },
      .init("utilisation", .number, "Busy ÷ live containers, 0 to 1; 0 where none is live.") { .number($0.utilisation) },
    ])

  static let fleet = PolicyKind<PolicyFleet>(
    name: "fleet", doc: "Everything that RunnerHub runs, at one moment.",
    fields: [
      .init("now", .number, "The time, in seconds since 1970 (UTC). The only clock of a policy.") { .number($0.now.timeIntervalSince1970) },
      .init("pools", .list(.object("pool")), "All pools.") { .sealedList($0.pools.map(pool.value(of:))) },
      .init("pending", .integer, "Queued jobs.") { .integer($0.pending) },
      .init("active", .integer, "Jobs that hold a container.") { .integer($0.active) },
      .init("utilisation", .number, "Busy ÷ live containers of all pools, 0 to 1.") { .number($0.utilisation) },
      .init("draining", .boolean, "Whether RunnerHub is shutting down.") { .bool($0.isDraining) },
    ])

  static let container = PolicyKind<ContainerView>(
    name: "container", doc: "A candidate for a job: a warm container, or a new one of a pool.",
    fields: [
      .init("id", .text, "Identity; empty for a new one.") { .text($0.container.id) },
      .init("name", .text, "Short name.") { .text($0.container.name) },
      .init("pool", .text, "Name of its pool.") { .text($0.container.pool) },
      .init("is_new", .boolean, "Whether it would have to be created.") { .bool($0.container.isNew) },
      .init("labels", .labels, "What its runners offer.") { .labels($0.container.labels.values) },
      .init("cpus", .number, "CPU cores.") { .number(Double($0.container.resources.milliCPUs) / 1000) },
      .init("memory_mb", .integer, "Memory in MiB.") { .integer($0.container.resources.memory.mebibytes) },
      .init("disk_mb", .integer, "Disk in MiB.") { .integer($0.container.resources.disk.mebibytes) },
      .init("gpus", .integer, "GPUs.") { .integer($0.container.resources.gpus) },
      .init("uses", .integer, "Jobs given to it so far.") { .integer($0.container.uses) },
      .init("repository", .optional(.text), "Repository whose jobs it served, `owner/name`.") { .optional($0.container.repository) },
      .init("age_seconds", .number, "Time since it was created.") { .number(span(from: $0.container.createdAt, to: $0.now)) },
      .init("idle_seconds", .number, "Time since its last job, or since it was ready.") {
        .number(span(from: $0.container.idleSince, to: $0.now))
      },
    ])

  private static func span(from start: Date?, to now: Date) -> Double { start.map { max(0, now.timeIntervalSince($0)) } ?? 0 }

  /// All kinds, each after those that it is made of.
  package static let kinds: [PolicyKindDescription] = [
    estimate.description, job.description, pool.description, fleet.description, container.description,
  ]

  /// Kind → field → type, as a Lua state takes it.
  static let fieldTypes: [String: [String: String]] = Dictionary(
    kinds.map { kind in (kind.name, Dictionary(kind.fields.map { ($0.name, $0.type.word) }, uniquingKeysWith: { $1 })) },
    uniquingKeysWith: { $1 })
}
