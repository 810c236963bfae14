import Domain
import Foundation
import Policies
import RunnerHub
import Workflow

/// A whole, valid configuration.
struct Configuration {
  let values: [String: SettledValue]
  /// Of pools, sizes and plugins, in the order in which they first appear.
  let names: [String: [String]]
  /// Where sections with such names begin, and where the parts of a tree stand.
  let sections: [String: SettledValue.Place]
  let trees: [String: [String: SettledValue.Place]]

  /// Reads and checks file, environment and flags.
  /// - Parameter file: an explicit path; nil takes `runnerhub.yaml` in the working directory where it exists.
  /// - Throws: `ConfigurationError` with everything that is wrong.
  static func load(file: String?, environment: [String: String], flags: [String]) throws -> Configuration {
    try Configuration(ConfigurationReader.read(file: file ?? presentFile, environment: environment, flags: flags))
  }

  /// The file that is taken where none is named.
  static var presentFile: String? { FileManager.default.fileExists(atPath: "runnerhub.yaml") ? "runnerhub.yaml" : nil }

  /// Reads a file for its pools and limits only: credentials may be missing, and neither the environment nor a file with a secret is read.
  static func rehearsed(file: String) throws -> Configuration {
    let reading = ConfigurationReader.read(file: file, environment: [:], flags: []) { path in
      path == file ? try ConfigurationFile.text(path) : "not read"
    }
    return try Configuration(reading, needsCredentials: false)
  }

  /// - Throws: `ConfigurationError` with what the reading found, and what is wrong between the values that could be read.
  init(_ reading: ConfigurationReader.Reading, needsCredentials: Bool = true) throws {
    values = reading.values
    names = reading.names
    sections = reading.sections
    trees = reading.trees
    let problems =
      reading.problems + (reading.isIncomplete ? [] : contradictions(rejected: reading.rejected, needsCredentials: needsCredentials))
    if !problems.isEmpty { throw ConfigurationError(problems: problems) }
  }

  // MARK: - Sections

  var webhooks: ListenAddress { ListenAddress(text("webhooks.listen")) ?? .fallback }
  var administration: ListenAddress { ListenAddress(text("administration.listen")) ?? .fallback }
  var webhookSecret: String { text("github.webhook-secret") }
  var token: String? { optional("github.token") }
  var app: (id: String, privateKey: String)? {
    guard let id = optional("github.app-id"), let key = optional("github.app-private-key") else { return nil }
    return (id, key)
  }
  var apiURL: String { text("github.api-url") }
  var dataDirectory: URL { URL(filePath: text("data-directory"), directoryHint: .isDirectory) }
  var databasePath: String {
    optional("store.url").flatMap { ConfigurationKey.rest(of: $0, after: "sqlite") }
      ?? dataDirectory.appending(path: "runnerhub.sqlite").path
  }
  var policies: URL { URL(filePath: text("policies.directory"), directoryHint: .isDirectory) }
  var policyWatch: PolicyWatch.Mode { PolicyWatch.Mode(rawValue: text("policies.watch")) ?? .auto }
  var logLevel: String { text("log.level") }
  var drainLimit: TimeInterval { TimeInterval(integer("orchestrator.drain-limit")) }
  var metricsInterval: TimeInterval { TimeInterval(integer("orchestrator.metrics-interval")) / 1000 }

  /// What the core is told.
  var settings: Settings {
    var settings = Settings(scope: optional("github.organization").map { .organization($0) } ?? .repository, pools: pools)
    settings.maximumConcurrentJobs = integer("orchestrator.max-concurrent-jobs")
    settings.containerPoolSize = integer("orchestrator.container-pool-size")
    settings.healthCheckInterval = .milliseconds(integer("orchestrator.health-check-interval"))
    settings.strategy = LoadBalancingStrategy(rawValue: text("orchestrator.strategy")) ?? .leastLoaded
    settings.startTimeLimit = TimeInterval(integer("orchestrator.start-limit"))
    settings.endTimeLimit = TimeInterval(integer("orchestrator.end-limit"))
    settings.reconcileAfter = TimeInterval(integer("orchestrator.reconcile-after"))
    settings.askAgainAfter = TimeInterval(integer("orchestrator.ask-again-after"))
    settings.sweepInterval = .seconds(integer("github.sweep-interval"))
    settings.sweepQuestions = integer("github.sweep-questions")
    settings.sweepMemory = TimeInterval(integer("github.sweep-memory")) * 3600
    settings.decisionRetention = TimeInterval(integer("decisions.retention")) * 86_400
    settings.maximumDecisions = integer("decisions.maximum")
    settings.logRetention = TimeInterval(integer("logs.retention")) * 86_400
    settings.maximumLogs = ByteCount(text: text("logs.maximum")) ?? settings.maximumLogs
    settings.largestLog = ByteCount(text: text("logs.largest")) ?? settings.largestLog
    settings.alertRetention = TimeInterval(integer("alerts.retention")) * 86_400
    settings.cpuOvercommitment = integer("orchestrator.cpu-overcommitment")
    settings.maximumTries = integer("orchestrator.max-tries")
    settings.definitionTimeLimit = .milliseconds(integer("orchestrator.definition-limit"))
    settings.workflow = workflow
    settings.reportsStatuses = text("github.report") == "true"
    settings.baseURL = optional("webhooks.base-url")
    settings.startsByEngine = dockerStarts
    let fallbackAfter = integer("migration.fallback-after")
    settings.migration = MigrationSettings(
      traditionalLabels: Labels(Self.list(text("migration.traditional-labels"))),
      fallbackAfter: fallbackAfter > 0 ? TimeInterval(fallbackAfter) : nil)
    for name in names["sizes"] ?? [] { settings.sizes[name.lowercased()] = resources("sizes.\(name)") }
    return settings
  }

  /// How the rules of workflow files are graded, by their names.
  var ruleGrades: [String: String] { ConfigurationSchema.grades(in: values) }

  private var workflow: WorkflowSettings {
    WorkflowSettings(
      // Never the standard because of an error: that was found when the configuration was checked.
      rules: (try? RuleSettings(ruleGrades)) ?? RuleSettings(), readsHints: text("workflow.hints") == "true",
      highestPriority: Priority(word: text("workflow.highest-priority")) ?? .high)
  }

  var pools: [Pool] { (names["pools"] ?? []).map(pool) }

  private func pool(_ name: String) -> Pool {
    func value(_ key: String) -> String { text("pools.\(name).\(key)") }
    func number(_ key: String) -> Int { integer("pools.\(name).\(key)") }
    let images =
      optional("pools.\(name).images").map(Self.list) ?? optional("registry.url").map { ["\(ConfigurationKey.registryHost($0))/*"] }
    let uses = number("reuse")
    return Pool(
      name: name, engine: value("engine"), image: value("image"), labels: Labels(Self.list(value("labels"))),
      resources: resources("pools.\(name)"),
      minimum: number("minimum"), maximum: number("maximum"), warm: number("warm"),
      definition: optional("pools.\(name).definition").flatMap(DefinitionRule.init), allowedImages: images,
      acceptsForks: value("forks") == "true",
      reuse: uses > 1 ? ReuseRule(maximumUses: uses, maximumAgeSeconds: Double(number("reuse-age"))) : .never,
      source: optional("pools.\(name).source"), hosts: hosts(ofPool: name, engine: value("engine")))
  }

  private func resources(_ section: String) -> Resources {
    Resources(
      milliCPUs: integer("\(section).cpus") * 1000, memory: ByteCount(text: text("\(section).memory")) ?? ByteCount(gibibytes: 1),
      disk: ByteCount(text: text("\(section).disk")) ?? ByteCount(gibibytes: 10), gpus: integer("\(section).gpus"))
  }

  // MARK: - Checks that look at more than one value

  /// - Parameter rejected: paths whose value could not be read; nothing is said about them a second time.
  private func contradictions(rejected: Set<String>, needsCredentials: Bool) -> [String] {
    var problems: [String] = []
    func place(_ path: String) -> String { values[path].map { "\($0.place)" } ?? "not set" }

    if let url = optional("store.url"), ConfigurationSchema.key(for: "store.url")?.refuses(url) == true {
      problems.append(
        "store.url names PostgreSQL (\(place("store.url"))): this version keeps its state in SQLite only; use sqlite://PATH or leave it out"
      )
    }
    if optional("cache.url") != nil {
      problems.append("cache.url names Redis (\(place("cache.url"))): this version does not use Redis; leave it out")
    }
    do { _ = try RuleSettings(ruleGrades) } catch { problems.append("workflow.rules: \(error)") }
    problems += pluginProblems
    if needsCredentials { problems += missingCredentials(rejected: rejected) }
    if !administration.isLoopback {
      problems.append(
        "administration.listen is \(administration) (\(place("administration.listen"))): expected a loopback address, since it has no log-in yet"
      )
    }
    problems += dockerProblems
    if integer("migration.fallback-after") > 0, optional("migration.traditional-labels") == nil,
      !rejected.contains("migration.traditional-labels")
    {
      problems.append(
        "migration.fallback-after is \(text("migration.fallback-after")) (\(place("migration.fallback-after"))): jobs are left to no one; name the labels of traditional runners by migration.traditional-labels"
      )
    }
    for pool in pools {
      let section = "pools.\(pool.name)"
      problems += engineProblems(of: pool, place: place("\(section).engine"))
      if pool.minimum > pool.maximum {
        problems.append(
          "\(section).minimum is \(pool.minimum) (\(place("\(section).minimum"))): expected at most the maximum, which is \(pool.maximum) (\(place("\(section).maximum")))"
        )
      }
      if pool.labels.isEmpty, !rejected.contains("\(section).labels") {
        problems.append("\(section).labels is empty (\(place("\(section).labels"))): expected at least one label")
      }
      if pool.engine == "process", pool.image != "stand-in", !pool.image.hasPrefix("/") {
        problems.append(
          "\(section).image is \"\(pool.image)\" (\(place("\(section).image"))): expected stand-in or an absolute folder with run.sh")
      }
      if pool.engine == "docker", pool.image == "stand-in" || pool.image.hasPrefix("/") {
        problems.append(
          "\(section).image is \"\(pool.image)\" (\(place("\(section).image"))): expected the name of a Docker image, such as ghcr.io/actions/actions-runner:2.336.0"
        )
      }
    }
    return problems
  }

  /// An engine is one of ours, or a plugin that the configuration names.
  private func engineProblems(of pool: Pool, place: String) -> [String] {
    let known = ["process", "docker"] + (names["plugins"] ?? [])
    guard !known.contains(pool.engine) else { return [] }
    let near = Suggestion.nearest(to: pool.engine, among: known).map { " – did you mean \($0)?" } ?? ""
    return [
      "pools.\(pool.name).engine is \"\(pool.engine)\" (\(place)): expected process, docker or a plugin of the section plugins\(near)"
    ]
  }

  /// What GitHub wants of a server.
  private func missingCredentials(rejected: Set<String>) -> [String] {
    var problems: [String] = []
    func place(_ path: String) -> String { values[path].map { "\($0.place)" } ?? "not set" }
    func isAbsent(_ path: String) -> Bool { optional(path) == nil && !rejected.contains(path) }
    func isGiven(_ path: String) -> Bool { optional(path) != nil || rejected.contains(path) }

    if isAbsent("github.webhook-secret") {
      problems.append(
        "github.webhook-secret is not set: give the webhook's secret by GITHUB_WEBHOOK_SECRET, GITHUB_WEBHOOK_SECRET_FILE or in the file")
    }
    if isGiven("github.app-id") != isGiven("github.app-private-key") {
      problems.append("github.app-id and github.app-private-key are needed together")
    } else if isGiven("github.app-id"), isGiven("github.token") {
      problems.append(
        "github.token (\(place("github.token"))) and github.app-id (\(place("github.app-id"))) are both set: choose one")
    } else if !isGiven("github.app-id"), !isGiven("github.token") {
      problems.append("no credentials for GitHub: set github.token (GITHUB_TOKEN) or github.app-id and github.app-private-key")
    }
    return problems
  }

  // MARK: - Reading values

  func text(_ path: String) -> String { values[path]?.text ?? "" }
  func optional(_ path: String) -> String? { values[path].map(\.text).flatMap { $0.isEmpty ? nil : $0 } }
  func integer(_ path: String) -> Int { Int(text(path)) ?? 0 }
  static func list(_ text: String) -> [String] {
    text.split(separator: ",").map { $0.trimmingCharacters(in: .whitespaces) }.filter { !$0.isEmpty }
  }
}

/// A configuration that is printed, logged or dumped shows no secret.
extension Configuration: CustomStringConvertible, CustomReflectable {
  /// Every value as people may see it, by path.
  var shown: [(path: String, value: String, source: String)] {
    values.sorted { $0.key < $1.key }.map { path, value in
      (path, Disclosure.value(value.text, of: ConfigurationSchema.key(for: path)), "\(value.place)")
    }
  }

  var description: String { shown.map { "\($0.path): \($0.value)" }.joined(separator: ", ") }
  var customMirror: Mirror { Mirror(self, children: shown.map { (label: $0.path, value: $0.value as Any) }) }
}

extension ListenAddress {
  /// Never reached by a checked configuration: an address is validated when it is read.
  static let fallback = ListenAddress(host: "127.0.0.1", port: 0)
  private init(host: String, port: Int) {
    self.host = host
    self.port = port
  }
}
