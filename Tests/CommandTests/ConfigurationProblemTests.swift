import Foundation
import Testing

@testable import Command

@Suite("Configuration: what is wrong, where, and what is expected")
struct ConfigurationProblemTests {
  @Test("a bad value says its place and what is expected")
  func badValue() {
    let file = String(repeating: "# comment\n", count: 11) + "pools:\n  linux:\n    maximum: many\n"
    #expect(Given(file).problems == ["pools.linux.maximum is \"many\" (runnerhub.yaml:14:14): expected a whole number from 0 to 100000"])
    #expect("\(ConfigurationError(problems: ["a is wrong", "b too"]))" == "configuration: a is wrong\nconfiguration: b too")
  }

  @Test(
    "a value that does not fit its key is refused",
    arguments: [
      (
        "pools: { a: { maximum: 100001 } }", "pools.a.maximum is \"100001\" (runnerhub.yaml:1:24): expected a whole number from 0 to 100000"
      ),
      ("pools: { a: { maximum: -1 } }", "pools.a.maximum is \"-1\" (runnerhub.yaml:1:24): expected a whole number from 0 to 100000"),
      (
        "pools: { a: { maximum: 99999999999999999999 } }",
        "pools.a.maximum is \"99999999999999999999\" (runnerhub.yaml:1:24): expected a whole number from 0 to 100000"
      ),
      ("github: { report: yes }", "github.report is \"yes\" (runnerhub.yaml:1:19): expected true or false"),
      (
        "pools: { a: { memory: lots } }",
        "pools.a.memory is \"lots\" (runnerhub.yaml:1:23): expected a size such as 512m or 4g, at most 64t"
      ),
      ("pools: { a: { memory: 65t } }", "pools.a.memory is \"65t\" (runnerhub.yaml:1:23): expected a size such as 512m or 4g, at most 64t"),
      ("pools: { a: { memory: 0 } }", "pools.a.memory is \"0\" (runnerhub.yaml:1:23): expected a size such as 512m or 4g, at most 64t"),
      ("webhooks: { listen: 8080 }", "webhooks.listen is \"8080\" (runnerhub.yaml:1:21): expected HOST:PORT, such as 127.0.0.1:8080"),
      (
        "log: { level: loud }",
        "log.level is \"loud\" (runnerhub.yaml:1:15): expected one of trace, debug, info, notice, warning, error, critical"
      ),
      ("store: { url: \"sqlite://\" }", "store.url is \"sqlite://\" (runnerhub.yaml:1:15): expected sqlite://PATH"),
      (
        "registry: { url: \"https://\" }",
        "registry.url is \"https://\" (runnerhub.yaml:1:18): expected a registry such as registry.acme.com or https://registry.acme.com/team"
      ),
      ("data-directory: ''", "data-directory is \"\" (runnerhub.yaml:1:17): expected text that is not empty"),
      (
        "pools: { a: { image: ubuntu } }",
        "pools.a.image is \"ubuntu\" (runnerhub.yaml:1:22): expected stand-in or an absolute folder with run.sh"
      ),
      (
        "pools: { a: { engine: dokcer } }",
        "pools.a.engine is \"dokcer\" (runnerhub.yaml:1:23): expected process, docker or a plugin of the section plugins – did you mean docker?"
      ),
      (
        "plugins: { openstack: {} }\npools: { a: { engine: openstak } }",
        "pools.a.engine is \"openstak\" (runnerhub.yaml:2:23): expected process, docker or a plugin of the section plugins – did you mean openstack?"
      ),
      (
        "pools: { a: { engine: docker } }",
        "pools.a.image is \"stand-in\" (default): expected the name of a Docker image, such as ghcr.io/actions/actions-runner:2.336.0"
      ),
      (
        "pools: { a: { engine: docker, image: 'a:1' } }\ndocker: { host: 'tcp://10.0.0.1:2376' }",
        "docker.host is \"tcp://10.0.0.1:2376\" (runnerhub.yaml:2:17): expected a daemon on this machine, unix:///PATH; others are named in the section hosts"
      ),
      (
        "pools: { a: { engine: docker, image: 'a:1' } }\ndocker: { host: 'unix://run/docker.sock' }",
        "docker.host is \"unix://run/docker.sock\" (runnerhub.yaml:2:17): expected unix:// and an absolute path of at most 107 bytes"
      ),
      ("pools: { a: { labels: [] } }", "pools.a.labels is empty (runnerhub.yaml:1:23): expected at least one label"),
      ("pools: { a: { labels: [[x]] } }", "pools.a.labels is a list of more than words (runnerhub.yaml:1:23): expected a list of words"),
    ])
  func values(file: String, problem: String) {
    #expect(Given(file).problems == [problem])
  }

  @Test(
    "an unknown key is named with the nearest valid one, at every depth",
    arguments: [
      ("githob: { token: x }", "unknown key githob (runnerhub.yaml:1:1) – did you mean 'github'?"),
      ("github: { tokn: x }", "unknown key github.tokn (runnerhub.yaml:1:11) – did you mean 'token'?"),
      ("github: { tokn-file: x }", "unknown key github.tokn-file (runnerhub.yaml:1:11) – did you mean 'token-file'?"),
      ("pools: { linux: { maximun: 3 } }", "unknown key pools.linux.maximun (runnerhub.yaml:1:19) – did you mean 'maximum'?"),
      ("max-tries: 3", "unknown key max-tries (runnerhub.yaml:1:1) – did you mean 'orchestrator.max-tries'?"),
      ("quite-something-else: 3", "unknown key quite-something-else (runnerhub.yaml:1:1)"),
      ("<<: { a: 1 }", "unknown key << (runnerhub.yaml:1:1)"),
      (
        "pools: { Linux_1: {} }",
        "\"Linux_1\" is no name for one of pools (runnerhub.yaml:1:10): expected lower-case letters, digits and -, at most 32"
      ),
      ("sizes: { 'a b': {} }", "\"a b\" is no name for one of sizes (runnerhub.yaml:1:10): expected letters, digits, - and _, at most 32"),
      ("[1]: 2", "a key is not a word (runnerhub.yaml:1:1)"),
    ])
  func unknownKeys(file: String, problem: String) {
    #expect(Given(file).problems == [problem])
  }

  @Test(
    "a value of the wrong shape is refused",
    arguments: [
      ("github: acme", "github is a section (runnerhub.yaml:1:9): expected keys and values below it"),
      ("pools: [linux]", "pools is a section (runnerhub.yaml:1:8): expected keys and values below it"),
      ("pools: { linux: 4 }", "pools.linux is a section (runnerhub.yaml:1:17): expected keys and values below it"),
      ("github:", "github is empty (runnerhub.yaml:1:8): expected keys and values below it"),
      (
        "log: { level: { a: b } }",
        "log.level is a mapping (runnerhub.yaml:1:15): expected one of trace, debug, info, notice, warning, error, critical"
      ),
      (
        "log: { level: [info] }",
        "log.level is a list (runnerhub.yaml:1:15): expected one of trace, debug, info, notice, warning, error, critical"
      ),
      ("github: { organization: null }", "github.organization is empty (runnerhub.yaml:1:25): expected text"),
      ("github: { organization: ~ }", "github.organization is empty (runnerhub.yaml:1:25): expected text"),
      ("- a", "runnerhub.yaml: expected keys and values at the top level"),
      ("just text", "runnerhub.yaml: expected keys and values at the top level"),
    ])
  func shapes(file: String, problem: String) {
    #expect(Given(file).problems == [problem])
  }

  @Test("quoted, null is a text")
  func quotedNull() {
    #expect(Given("github: { organization: 'null' }").problems == [])
  }

  @Test("a file without any key is fine", arguments: ["", "\n\n", "# nothing but a comment\n", "{}"])
  func emptyFile(file: String) {
    #expect(Given(file).problems == [])
  }

  @Test("a key that is set twice is an error with its place")
  func duplicates() {
    #expect(Given("log:\n  level: info\n  level: debug\n").problems == ["runnerhub.yaml:2:3: level is set twice"])
    #expect(
      Given("log: { level: info }\nlog.level: debug\n").problems == [
        "log.level is set twice (runnerhub.yaml:2:12): it is already set in line 1, column 15"
      ])
  }

  @Test("what YAML itself refuses is told with its line, without a guess at what is missing")
  func syntax() {
    var open = Given("log:\n  level: \"info\nwebhooks: {}\n")
    open.environment = [:]
    #expect(open.problems.count == 1)
    #expect(open.problems[0].hasPrefix("runnerhub.yaml:"))
    #expect(
      Given("pools:\n  linux:\n\tmaximum: 4\n").problems == [
        "runnerhub.yaml:3:1: found character that cannot start any token (YAML is indented with blanks, never with tabs)"
      ])
    #expect(Given("log: {}\nb: \u{7}\n").problems.map { $0.prefix(17) } == ["runnerhub.yaml:2:"])
    #expect(Given(String(repeating: "[", count: 5000)).problems.count == 1)
    #expect(Given("a: 1\n---\nb: 2\n").problems.count == 1)
  }

  @Test("no error shows a line of the file, since that may be the secret's")
  func secretsInSyntaxErrors() {
    for file in [
      "github:\n  token: \"ghp_l3aked\n  x: 1\n", "github:\n  token: ghp_l3aked\n  token: ghp_l3aked2\n", "github:\n\ttoken: ghp_l3aked\n",
      "github: { token: [ghp_l3aked] }", "github: { token: { ghp_l3aked: 1 } }", "github: { token: ghp_l3aked }}",
    ] {
      let problems = Given(file, environment: ["GITHUB_TOKEN": ""]).problems
      #expect(!problems.isEmpty)
      #expect(!"\(problems)".contains("l3aked"), "\(problems)")
    }
  }

  @Test(
    "addresses of PostgreSQL and Redis are refused clearly, and never with their password",
    arguments: [
      (
        "DATABASE_URL", "postgresql://user:pa55@host:5432/db",
        "store.url names PostgreSQL (environment variable DATABASE_URL): this version keeps its state in SQLite only; use sqlite://PATH or leave it out"
      ),
      (
        "DATABASE_URL", "postgres://user:pa55@host/db",
        "store.url names PostgreSQL (environment variable DATABASE_URL): this version keeps its state in SQLite only; use sqlite://PATH or leave it out"
      ),
      (
        "DATABASE_URL", "PostgreSQL://user:pa55@host/db",
        "store.url names PostgreSQL (environment variable DATABASE_URL): this version keeps its state in SQLite only; use sqlite://PATH or leave it out"
      ),
      (
        "REDIS_URL", "redis://:pa55@host:6379",
        "cache.url names Redis (environment variable REDIS_URL): this version does not use Redis; leave it out"
      ),
      (
        "REDIS_URL", "rediss://:pa55@host:6379",
        "cache.url names Redis (environment variable REDIS_URL): this version does not use Redis; leave it out"
      ),
      (
        "DATABASE_URL", "mysql://user:pa55/@x@host/db?password=pa55",
        "store.url is \"mysql://…@host/db?…\" (environment variable DATABASE_URL): expected sqlite://PATH"
      ),
      (
        "REDIS_URL", "memcached://u:pa55@host", "cache.url is \"memcached://…@host\" (environment variable REDIS_URL): expected nothing yet"
      ),
      (
        "CONTAINER_REGISTRY_URL", "https://u:pa55@registry.acme.com",
        "registry.url is \"https://…@registry.acme.com\" (environment variable CONTAINER_REGISTRY_URL): expected a registry such as registry.acme.com or https://registry.acme.com/team"
      ),
    ])
  func refusedAddresses(name: String, url: String, problem: String) {
    #expect(Given(environment: [name: url]).problems == [problem])
  }

  @Test(
    "administration stays on this machine",
    arguments: ["0.0.0.0:8081", "10.0.0.1:8081", "[::]:8081", "127.example.org:8081", "localhost.example.org:1"])
  func administration(address: String) {
    #expect(
      Given(flags: ["--administration.listen", address]).problems == [
        "administration.listen is \(address) (flag --administration.listen): expected a loopback address, since it has no log-in yet"
      ])
  }

  @Test(
    "addresses of this machine are fine for administration", arguments: ["127.0.0.1:0", "127.9.8.7:8081", "localhost:65535", "[::1]:8081"])
  func loopback(address: String) {
    #expect(Given(flags: ["--administration.listen", address]).problems == [])
  }

  @Test(
    "what is no HOST:PORT is refused",
    arguments: [
      "", ":", "host", "host:", ":80", "host:65536", "host:-1", "host:+1", "::1:80", "[::1:80", "[x]:80", "http://h:80", "a b:80",
      "host:999999999999999999999",
    ])
  func addresses(text: String) {
    #expect(ListenAddress(text) == nil)
  }

  @Test("a pool's minimum is at most its maximum")
  func minimum() {
    #expect(
      Given("pools:\n  a:\n    minimum: 5\n    maximum: 2\n").problems == [
        "pools.a.minimum is 5 (runnerhub.yaml:3:14): expected at most the maximum, which is 2 (runnerhub.yaml:4:14)"
      ])
    #expect(
      Given("pools: { a: { minimum: 5 } }").problems == [
        "pools.a.minimum is 5 (runnerhub.yaml:1:24): expected at most the maximum, which is 4 (default)"
      ])
  }

  @Test("credentials are needed, of one kind")
  func credentials() {
    var given = Given()
    given.environment = [:]
    #expect(
      given.problems == [
        "github.webhook-secret is not set: give the webhook's secret by GITHUB_WEBHOOK_SECRET, GITHUB_WEBHOOK_SECRET_FILE or in the file",
        "no credentials for GitHub: set github.token (GITHUB_TOKEN) or github.app-id and github.app-private-key",
      ])
    #expect(Given(environment: ["GITHUB_APP_ID": "1"]).problems == ["github.app-id and github.app-private-key are needed together"])
    #expect(
      Given(environment: ["GITHUB_APP_ID": "1", "GITHUB_APP_PRIVATE_KEY": "k"]).problems == [
        "github.token (environment variable GITHUB_TOKEN) and github.app-id (environment variable GITHUB_APP_ID) are both set: choose one"
      ])
    #expect(Given(environment: ["GITHUB_TOKEN": "", "GITHUB_APP_ID": "1", "GITHUB_APP_PRIVATE_KEY": "k"]).problems == [])
  }

  @Test("unknown variables of the orchestrator are named with the nearest known one; others are none of our business")
  func unknownVariables() {
    #expect(
      Given(environment: ["ORCHESTRATOR_MAX_CONCURENT_JOBS": "1", "HOME": "/root", "GITHUB_ACTOR": "mona"]).problems == [
        "unknown environment variable ORCHESTRATOR_MAX_CONCURENT_JOBS – did you mean ORCHESTRATOR_MAX_CONCURRENT_JOBS?"
      ])
    #expect(
      Given(environment: ["DATABASE_URL_FILE": "/run/secrets/db"]).problems == [
        "unknown environment variable DATABASE_URL_FILE: only secrets are read from files – did you mean DATABASE_URL?"
      ])
  }

  @Test(
    "a wrong flag is named with the nearest right one, and its value is taken for nothing else",
    arguments: [
      (["--orchestrator.max-trys", "3"], "unknown flag --orchestrator.max-trys – did you mean --orchestrator.max-tries?"),
      (["--pools.linux.maximun=3"], "unknown flag --pools.linux.maximun – did you mean --pools.linux.maximum?"),
      (["--confg", "x.yaml"], "unknown flag --confg – did you mean --config?"),
      (["--github.tokn=ghp_l3aked"], "unknown flag --github.tokn – did you mean --github.token?"),
      (["--orchestrator.max-tries"], "flag --orchestrator.max-tries has no value"),
      (["--orchestrator.max-tries", "--log.level", "info"], "flag --orchestrator.max-tries has no value"),
      (["extra"], "unexpected argument \"extra\": settings are flags such as --orchestrator.max-tries 3"),
      (["--github"], "unknown flag --github"),
    ])
  func flags(flags: [String], problem: String) {
    let problems = Given(flags: flags).problems
    #expect(problems.count == 1)
    #expect(problems.first?.hasPrefix(problem) == true, "\(problems)")
  }

  @Test("everything that is wrong is told in one go")
  func allAtOnce() {
    let file = "pools:\n  a: { maximum: many, minimum: 9 }\n  b: { minimum: 9 }\nlog: loud\nunknown: 1\n"
    let problems = Given(
      file, environment: ["ORCHESTRATOR_MAX_TRIES": "1", "REDIS_URL": "redis://h", "ORCHESTRATOR_METRICS_INTERVAL": "soon"],
      flags: ["--log.level", "x"]
    ).problems
    for beginning in [
      "pools.a.maximum is \"many\"", "pools.b.minimum is 9", "log is a section", "unknown key unknown",
      "unknown environment variable ORCHESTRATOR_MAX_TRIES",
      "cache.url names Redis", "orchestrator.metrics-interval is \"soon\"", "log.level is \"x\"",
    ] {
      #expect(problems.contains { $0.hasPrefix(beginning) }, "\(beginning): \(problems)")
    }
  }

  @Test("a file that cannot be read is named, with the reason")
  func unreadable() throws {
    let folder = FileManager.default.temporaryDirectory.appending(
      path: "runnerhub-configuration-\(UUID().uuidString)", directoryHint: .isDirectory)
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { #expect(throws: Never.self) { try FileManager.default.removeItem(at: folder) } }
    func problem(_ path: String) -> String? { ConfigurationReader.read(file: path, environment: [:], flags: []).problems.first }
    let path = folder.appending(path: "runnerhub.yaml").path
    #expect(problem(path) == "\(path) cannot be read: there is no such file")
    #expect(problem(folder.path) == "\(folder.path) cannot be read: it is a folder")
    try Data(repeating: UInt8(ascii: "#"), count: (1 << 20) + 1).write(to: URL(filePath: path))
    #expect(problem(path) == "\(path) cannot be read: it is larger than 1 MiB")
    try Data([0x61, 0x3a, 0x20, 0xff]).write(to: URL(filePath: path))
    #expect(problem(path) == "\(path) cannot be read: it is not UTF-8 text")
  }

  @Test("docs/configuration.md is what the schema says: runnerhub config reference > docs/configuration.md")
  func reference() throws {
    let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    let page = try String(contentsOf: root.appending(path: "docs/configuration.md"), encoding: .utf8)
    #expect(page == ConfigurationReference.markdown + "\n")
    for key in ConfigurationSchema.keys { #expect(page.contains("`\(key.path)`")) }
  }
}
