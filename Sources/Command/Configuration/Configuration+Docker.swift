import Domain
import Engines
import Foundation
import RunnerHub

extension Configuration {
  /// The name of the daemon of `docker.host`, as pools and containers know it.
  static let ownDockerHost = "docker"

  /// nil where no pool runs on Docker.
  var docker: DockerSettings? {
    guard pools.contains(where: { $0.engine == "docker" }) else { return nil }
    return DockerSettings(
      network: text("docker.network"), pull: DockerSettings.Pull(rawValue: text("docker.pull")) ?? .missing, user: integer("docker.user"),
      processes: integer("docker.processes"), registries: registries,
      subnets: DockerSubnets(text("docker.subnets")) ?? .standard)
  }

  /// The daemons that pools use, in the order in which the pools name them.
  var dockerHosts: [DockerHost] {
    var seen: Set<String> = []
    let wanted = pools.filter { $0.engine == "docker" }.flatMap(\.hosts).filter { seen.insert($0).inserted }
    return wanted.compactMap { engine in
      dockerAddress(of: engine).map {
        DockerHost(
          name: engine, address: $0,
          gpus: integer(engine == Self.ownDockerHost ? "docker.gpus" : "hosts.\(engine.dropFirst("docker://".count)).gpus"))
      }
    }
  }

  private var registries: [DockerRegistry] {
    (names["registries"] ?? []).compactMap { name in
      guard let host = optional("registries.\(name).host"), let user = optional("registries.\(name).user"),
        let password = optional("registries.\(name).password")
      else { return nil }
      return DockerRegistry(host: host, user: user, password: password)
    }
  }

  /// Containers that each daemon starts at once.
  var dockerStarts: [String: Int] {
    var starts = [Self.ownDockerHost: integer("docker.starts")]
    for name in names["hosts"] ?? [] { starts[Self.engineName(ofHost: name)] = integer("hosts.\(name).starts") }
    return starts
  }

  /// The engine hosts of a pool: those that it names, else all of the section `hosts`, else the daemon of `docker.host`.
  func hosts(ofPool name: String, engine: String) -> [String] {
    guard engine == "docker" else { return [engine] }
    let given = Self.list(text("pools.\(name).hosts"))
    if !given.isEmpty { return given.map(Self.engineName) }
    let all = names["hosts"] ?? []
    return all.isEmpty ? [Self.ownDockerHost] : all.map(Self.engineName)
  }

  /// `build-2` → `docker://build-2`
  private static func engineName(ofHost name: String) -> String { name == ownDockerHost ? name : "docker://\(name)" }

  private func dockerAddress(of engine: String) -> DockerHost.Address? {
    guard engine != Self.ownDockerHost else {
      return ConfigurationKey.rest(of: text("docker.host"), after: "unix").map { .unix(path: $0) }
    }
    let section = "hosts.\(engine.dropFirst("docker://".count))"
    guard let address = optional("\(section).address") else { return nil }
    if let path = ConfigurationKey.rest(of: address, after: "unix") { return .unix(path: path) }
    if let destination = SSHDestination(address: address) { return .ssh(destination) }
    guard let place = ConfigurationKey.rest(of: address, after: "tcp").flatMap({ ListenAddress($0) }),
      let authority = optional("\(section).tls-authority"), let certificate = optional("\(section).tls-certificate"),
      let key = optional("\(section).tls-key")
    else { return nil }
    return .tcp(
      host: place.host, port: place.port, DockerCertificates(authority: authority, certificate: certificate, key: key))
  }

  /// What is wrong with daemons and with the hosts of pools.
  var dockerProblems: [String] {
    (DockerSubnets(text("docker.subnets")) == nil
      ? [
        "docker.subnets is \"\(text("docker.subnets"))\" (\(place("docker.subnets"))): expected an IPv4 network such as \(DockerSubnets.standard), with a length from 8 to 24 and no bits beyond it"
      ]
      : []) + (names["hosts"] ?? []).flatMap(problems(ofHost:)) + (names["registries"] ?? []).flatMap(problems(ofRegistry:))
      + pools.flatMap(problems(ofHostsOf:)) + ownDaemonProblems
  }

  private func place(_ path: String) -> String { values[path].map { "\($0.place)" } ?? "not set" }

  private var ownDaemonProblems: [String] {
    guard docker != nil, dockerHosts.isEmpty || dockerHosts.contains(where: { $0.name == Self.ownDockerHost }),
      let host = optional("docker.host")
    else { return [] }
    if ConfigurationSchema.key(for: "docker.host")?.refuses(host) == true {
      return [
        "docker.host is \"\(host)\" (\(place("docker.host"))): expected a daemon on this machine, unix:///PATH; others are named in the section hosts"
      ]
    }
    return Self.problem(ofSocket: ConfigurationKey.rest(of: host, after: "unix") ?? "").map {
      ["docker.host is \"\(host)\" (\(place("docker.host"))): \($0)"]
    } ?? []
  }

  private static func problem(ofSocket path: String) -> String? {
    path.hasPrefix("/") && path.utf8.count <= 107 ? nil : "expected unix:// and an absolute path of at most 107 bytes"
  }

  private func problems(ofHost name: String) -> [String] {
    let section = "hosts.\(name)"
    if name == Self.ownDockerHost { return ["\(section): the name docker is that of the daemon of docker.host; choose another"] }
    guard let address = optional("\(section).address") else {
      return ["\(section).address is not set: expected unix:///PATH, tcp://HOST:PORT or ssh://USER@HOST"]
    }
    let what = "\(section).address is \"\(address)\" (\(place("\(section).address")))"
    if let path = ConfigurationKey.rest(of: address, after: "unix") { return Self.problem(ofSocket: path).map { ["\(what): \($0)"] } ?? [] }
    if ConfigurationKey.rest(of: address, after: "ssh") != nil {
      return SSHDestination(address: address) == nil
        ? ["\(what): expected ssh://HOST, ssh://USER@HOST:PORT or ssh://HOST/PATH-OF-SOCKET"] : []
    }
    guard ConfigurationKey.rest(of: address, after: "tcp").flatMap({ ListenAddress($0) }).map({ $0.port > 0 }) == true else {
      return ["\(what): expected tcp://HOST:PORT, such as tcp://build-2.acme.com:2376"]
    }
    let missing = ["tls-authority", "tls-certificate", "tls-key"].filter { optional("\(section).\($0)") == nil }
    guard missing.isEmpty else {
      let keys = missing.map { "\(section).\($0)" }.joined(separator: ", ")
      return ["\(what): who reaches the port of a daemon is root there, so only mutual TLS will do: set \(keys)"]
    }
    return []
  }

  private func problems(ofRegistry name: String) -> [String] {
    let missing = ["host", "user", "password"].filter { optional("registries.\(name).\($0)") == nil }
    return missing.isEmpty ? [] : ["registries.\(name) lacks \(missing.joined(separator: ", ")): a log-in needs host, user and password"]
  }

  private func problems(ofHostsOf pool: Pool) -> [String] {
    let path = "pools.\(pool.name).hosts"
    let given = Self.list(text(path))
    guard !given.isEmpty else { return [] }
    guard pool.engine == "docker" else {
      return ["\(path) is set (\(place(path))), but the pool's engine is \(pool.engine): only docker has hosts"]
    }
    let known = [Self.ownDockerHost] + (names["hosts"] ?? [])
    return given.filter { !known.contains($0) }.map { name in
      let near = Suggestion.nearest(to: name, among: known).map { " – did you mean \($0)?" } ?? ""
      return
        "\(path) names \"\(name)\" (\(place(path))): expected a host of the section hosts, or docker for the daemon of docker.host\(near)"
    }
  }
}

extension SSHDestination {
  /// `ssh://USER@HOST:PORT/PATH`. nil for what is none, or could be taken for an option by a program.
  init?(address: String) {
    guard let rest = ConfigurationKey.rest(of: address, after: "ssh") else { return nil }
    let parts = rest.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
    let names = parts[0].split(separator: "@", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
    let place = (names.last ?? "").split(separator: ":", omittingEmptySubsequences: false).map(String.init)
    func isName(_ text: String) -> Bool {
      !text.isEmpty && !text.hasPrefix("-") && text.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || "._-".contains($0)) }
    }
    guard (1...2).contains(place.count), isName(place[0]), names.count == 1 || isName(names[0]) else { return nil }
    let port = place.count > 1 ? Int(place[1]) : nil
    guard place.count == 1 || port.map({ (1...65535).contains($0) }) == true else { return nil }
    self.init(user: names.count > 1 ? names[0] : nil, host: place[0], port: port)
    if parts.count > 1, !parts[1].isEmpty { socket = "/" + parts[1] }
    guard !socket.contains(":") else { return nil }
  }
}
