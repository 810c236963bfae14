import Domain
import Foundation
import Policies

/// Everything that can be set, in the order of the documentation.
enum ConfigurationSchema {
  static let keys: [ConfigurationKey] =
    listeners + github + orchestrator + workflow + migration + storage + places + plugins + docker + sizes + pools

  private static let listeners = [
    ConfigurationKey(
      path: "webhooks.listen", kind: .address, standard: "127.0.0.1:8080", summary: "Where webhooks are taken: `POST /webhooks/github`."),
    ConfigurationKey(
      path: "webhooks.base-url", kind: .url(schemes: ["https", "http"]), environment: "WEBHOOK_BASE_URL",
      summary: "Address under which others reach RunnerHub; used for links in check runs and logs."),
    ConfigurationKey(
      path: "administration.listen", kind: .address, standard: "127.0.0.1:8081",
      summary: "Where health, metrics, the API and the status page are served. Loopback only: it has no log-in yet."),
  ]

  private static let github = [
    ConfigurationKey(
      path: "github.webhook-secret", kind: .nonEmpty, environment: "GITHUB_WEBHOOK_SECRET", isSecret: true,
      summary: "The secret that signs deliveries. Required."),
    ConfigurationKey(
      path: "github.token", kind: .nonEmpty, environment: "GITHUB_TOKEN", isSecret: true,
      summary: "A personal access token; results become commit statuses."),
    ConfigurationKey(
      path: "github.app-id", kind: .nonEmpty, environment: "GITHUB_APP_ID",
      summary: "Id or client id of a GitHub App; results become check runs."),
    ConfigurationKey(
      path: "github.app-private-key", kind: .nonEmpty, environment: "GITHUB_APP_PRIVATE_KEY", isSecret: true,
      summary: "The App's private key (PEM)."),
    ConfigurationKey(
      path: "github.organization", kind: .text, environment: "GITHUB_ORG",
      summary: "Runners are registered in this organisation; without it, in each job's repository."),
    ConfigurationKey(
      path: "github.api-url", kind: .url(schemes: ["https", "http"]), standard: "https://api.github.com", environment: "GITHUB_API_URL",
      summary: "The REST API; GitHub Enterprise Server: `https://HOST/api/v3`."),
    ConfigurationKey(
      path: "github.report", kind: .boolean, standard: "true", summary: "Whether results are written as check runs or commit statuses."),
    ConfigurationKey(
      path: "github.sweep-interval", kind: .integer(0...86_400), standard: "300",
      summary: "Seconds between two searches at GitHub for jobs that no webhook told of; 0: none."),
    ConfigurationKey(
      path: "github.sweep-questions", kind: .integer(3...10_000), standard: "100",
      summary: "Requests of one search: two for a repository, one for an unfinished run. What does not fit comes first in the next one."),
    ConfigurationKey(
      path: "github.sweep-memory", kind: .integer(1...8760), standard: "168",
      summary: "Hours after its last job for which a repository is searched. An organisation's latest pushes are searched too."),
  ]

  private static let orchestrator = [
    ConfigurationKey(
      path: "orchestrator.max-concurrent-jobs", kind: .integer(1...100_000), standard: "100",
      environment: "ORCHESTRATOR_MAX_CONCURRENT_JOBS",
      summary: "Jobs that hold a container at once."),
    ConfigurationKey(
      path: "orchestrator.container-pool-size", kind: .integer(1...100_000), standard: "200",
      environment: "ORCHESTRATOR_CONTAINER_POOL_SIZE",
      summary: "Containers over all pools together."),
    ConfigurationKey(
      path: "orchestrator.health-check-interval", kind: .integer(100...3_600_000), standard: "30000",
      environment: "ORCHESTRATOR_HEALTH_CHECK_INTERVAL", summary: "Milliseconds between two health checks."),
    ConfigurationKey(
      path: "orchestrator.metrics-interval", kind: .integer(100...3_600_000), standard: "60000",
      environment: "ORCHESTRATOR_METRICS_INTERVAL",
      summary: "Milliseconds between two samples of gauges when nothing changes."),
    ConfigurationKey(
      path: "orchestrator.strategy", kind: .choice(LoadBalancingStrategy.allCases.map(\.rawValue)), standard: "least-loaded",
      summary: "Breaks ties between containers, unless an affinity policy names another."),
    ConfigurationKey(
      path: "orchestrator.cpu-overcommitment", kind: .integer(1...64), standard: "4",
      summary: "How many times a host's cores may be promised to containers. Memory is never promised twice."),
    ConfigurationKey(
      path: "orchestrator.start-limit", kind: .integer(1...3600), standard: "120",
      summary: "Seconds that a started runner gets to take its job."),
    ConfigurationKey(
      path: "orchestrator.end-limit", kind: .integer(1...3600), standard: "30", summary: "Seconds that a runner gets to end after its job."),
    ConfigurationKey(
      path: "orchestrator.reconcile-after", kind: .integer(1...3600), standard: "60",
      summary: "Seconds without news after which a started or running job whose runner has ended is asked for at GitHub."),
    ConfigurationKey(
      path: "orchestrator.ask-again-after", kind: .integer(1...86_400), standard: "600",
      summary:
        "Seconds after which a job that waits, runs or belongs to others is asked for at GitHub, again and again; later where many wait, for ten are asked for in each health-check interval."
    ),
    ConfigurationKey(
      path: "orchestrator.max-tries", kind: .integer(1...100), standard: "5", summary: "Failed starts after which a job is given up."),
    ConfigurationKey(
      path: "orchestrator.definition-limit", kind: .integer(0...60_000), standard: "2000",
      summary: "Milliseconds that a job waits for its workflow file at most."),
    ConfigurationKey(
      path: "orchestrator.drain-limit", kind: .integer(0...86_400), standard: "300", summary: "Seconds that running jobs get after SIGTERM."
    ),
  ]

  private static let migration = [
    ConfigurationKey(
      path: "migration.traditional-labels", kind: .list,
      summary: "Labels of runners beside RunnerHub: they could take a job whose labels are all among these. Empty: none are known."),
    ConfigurationKey(
      path: "migration.fallback-after", kind: .integer(0...604_800), standard: "0",
      summary: "Seconds after which a job for which no container came is left to those runners; 0: it is not."),
  ]

  private static let storage = [
    ConfigurationKey(
      path: "store.url", kind: .url(schemes: ["sqlite"], refused: ["postgresql", "postgres"]), environment: "DATABASE_URL",
      summary: "`sqlite://PATH`; by default `runnerhub.sqlite` in the data directory. PostgreSQL is refused until it is there."),
    ConfigurationKey(
      path: "cache.url", kind: .url(schemes: [], refused: ["redis", "rediss"]), environment: "REDIS_URL",
      summary: "Redis is refused until it is there: leave it out."),
    ConfigurationKey(
      path: "data-directory", kind: .nonEmpty, standard: "data", summary: "Database, logs and containers of the process engine."),
  ]

  private static let places = [
    ConfigurationKey(
      path: "policies.directory", kind: .nonEmpty, standard: "policies", summary: "The folder of Lua policies, reloaded when it changes."),
    ConfigurationKey(
      path: "policies.watch", kind: .choice(PolicyWatch.Mode.allCases.map(\.rawValue)), standard: PolicyWatch.Mode.auto.rawValue,
      summary:
        "How a change of it is seen: `auto` by events of the kernel and a look each 10 seconds, `poll` by a look each second, `off` only by `runnerhub policy reload`."
    ),
    ConfigurationKey(
      path: "decisions.retention", kind: .integer(1...3650), standard: "30",
      summary: "Days for which decisions and what they were made from are kept: what `job explain` and `policy replay` read."),
    ConfigurationKey(
      path: "decisions.maximum", kind: .integer(1...1_000_000_000), standard: "1000000",
      summary: "Decisions that are kept at most; the oldest go first. A thousand of them with their inputs take about 1 MB."),
    ConfigurationKey(
      path: "logs.retention", kind: .integer(1...3650), standard: "30", summary: "Days for which logs of jobs are kept, compressed."),
    ConfigurationKey(
      path: "logs.maximum", kind: .size, standard: "20g", summary: "What all logs may take on disk; the oldest go first."),
    ConfigurationKey(
      path: "logs.largest", kind: .size, standard: "256m",
      summary: "What is kept of one job's log, before it is compressed. GitHub has the whole."),
    ConfigurationKey(
      path: "alerts.retention", kind: .integer(1...3650), standard: "90",
      summary: "Days for which alerts are kept once they are over, with what their notifiers were told."),
    ConfigurationKey(
      path: "registry.url", kind: .registry, environment: "CONTAINER_REGISTRY_URL",
      summary: "The approved registry: a pool without `images` of its own allows `REGISTRY/*` only."),
    ConfigurationKey(
      path: "log.level", kind: .choice(["trace", "debug", "info", "notice", "warning", "error", "critical"]), standard: "info",
      summary: "Least level that is logged."),
  ]

  private static let plugins = [
    ConfigurationKey(
      path: "plugins.directory", kind: .nonEmpty, standard: "plugins",
      summary:
        "The folder of plugins, one folder each. Nothing in it runs unless it is named below; changes are taken over while RunnerHub runs."),
    ConfigurationKey(path: "plugins.*.enabled", kind: .boolean, standard: "true", summary: "Whether this plugin of the folder is run."),
    ConfigurationKey(
      path: "plugins.*.grant", kind: .list,
      summary:
        "What it may do beyond reading its own folder and writing into its own directory: `network`, `environment:NAME`, `read:/PATH`, `write:/PATH`, `events:KIND`, `jobs`. One that asks for more is not started."
    ),
    ConfigurationKey(
      path: "plugins.*.configuration", kind: .tree,
      summary:
        "Its own settings, checked with the JSON Schema of its manifest. A text `secret://PLUGIN/PATH#FIELD` is filled in by a plugin of kind `secrets`."
    ),
    ConfigurationKey(
      path: "plugins.*.memory", kind: .size, standard: "512m", summary: "Memory of each of its processes. An engine's are not limited."),
    ConfigurationKey(
      path: "plugins.*.total-memory", kind: .size, standard: "2g",
      summary:
        "Memory of all its processes together: one that takes more is ended, which is a failure of it; never less than `memory`. Engines and GARM providers are not limited."
    ),
    ConfigurationKey(
      path: "plugins.*.disk", kind: .size, standard: "2g",
      summary: "What its directory may hold: one that fills more is ended, and not started while it does. An engine's is not limited."),
    ConfigurationKey(
      path: "plugins.*.processes", kind: .integer(1...4096), standard: "64",
      summary: "Its processes and threads at once. An engine's are not limited."
    ),
  ]

  private static let sizes =
    resources("sizes.large-runner", of: "a job with this label", cpus: 4, memory: "8g", disk: "20g")
    + resources("sizes.xlarge-runner", of: "a job with this label", cpus: 8, memory: "16g", disk: "40g")
    + resources("sizes.*", of: "a job with this label")

  private static let pools =
    [
      ConfigurationKey(
        path: "pools.*.engine", kind: .nonEmpty, standard: "process",
        summary:
          "Where its containers run: `process`, processes of this machine (**no isolation**); `docker`; or a plugin of kind engine or garm-provider by its name."
      ),
      ConfigurationKey(
        path: "pools.*.hosts", kind: .list,
        summary:
          "Engine `docker`: the hosts (section `hosts`; `docker` is the daemon of `docker.host`) on which its containers may be made. Empty: all."
      ),
      ConfigurationKey(
        path: "pools.*.image", kind: .nonEmpty, standard: "stand-in",
        summary:
          "Process engine: an absolute folder with `run.sh`, or `stand-in` for the emulator's runner. Docker: an image with `/home/runner/run.sh`."
      ),
      ConfigurationKey(
        path: "pools.*.labels", kind: .list, standard: "self-hosted, linux",
        summary: "What its runners may offer; a job fits when its labels are among them."),
    ] + resources("pools.*", of: "each container") + [
      ConfigurationKey(
        path: "pools.*.minimum", kind: .integer(0...100_000), standard: "0", summary: "Containers that exist even when nothing is to do."),
      ConfigurationKey(path: "pools.*.maximum", kind: .integer(0...100_000), standard: "4", summary: "Containers at most."),
      ConfigurationKey(
        path: "pools.*.warm", kind: .integer(0...100_000), standard: "1", summary: "Idle containers kept ready beyond the busy ones."),
      ConfigurationKey(
        path: "pools.*.definition", kind: .choice(DefinitionRule.allCases.map(\.rawValue)),
        summary: "Whether a job may run without its workflow file being known; `required` where images are limited, else `preferred`."),
      ConfigurationKey(
        path: "pools.*.images", kind: .list, summary: "Images that jobs may use in `container:`, `services:` and `docker://` steps."),
      ConfigurationKey(path: "pools.*.forks", kind: .boolean, standard: "false", summary: "Whether jobs of forks may run here."),
      ConfigurationKey(
        path: "pools.*.source", kind: .nonEmpty,
        summary: "The CI platform whose runner the image holds, by the name of its plugin (docs/sources.md); GitHub where it is left out."),
      ConfigurationKey(
        path: "pools.*.reuse", kind: .integer(1...10_000), standard: "1",
        summary: "Jobs of one repository that a container may serve; 1 is no reuse."),
      ConfigurationKey(
        path: "pools.*.reuse-age", kind: .integer(1...2_592_000), standard: "3600",
        summary: "Seconds after which a container is not used again."),
    ]

  private static func resources(
    _ section: String, of what: String, cpus: Int = 1, memory: String = "1g", disk: String = "10g"
  ) -> [ConfigurationKey] {
    [
      ConfigurationKey(path: "\(section).cpus", kind: .integer(1...1024), standard: "\(cpus)", summary: "CPU cores of \(what)."),
      ConfigurationKey(path: "\(section).memory", kind: .size, standard: memory, summary: "Memory of \(what)."),
      ConfigurationKey(path: "\(section).disk", kind: .size, standard: disk, summary: "Disk of \(what)."),
      ConfigurationKey(path: "\(section).gpus", kind: .integer(0...64), standard: "0", summary: "GPUs of \(what)."),
    ]
  }
}

// MARK: - Finding keys

extension ConfigurationSchema {
  /// The key of a full path; a name of the operator's own matches `*`. Every secret has a `-file` beside it.
  static func key(for path: String) -> ConfigurationKey? {
    let parts = path.components(separatedBy: ".")
    for key in keys {
      if matches(key.path.components(separatedBy: "."), parts) { return key }
      if key.isSecret, matches((key.path + "-file").components(separatedBy: "."), parts) {
        return ConfigurationKey(path: path, kind: .nonEmpty, summary: "File that holds \(path.dropLast(5)).")
      }
    }
    return nil
  }

  /// Whether a path is a key or the beginning of one.
  static func isKnown(_ path: [String]) -> Bool {
    if key(for: path.joined(separator: ".")) != nil { return true }
    return keys.contains { key in
      let parts = key.path.components(separatedBy: ".")
      return parts.count > path.count && matches(Array(parts.prefix(path.count)), path)
    }
  }

  /// Whether the words right below a section are names of the operator's own.
  static func takesNames(below parents: [String]) -> Bool { next(below: parents).contains("*") }

  /// The nearest valid key for an unknown one, as it would be written: a sibling, or the same word in another section.
  static func suggestion(for path: [String]) -> String? {
    guard let word = path.last else { return nil }
    let siblings = next(below: Array(path.dropLast())).subtracting(["*"])
    return Suggestion.nearest(to: word, among: siblings) ?? keys.map(\.path).first { !$0.contains("*") && $0.hasSuffix(".\(word)") }
  }

  /// A name of the operator's own. A pool's becomes part of container names; a size's is a label, in which case does not matter.
  static func isName(_ word: String, in section: String) -> Bool {
    (1...32).contains(word.count)
      && word.allSatisfy {
        $0.isASCII && ($0.isLowercase || $0.isNumber || $0 == "-" || (section == "sizes" && ($0.isLetter || $0 == "_")))
      }
  }

  static func expectedName(in section: String) -> String {
    section == "sizes" ? "letters, digits, - and _, at most 32" : "lower-case letters, digits and -, at most 32"
  }

  private static func next(below parents: [String]) -> Set<String> {
    var words: Set<String> = []
    for key in keys {
      let parts = key.path.components(separatedBy: ".")
      guard parts.count > parents.count, matches(Array(parts.prefix(parents.count)), parents) else { continue }
      words.insert(parts[parents.count])
      if key.isSecret, parts.count == parents.count + 1 { words.insert(parts[parents.count] + "-file") }
    }
    return words
  }

  private static func matches(_ pattern: [String], _ path: [String]) -> Bool {
    pattern.count == path.count && zip(pattern, path).allSatisfy { $0 == $1 || ($0 == "*" && isName($1, in: path[0])) }
  }
}
