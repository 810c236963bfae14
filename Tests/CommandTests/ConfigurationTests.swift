import Domain
import Engines
import Foundation
import RunnerHub
import Testing

@testable import Command

@Suite("Configuration: values and where they come from")
struct ConfigurationTests {
  @Test(
    "every name of the environment sets its key",
    arguments: [
      ("ORCHESTRATOR_MAX_CONCURRENT_JOBS", "orchestrator.max-concurrent-jobs", "17"),
      ("ORCHESTRATOR_CONTAINER_POOL_SIZE", "orchestrator.container-pool-size", "18"),
      ("ORCHESTRATOR_HEALTH_CHECK_INTERVAL", "orchestrator.health-check-interval", "1900"),
      ("ORCHESTRATOR_METRICS_INTERVAL", "orchestrator.metrics-interval", "2000"),
      ("GITHUB_WEBHOOK_SECRET", "github.webhook-secret", "another"), ("GITHUB_TOKEN", "github.token", "ghp_another"),
      ("GITHUB_ORG", "github.organization", "acme"), ("DATABASE_URL", "store.url", "sqlite:///var/lib/runnerhub/db"),
      ("WEBHOOK_BASE_URL", "webhooks.base-url", "https://hub.acme.com"), ("CONTAINER_REGISTRY_URL", "registry.url", "registry.acme.com"),
    ])
  func environment(name: String, path: String, value: String) throws {
    let configuration = try Given(environment: [name: value]).configuration()
    #expect(configuration.values[path] == SettledValue(text: value, place: .environment(name)))
  }

  @Test("REDIS_URL is known and refused, not ignored")
  func redis() {
    #expect(
      Given(environment: ["REDIS_URL": "redis://cache:6379"]).problems == [
        "cache.url names Redis (environment variable REDIS_URL): this version does not use Redis; leave it out"
      ])
  }

  @Test("values reach the settings in their units")
  func settings() throws {
    let configuration = try Given(environment: [
      "ORCHESTRATOR_MAX_CONCURRENT_JOBS": "17", "ORCHESTRATOR_CONTAINER_POOL_SIZE": "18", "ORCHESTRATOR_HEALTH_CHECK_INTERVAL": "1900",
      "ORCHESTRATOR_METRICS_INTERVAL": "2500", "GITHUB_ORG": "acme", "WEBHOOK_BASE_URL": "https://hub.acme.com",
    ]).configuration()
    #expect(configuration.settings.maximumConcurrentJobs == 17)
    #expect(configuration.settings.containerPoolSize == 18)
    #expect(configuration.settings.healthCheckInterval == .milliseconds(1900))
    #expect(configuration.metricsInterval == 2.5)
    #expect(configuration.settings.scope == .organization("acme"))
    #expect(configuration.settings.baseURL == "https://hub.acme.com")
  }

  @Test("without any setting the settings are the core's own, with one pool")
  func defaults() throws {
    let settings = try Given().configuration().settings
    let core = Settings(scope: .repository, pools: [])
    #expect(settings.scope == .repository)
    #expect(settings.maximumConcurrentJobs == core.maximumConcurrentJobs)
    #expect(settings.containerPoolSize == core.containerPoolSize)
    #expect(settings.maximumTries == core.maximumTries)
    #expect(settings.startTimeLimit == core.startTimeLimit)
    #expect(settings.endTimeLimit == core.endTimeLimit)
    #expect(settings.definitionTimeLimit == core.definitionTimeLimit)
    #expect(settings.healthCheckInterval == core.healthCheckInterval)
    #expect(settings.strategy == core.strategy)
    #expect(settings.cpuOvercommitment == core.cpuOvercommitment)
    #expect(settings.sizes == core.sizes)
    #expect(settings.pools.map(\.name) == ["default"])
    #expect(settings.pools[0].labels == ["self-hosted", "linux"])
    #expect(settings.pools[0].allowedImages == nil)
  }

  @Test("every default is a value that its key accepts", arguments: ConfigurationSchema.keys.filter { $0.standard != nil }.map(\.path))
  func acceptedDefaults(path: String) throws {
    let key = try #require(ConfigurationSchema.keys.first { $0.path == path })
    #expect(key.accepts(try #require(key.standard)))
  }

  @Test("a flag overrides the environment, which overrides the file")
  func precedence() throws {
    let file = "orchestrator: { max-concurrent-jobs: 1, container-pool-size: 1, max-tries: 1 }"
    let environment = ["ORCHESTRATOR_MAX_CONCURRENT_JOBS": "2", "ORCHESTRATOR_CONTAINER_POOL_SIZE": "2"]
    let configuration = try Given(file, environment: environment, flags: ["--orchestrator.max-concurrent-jobs=3"]).configuration()
    #expect(configuration.settings.maximumConcurrentJobs == 3)
    #expect(configuration.settings.containerPoolSize == 2)
    #expect(configuration.settings.maximumTries == 1)
    #expect(configuration.values["orchestrator.max-concurrent-jobs"]?.place == .flag("--orchestrator.max-concurrent-jobs"))
    #expect(configuration.values["orchestrator.max-tries"]?.place == .file("runnerhub.yaml", line: 1, column: 76))
  }

  @Test("an empty variable counts as not set")
  func emptyVariable() throws {
    let configuration = try Given(environment: ["ORCHESTRATOR_MAX_CONCURRENT_JOBS": "", "GITHUB_TOKEN_FILE": "", "REDIS_URL": ""])
      .configuration()
    #expect(configuration.settings.maximumConcurrentJobs == 100)
  }

  @Test(
    "every secret can come from a file named by the environment or by the configuration file",
    arguments: ConfigurationSchema.keys.filter { $0.isSecret && $0.environment != nil }.map(\.path))
  func secretFiles(path: String) throws {
    let variable = try #require(ConfigurationSchema.key(for: path)?.environment)
    var given = Given(files: ["/run/secrets/s": "from a file\n"])
    given.environment = ["GITHUB_WEBHOOK_SECRET": "s", "GITHUB_TOKEN": "t"]
    if path == "github.app-private-key" {
      given.environment["GITHUB_TOKEN"] = nil
      given.environment["GITHUB_APP_ID"] = "7"
    }
    given.environment[variable] = nil
    var byFile = given
    given.environment[variable + "_FILE"] = "/run/secrets/s"
    #expect(try given.configuration().values[path] == SettledValue(text: "from a file", place: .secretFile("/run/secrets/s")))
    byFile.file = "\(path)-file: /run/secrets/s"
    #expect(try byFile.configuration().values[path] == SettledValue(text: "from a file", place: .secretFile("/run/secrets/s")))
  }

  @Test("a secret and its file, both set in the same place, are an error that names both")
  func bothSpellings() {
    let given = Given(
      environment: ["GITHUB_TOKEN": "ghp_hidden", "GITHUB_TOKEN_FILE": "/run/secrets/s"], files: ["/run/secrets/s": "ghp_other"])
    #expect(
      given.problems == [
        "github.token (environment variable GITHUB_TOKEN) and github.token-file (environment variable GITHUB_TOKEN_FILE) are both set: choose one"
      ])
  }

  @Test("a secret of the environment overrides a secret file of the configuration file, and the other way round")
  func strongerSpelling() throws {
    let file = "github: { token-file: /run/secrets/s }"
    #expect(try Given(file, environment: ["GITHUB_TOKEN": "strong"]).configuration().token == "strong")
    let other = Given("github: { token: weak }", environment: ["GITHUB_TOKEN": "", "GITHUB_TOKEN_FILE": "/s"], files: ["/s": "strong"])
    #expect(try other.configuration().token == "strong")
  }

  @Test("a secret file that is missing or empty is named, with where it was asked for")
  func badSecretFile() {
    let missing = Given(environment: ["GITHUB_TOKEN": "", "GITHUB_TOKEN_FILE": "/run/none"])
    #expect(
      missing.problems == [
        "github.token-file is \"/run/none\" (environment variable GITHUB_TOKEN_FILE): there is no such file"
      ])
    let empty = Given(environment: ["GITHUB_TOKEN": "", "GITHUB_TOKEN_FILE": "/s"], files: ["/s": "\n"])
    #expect(empty.problems == ["github.token-file is \"/s\" (environment variable GITHUB_TOKEN_FILE): the file is empty"])
  }

  @Test("pools keep the order in which they first appear")
  func poolOrder() throws {
    let file = """
      pools:
        zebra: { maximum: 2 }
        apple: {}
        mango: { warm: 0 }
      """
    let settings = try Given(file, flags: ["--pools.first.maximum", "9", "--pools.apple.maximum", "3"]).configuration().settings
    #expect(settings.pools.map(\.name) == ["zebra", "apple", "mango", "first"])
    #expect(settings.pools.map(\.maximum) == [2, 3, 4, 9])
  }

  @Test("a key may be written in levels or at once")
  func flatKeys() throws {
    let configuration = try Given("pools.linux: { maximum: 7 }\norchestrator.max-tries: 2").configuration()
    #expect(configuration.settings.pools.map(\.maximum) == [7])
    #expect(configuration.settings.maximumTries == 2)
  }

  @Test(
    "the registry is the allow-list of pools that have none of their own", arguments: ["registry.acme.com", "https://registry.acme.com/"])
  func registry(url: String) throws {
    let pools = try Given("pools: { a: {}, b: { images: [ghcr.io/acme/*, alpine] } }", environment: ["CONTAINER_REGISTRY_URL": url])
      .configuration().settings.pools
    #expect(pools[0].allowedImages == ["registry.acme.com/*"])
    #expect(pools[1].allowedImages == ["ghcr.io/acme/*", "alpine"])
  }

  @Test("sqlite addresses are relative to the working directory or absolute")
  func database() throws {
    #expect(try Given(environment: ["DATABASE_URL": "sqlite://state/hub.db"]).configuration().databasePath == "state/hub.db")
    #expect(try Given(environment: ["DATABASE_URL": "sqlite:///var/hub.db"]).configuration().databasePath == "/var/hub.db")
    #expect(try Given("data-directory: /var/lib/hub").configuration().databasePath == "/var/lib/hub/runnerhub.sqlite")
  }

  @Test("a size that is named keeps what is not said of it")
  func sizes() throws {
    let sizes = try Given("sizes: { large-runner: { cpus: 6 }, GPU_box: { gpus: 2, memory: 1.5g } }").configuration().settings.sizes
    #expect(sizes["large-runner"] == Resources(milliCPUs: 6000, memory: ByteCount(gibibytes: 8), disk: ByteCount(gibibytes: 20)))
    #expect(sizes["gpu_box"]?.gpus == 2)
    #expect(sizes["gpu_box"]?.memory == ByteCount(text: "1536m"))
  }

  @Test("Docker is set up where a pool wants it, and only there")
  func docker() throws {
    let pool = "pools: { a: { engine: docker, image: 'ghcr.io/acme/runner:1' } }"
    #expect(try Given(pool).configuration().docker == DockerSettings())
    let file = "docker: { network: jobs, pull: never, user: 1000, processes: 100, starts: 3 }\n" + pool
    let configuration = try Given(file, environment: ["DOCKER_HOST": "unix:///run/other.sock"]).configuration()
    #expect(
      configuration.docker == DockerSettings(network: "jobs", pull: .never, user: 1000, processes: 100))
    #expect(configuration.dockerHosts == [DockerHost(name: "docker", address: .unix(path: "/run/other.sock"))])
    #expect(configuration.settings.startsByEngine == ["docker": 3])
    // Somebody's DOCKER_HOST is nobody's business where no pool runs on Docker.
    #expect(try Given(environment: ["DOCKER_HOST": "tcp://10.0.0.1:2376"]).configuration().docker == nil)
  }

  @Test("no secret is in what is shown, printed or dumped")
  func disclosure() throws {
    let secrets = [
      "GITHUB_WEBHOOK_SECRET": "whs-7f3a", "GITHUB_TOKEN": "ghp-91bc", "WEBHOOK_BASE_URL": "https://robin:pa/s@s@hub.acme.com/x?key=91",
    ]
    let configuration = try Given(environment: secrets).configuration()
    var dumped = ""
    dump(configuration, to: &dumped)
    for text in [dumped, "\(configuration)", String(reflecting: configuration), "\(configuration.shown)"] {
      #expect(text.contains("github.token"))
      for secret in ["whs-7f3a", "ghp-91bc", "pa/s", "robin", "key=91"] { #expect(!text.contains(secret)) }
    }
    #expect(configuration.shown.first { $0.path == "webhooks.base-url" }?.value == "https://…@hub.acme.com/x?…")
  }
}

/// A configuration with credentials, unless it says otherwise.
struct Given {
  var file: String?
  var environment: [String: String] = [:]
  var flags: [String] = []
  var files: [String: String] = [:]

  init(_ file: String? = nil, environment: [String: String] = [:], flags: [String] = [], files: [String: String] = [:]) {
    self.file = file
    self.environment = environment.merging(["GITHUB_WEBHOOK_SECRET": "s3cr3t", "GITHUB_TOKEN": "ghp_t0k3n"]) { own, _ in own }
    self.flags = flags
    self.files = files
  }

  func configuration() throws -> Configuration {
    try Configuration(
      ConfigurationReader.read(file: file.map { _ in "runnerhub.yaml" }, environment: environment, flags: flags) { path in
        if path == "runnerhub.yaml", let file { return file }
        guard let text = files[path] else { throw ConfigurationFile.Failure(description: "there is no such file") }
        return text
      })
  }

  /// What is said to be wrong; empty when nothing is.
  var problems: [String] {
    do {
      _ = try configuration()
      return []
    } catch let error as ConfigurationError {
      return error.problems
    } catch {
      return ["another error: \(error)"]
    }
  }
}
