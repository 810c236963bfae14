internal import Domain
internal import Foundation
internal import RunnerHub

/// What policies see, version 1 of it. One table a kind; the order is the order in the annotations.
package enum PolicyInput {
  /// The version that a policy file names in its field `api`.
  package static let version: Int64 = 1

  /// A job at the moment of a question.
  package struct JobView: Sendable {
    var job: PolicyJob
    /// nil: without a time, for what does not ask for one.
    var now: Date?
  }

  static let clock = PolicyKind<PolicyClock>(
    .clock, doc: "A moment as the calendar has it, in UTC. For local time, see `lib/schedule.lua`.",
    fields: [
      .init("seconds", .integer, "Seconds since 1970.") { .integer($0.seconds) },
      .init("year", .integer, "Year.") { .integer($0.year) },
      .init("month", .integer, "Month, from 1.") { .integer($0.month) },
      .init("day", .integer, "Day of the month, from 1.") { .integer($0.day) },
      .init("hour", .integer, "Hour, 0 to 23.") { .integer($0.hour) },
      .init("minute", .integer, "Minute, 0 to 59.") { .integer($0.minute) },
      .init("weekday", .integer, "Day of the week: 1 is Monday, 7 is Sunday.") { .integer($0.weekday) },
    ])

  static let estimate = PolicyKind<Estimate>(
    .estimate, doc: "What a job is expected to need.",
    fields: [
      .init("cpus", .number, "CPU cores.") { .number(Double($0.resources.milliCPUs) / 1000) },
      .init("memory_mb", .integer, "Memory in MiB.") { .integer($0.resources.memory.mebibytes) },
      .init("disk_mb", .integer, "Disk in MiB.") { .integer($0.resources.disk.mebibytes) },
      .init("gpus", .integer, "GPUs.") { .integer($0.resources.gpus) },
      .init("duration_seconds", .optional(.number), "Expected run time, where something is known of it.") { .optional($0.durationSeconds) },
      .init("sources", .list(.text), "Where the numbers come from, in words: `CPUs, memory: label large-runner`.") {
        .list(of: $0.sources)
      },
      .init("priority", .optional(.text), "Priority that the repository asks for in `.github/runnerhub.yaml`, within the host's bound.") {
        .optional($0.priorityHint?.word)
      },
      .init("affinity", .list(.text), "Words for affinity from the same file.") { .list(of: $0.affinityHints ?? []) },
    ])

  static let definition = PolicyKind<DefinitionFinding.Definition>(
    .definition, doc: "A job's text in its workflow file. Texts are as written, and may hold expressions.",
    fields: [
      .init("path", .text, "Path of the workflow file.") { .text($0.path) },
      .init("called_workflow", .optional(.text), "The called workflow that it stands in, as `uses` names it; absent: that file itself.") {
        .optional($0.calledWorkflow)
      },
      .init("key", .text, "The job's key under `jobs`.") { .text($0.key) },
      .init("exact", .boolean, "Whether name and labels told the job and its matrix for certain; else a pattern did.") {
        .bool($0.isExact)
      },
      .init("environment", .optional(.text), "Deployment environment.") { .optional($0.environment) },
      .init("timeout_minutes", .optional(.number), "`timeout-minutes`, where it is a number.") { .optional($0.timeoutMinutes) },
      .init("images", .list(.text), "Images of its container, its services and its `docker://` steps.") { .list(of: $0.images) },
      .init("container", .optional(.text), "Image of its own container; absent where steps run on the runner itself.") {
        .optional($0.container)
      },
      .init("services", .list(.text), "Names of its services.") { .list(of: $0.services ?? []) },
      .init("needs", .list(.text), "Keys of the jobs that had to end first.") { .list(of: $0.needs ?? []) },
      .init(
        "matrix", .map(.text), "The values of its matrix: `matrix.os`. Empty where there is none, or the file alone does not decide it."
      ) {
        .map(of: $0.matrix ?? [:])
      },
      .init("runner_group", .optional(.text), "`runs-on.group`.") { .optional($0.runnerGroup) },
      .init("concurrency", .optional(.text), "Concurrency group, of the job or else of the workflow.") { .optional($0.concurrencyGroup) },
      .init("permissions", .optional(.map(.text)), "What its token may do, by scope (`*` for all); absent: the repository's standard.") {
        $0.permissions.map(LuaValue.map(of:)) ?? .none
      },
    ])

  static let job = PolicyKind<JobView>(
    .job, doc: "One job of GitHub Actions.",
    fields: [
      .init("id", .text, "Identity: GitHub's job id, with the attempt where it is not the first.") { .text($0.job.id.rawValue) },
      .init("github_id", .integer, "GitHub's id of the job.") { .integer($0.job.forgeID) },
      .init("name", .text, "Name as GitHub shows it, with the matrix: `build (ubuntu, debug)`.") { .text($0.job.name) },
      .init("workflow", .optional(.text), "Name of the workflow.") { .optional($0.job.workflow) },
      .init("workflow_path", .optional(.text), "Path of the workflow file, where the run is known.") { .optional($0.job.workflowPath) },
      .init("source", .optional(.text), "CI platform that it comes from, by the name of its plugin; absent: GitHub.") {
        .optional($0.job.source)
      },
      .init("repository", .text, "`owner/name`; of another source than GitHub after its name: `gitlab:group/project`.") {
        .text($0.job.repository)
      },
      .init("owner", .text, "Owner of the repository.") { .text($0.job.owner) },
      .init("organization", .optional(.text), "Organisation that the delivery named.") { .optional($0.job.organization) },
      .init("installation_id", .optional(.integer), "Installation of the App that the delivery named.") {
        $0.job.installationID.map(LuaValue.integer) ?? .none
      },
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
      .init("url", .optional(.text), "The job's page at GitHub.") { .optional($0.job.htmlURL) },
      .init("environment", .optional(.text), "Deployment environment of the job's definition.") {
        .optional($0.job.environment)
      },
      .init("definition", optional: definition, "Its text in the workflow file, where it was found.") { $0.job.definition },
      .init("from_fork", .boolean, "Whether the code comes from a fork, as far as is known.") { .bool($0.job.isFromFork) },
      .init("trust", .text, "Whose code it runs: `own`, `fork`, or `unknown` where its run could not be looked up.") {
        .text($0.job.trust.rawValue)
      },
      .init("estimate", optional: estimate, "What it is expected to need, once estimated.") { $0.job.estimate },
      .init("tries", .integer, "Starts that failed so far.") { .integer($0.job.tries) },
      .init("created_at", .number, "When GitHub made it, in seconds since 1970.") { .number($0.job.createdAt.timeIntervalSince1970) },
      .init("waiting_seconds", .optional(.number), "How long it has waited.") { view in
        .optional(view.now.map { max(0, $0.timeIntervalSince(view.job.createdAt)) })
      },
      .init("clock", optional: clock, "When the question is asked. For affinity, which is not given the fleet.") {
        $0.now.map(PolicyClock.init)
      },
    ])

  /// All kinds, each after those that it is made of.
  package static let kinds: [PolicyKindDescription] = [
    clock.description, estimate.description, definition.description, job.description, sample.description, pool.description,
    queue.description, use.description, waits.description, fleet.description, container.description,
  ]

  /// Kind → field → type, as a Lua state takes it.
  static let fieldTypes: [String: [String: String]] = Dictionary(
    kinds.map { kind in (kind.name, Dictionary(kind.fields.map { ($0.name, $0.type.word) }, uniquingKeysWith: { $1 })) },
    uniquingKeysWith: { $1 })
}
