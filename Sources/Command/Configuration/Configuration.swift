import Domain
import Foundation
import RunnerHub

/// A whole, valid configuration.
struct Configuration {
  let values: [String: SettledValue]

  /// Reads and checks file, environment and flags.
  /// - Parameter file: an explicit path; nil takes `runnerhub.yaml` in the working directory where it exists.
  /// - Throws: `ConfigurationError` with everything that is wrong.
  static func load(file: String?, environment: [String: String], flags: [String]) throws -> Configuration {
    var path = file
    if path == nil, FileManager.default.fileExists(atPath: "runnerhub.yaml") { path = "runnerhub.yaml" }
    let configuration = Configuration(values: try ConfigurationReader.read(file: path, environment: environment, flags: flags))
    try configuration.check()
    return configuration
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
    optional("store.url").map { String($0.dropFirst("sqlite://".count)) } ?? dataDirectory.appending(path: "runnerhub.sqlite").path
  }
  var policies: URL { URL(filePath: text("policies.directory"), directoryHint: .isDirectory) }
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
    settings.cpuOvercommitment = integer("orchestrator.cpu-overcommitment")
    settings.maximumTries = integer("orchestrator.max-tries")
    settings.definitionTimeLimit = .milliseconds(integer("orchestrator.definition-limit"))
    settings.reportsStatuses = text("github.report") == "true"
    settings.baseURL = optional("webhooks.base-url")
    for name in names(in: "sizes") { settings.sizes[name.lowercased()] = resources("sizes.\(name)") }
    return settings
  }

  /// In the order of their names; one pool for demonstration where none is configured.
  private var pools: [Pool] {
    let configured = names(in: "pools")
    return (configured.isEmpty ? ["default"] : configured).map(pool)
  }

  private func pool(_ name: String) -> Pool {
    func value(_ key: String) -> String { optional("pools.\(name).\(key)") ?? Self.standard("pools.*.\(key)") ?? "" }
    func number(_ key: String) -> Int { Int(value(key)) ?? 0 }
    let images = optional("pools.\(name).images").map(Self.list) ?? optional("registry.url").map { [Self.registryPattern($0)] }
    let uses = number("reuse")
    return Pool(
      name: name, engine: value("engine"), image: value("image"), labels: Labels(Self.list(value("labels"))), resources: resources("pools.\(name)"),
      minimum: number("minimum"), maximum: number("maximum"), warm: number("warm"),
      definition: optional("pools.\(name).definition").flatMap(DefinitionRule.init), allowedImages: images, acceptsForks: value("forks") == "true",
      reuse: uses > 1 ? ReuseRule(maximumUses: uses, maximumAgeSeconds: Double(number("reuse-age"))) : .never)
  }

  private func resources(_ section: String) -> Resources {
    let pattern = section.split(separator: ".").first.map { "\($0).*" } ?? ""
    func value(_ key: String) -> String { optional("\(section).\(key)") ?? Self.standard("\(pattern).\(key)") ?? "" }
    return Resources(
      milliCPUs: (Int(value("cpus")) ?? 1) * 1000, memory: ByteCount(text: value("memory")) ?? ByteCount(gibibytes: 1),
      disk: ByteCount(text: value("disk")) ?? ByteCount(gibibytes: 10), gpus: Int(value("gpus")) ?? 0)
  }

  // MARK: - Checks that look at more than one value

  private func check() throws {
    var problems: [String] = []
    func place(_ path: String) -> String { values[path].map { "\($0.place)" } ?? "not set" }
    if let url = optional("store.url"), !url.hasPrefix("sqlite://") {
      problems.append("store.url names PostgreSQL (\(place("store.url"))): this version keeps its state in SQLite only; use sqlite://PATH or leave it out")
    }
    if optional("cache.url") != nil {
      problems.append("cache.url names Redis (\(place("cache.url"))): this version does not use Redis; leave it out")
    }
    if optional("github.webhook-secret") == nil {
      problems.append("github.webhook-secret is not set: give the webhook's secret by GITHUB_WEBHOOK_SECRET, GITHUB_WEBHOOK_SECRET_FILE or in the file")
    }
    let hasApp = optional("github.app-id") != nil
    if hasApp != (optional("github.app-private-key") != nil) { problems.append("github.app-id and github.app-private-key are needed together") }
    if !hasApp, token == nil {
      problems.append("no credentials for GitHub: set github.token (GITHUB_TOKEN) or github.app-id and github.app-private-key")
    }
    if hasApp, token != nil { problems.append("github.token (\(place("github.token"))) and github.app-id (\(place("github.app-id"))) are both set: choose one") }
    if !administration.isLoopback {
      problems.append("administration.listen is \(administration) (\(place("administration.listen"))): expected a loopback address, since it has no log-in yet")
    }
    for name in names(in: "pools") {
      let pool = pool(name)
      if pool.minimum > pool.maximum {
        problems.append("pools.\(name).minimum is \(pool.minimum) (\(place("pools.\(name).minimum"))): expected at most the maximum, which is \(pool.maximum)")
      }
      if pool.labels.isEmpty { problems.append("pools.\(name).labels is empty (\(place("pools.\(name).labels"))): expected at least one label") }
    }
    if !problems.isEmpty { throw ConfigurationError(problems: problems) }
  }

  // MARK: - Reading values

  private func text(_ path: String) -> String { values[path]?.text ?? "" }
  private func optional(_ path: String) -> String? { values[path].map(\.text).flatMap { $0.isEmpty ? nil : $0 } }
  private func integer(_ path: String) -> Int { Int(text(path)) ?? 0 }
  private func names(in section: String) -> [String] {
    Set(values.keys.filter { $0.hasPrefix("\(section).") }.compactMap { $0.split(separator: ".").dropFirst().first.map(String.init) }).sorted()
  }
  private static func standard(_ path: String) -> String? { ConfigurationSchema.keys.first { $0.path == path }?.standard }
  private static func list(_ text: String) -> [String] {
    text.split(separator: ",").map { $0.trimmingCharacters(in: .whitespaces) }.filter { !$0.isEmpty }
  }
  /// `https://registry.acme.com/` → `registry.acme.com/*`
  private static func registryPattern(_ text: String) -> String {
    var host = text
    for scheme in ["https://", "http://"] where host.hasPrefix(scheme) { host = String(host.dropFirst(scheme.count)) }
    while host.hasSuffix("/") { host.removeLast() }
    return host + "/*"
  }
}

extension ListenAddress {
  /// Never reached by a checked configuration: an address is validated when it is read.
  static let fallback = ListenAddress(host: "127.0.0.1", port: 0)
  private init(host: String, port: Int) {
    self.host = host
    self.port = port
  }
  var isLoopback: Bool { host == "localhost" || host == "::1" || host.hasPrefix("127.") }
}
