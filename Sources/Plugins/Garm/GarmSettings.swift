internal import Domain
internal import Foundation
package import JSON

/// What an operator says of one GARM provider: the `configuration` of its plugin.
package struct GarmSettings: Hashable, Sendable {
  /// What a provider is told of the machines of one pool.
  package struct Machine: Hashable, Sendable {
    /// The provider's own word for a size.
    package var flavor: String?
    /// Instead of the pool's.
    package var image: String?
    package var architecture: String?
    /// An object that only the provider understands.
    package var extraSpecs: JSONValue?
  }

  /// The provider's own configuration file, an absolute path, which RunnerHub never reads; nil: an empty one.
  package var providerConfig: String?
  /// Nil: the provider is asked.
  package var interfaceVersion: GarmInterfaceVersion?
  /// Prefixes of the host's variables that the provider gets.
  package var environment: [String] = []
  /// For all pools that say nothing else.
  package var machine = Machine()
  package var pools: [String: Machine] = [:]
  /// From the beginning of a creation to the machine's first call.
  package var bootstrapTimeout: Duration = .seconds(1200)
  /// For every call of the provider but a creation.
  package var callTimeout: Duration = .seconds(300)
  /// For how long what the cloud said is believed without asking again.
  package var listInterval: Duration = .seconds(20)
  /// Where a machine has or gets the runner: an absolute path, in which `{machine}` stands for the machine's name.
  package var runnerHome = "/home/runner/actions-runner"
  /// What a machine without a runner fetches.
  package var runnerVersion = "2.336.0"
  /// Where from; `{version}`, `{arch}` and `{filename}` are filled in.
  package var runnerURL = "https://github.com/actions/runner/releases/download/v{version}/{filename}"
  /// SHA-256 of that file, in hexadecimal digits; empty: it is not checked.
  package var runnerChecksum = ""
  package var sshKeys: [String] = []
  /// Machines are processes of this computer, so what the provider starts outlives its call.
  package var hasLocalMachines = false
  /// A file of PEM certificates that machines trust besides their own.
  package var certificates: String?

  package init() {}

  /// What of a configuration cannot be used.
  package struct Refusal: Error, Hashable, Sendable, CustomStringConvertible {
    package var problems: [String]
    package var description: String { problems.joined(separator: "; ") }
  }

  /// - Throws: `Refusal` with everything that is wrong.
  package init(_ configuration: JSONValue) throws(Refusal) {
    guard configuration != .null else { return }
    var reader = GarmSettingsReader(configuration)
    reader.expectOnly(Self.keys)
    providerConfig = reader.path("provider-config")
    interfaceVersion = reader.choice("interface-version", GarmInterfaceVersion.self, besides: "auto")
    environment = reader.texts("environment") ?? environment
    machine = reader.machine()
    pools = reader.pools()
    bootstrapTimeout = reader.seconds("bootstrap-timeout", 1...86_400) ?? bootstrapTimeout
    callTimeout = reader.seconds("call-timeout", 1...86_400) ?? callTimeout
    listInterval = reader.seconds("list-interval", 0...3600) ?? listInterval
    runnerHome = reader.path("runner-home") ?? runnerHome
    runnerVersion = reader.word("runner-version") ?? runnerVersion
    runnerURL = reader.word("runner-url") ?? runnerURL
    runnerChecksum = reader.word("runner-checksum") ?? runnerChecksum
    sshKeys = reader.texts("ssh-keys") ?? sshKeys
    certificates = reader.path("certificates")
    hasLocalMachines = reader.boolean("local-machines") ?? false
    if !reader.problems.isEmpty { throw Refusal(problems: reader.problems) }
  }

  static let machineKeys = ["flavor", "image", "arch", "extra-specs"]
  static let keys =
    machineKeys + [
      "provider-config", "interface-version", "environment", "pools", "bootstrap-timeout", "call-timeout", "list-interval", "runner-home",
      "runner-version", "runner-url", "runner-checksum", "ssh-keys", "certificates", "local-machines",
    ]

  /// What machines of a pool are made of.
  package func pool(_ name: String, image: String, installation: String) -> GarmPool {
    let own = pools[name] ?? Machine()
    return GarmPool(
      name: name, id: GarmIdentity.uuid(of: "pool", installation, name), image: own.image ?? machine.image ?? image,
      flavor: own.flavor ?? machine.flavor ?? "", architecture: own.architecture ?? machine.architecture ?? "amd64",
      extraSpecs: own.extraSpecs ?? machine.extraSpecs ?? .null)
  }

  package func home(of machine: String) -> String { runnerHome.replacing("{machine}", with: machine) }

  /// GitHub's runner for machines of an architecture, as the contract names it.
  package func tool(for architecture: String) -> BootstrapInstance.Tool {
    let word = ["amd64": "x64", "arm64": "arm64", "arm": "arm"][architecture] ?? "x64"
    let filename = "actions-runner-linux-\(word)-\(runnerVersion).tar.gz"
    let url = runnerURL.replacing("{version}", with: runnerVersion).replacing("{arch}", with: word).replacing("{filename}", with: filename)
    return BootstrapInstance.Tool(os: "linux", architecture: word, downloadURL: url, filename: filename, checksum: runnerChecksum)
  }
}

/// A pool as a provider knows it.
package struct GarmPool: Hashable, Sendable, Codable {
  /// RunnerHub's name of it.
  package var name: String
  /// A UUID: the tag by which the provider knows the pool's machines.
  package var id: String
  package var image: String
  package var flavor: String
  /// `amd64`, `arm64`, `arm`, `i386`.
  package var architecture: String
  /// An object, or null.
  package var extraSpecs: JSONValue

  package init(name: String, id: String, image: String, flavor: String, architecture: String = "amd64", extraSpecs: JSONValue = .null) {
    self.name = name
    self.id = id
    self.image = image
    self.flavor = flavor
    self.architecture = architecture
    self.extraSpecs = extraSpecs
  }
}
