import Contracts
import Domain
import Foundation
import NIOHTTP1
import PrivateDocker
import RunnerHub
import Testing

@testable import Engines

/// What a job on a network of its own reaches, tried from inside.
@Suite("Isolated networks", .serialized)
struct DockerIsolationTests {
  private func isolated(_ bench: DockerBench) -> DockerBench {
    var bench = bench
    bench.settings.network = DockerNetworks.apart
    return bench
  }

  /// Tries addresses from a container: `NAME open` or `NAME closed` each.
  private func probe(_ targets: [(name: String, address: String, port: Int)], _ bench: DockerBench) async throws -> Set<String> {
    let lines = targets.map { target in
      "if nc -w 2 \(target.address) \(target.port) </dev/null >/dev/null 2>&1; then echo \(target.name) open; else echo \(target.name) closed; fi"
    }
    let id = try await bench.container(lines.joined(separator: "\n"))
    _ = try await bench.exit(of: id)
    let log = try await bench.log(of: id)
    return Set(log.split(separator: "\n").map(String.init))
  }

  /// Something that listens in the daemon's namespace or here, on all addresses.
  private func listening(in namespace: String?, port: Int, _ body: () async throws -> Void) async throws {
    let process = Process()
    let command = ["/usr/bin/python3", "-m", "http.server", "\(port)", "--bind", "0.0.0.0", "--directory", "/var/empty-\(port)"]
    let words = (namespace.map { ["/usr/bin/nsenter", "--net=/run/netns/\($0)"] } ?? []) + command
    try FileManager.default.createDirectory(atPath: "/var/empty-\(port)", withIntermediateDirectories: true)
    process.executableURL = URL(filePath: words[0])
    process.arguments = Array(words.dropFirst())
    process.standardInput = FileHandle.nullDevice
    process.standardOutput = FileHandle.nullDevice
    process.standardError = FileHandle.nullDevice
    try process.run()
    defer {
      kill(process.processIdentifier, SIGKILL)
      process.waitUntilExit()
      try? FileManager.default.removeItem(atPath: "/var/empty-\(port)")
    }
    try await body()
  }

  private func within(_ namespace: String, _ script: String) throws {
    let process = Process()
    process.executableURL = URL(filePath: "/usr/bin/nsenter")
    process.arguments = ["--net=/run/netns/\(namespace)", "/bin/sh", "-c", script]
    process.standardInput = FileHandle.nullDevice
    try process.run()
    process.waitUntilExit()
    guard process.terminationStatus == 0 else {
      throw DockerFailure.unreadable("the script of the firewall ended with \(process.terminationStatus)")
    }
  }

  @Test("each container has a network, which goes with it; one that was left behind is found and removed", .timeLimit(.minutes(2)))
  func life() async throws {
    try await DockerBench.with { plain in
      let bench = isolated(plain)
      let id = try await bench.container("exit 0", go: false)
      let networks = try await bench.client.networks(labelled: bench.engine.ownLabel)
      #expect(networks.map(\.Name) == [id.rawValue])
      // Again finds it made.
      try await bench.engine.makeNetwork(
        of: ContainerSpec(
          id: id, pool: "test", image: "x", resources: Resources(milliCPUs: 500, memory: ByteCount(mebibytes: 64)), isReusable: false))
      try await bench.engine.removeStrayNetworks(keeping: [id.rawValue], at: Date().addingTimeInterval(1000))
      #expect(try await bench.client.networks(labelled: bench.engine.ownLabel).count == 1)
      try await bench.engine.remove(id)
      #expect(try await bench.client.networks(labelled: bench.engine.ownLabel).isEmpty)
      let stray = ContainerSpec(
        id: ContainerID(rawValue: "rh-stray-\(RandomIdentitySource().token(digits: 10))"), pool: "test", image: "x",
        resources: Resources(milliCPUs: 500, memory: ByteCount(mebibytes: 64)), isReusable: false)
      try await bench.engine.makeNetwork(of: stray)
      try await bench.engine.removeStrayNetworks(keeping: [], at: Date())
      #expect(try await bench.client.networks(labelled: bench.engine.ownLabel).count == 1)
      try await bench.engine.removeStrayNetworks(keeping: [], at: Date().addingTimeInterval(1000))
      #expect(try await bench.client.networks(labelled: bench.engine.ownLabel).isEmpty)
    }
  }

  @Test(
    "a job reaches the world, and with the firewall neither its host, nor other jobs, nor link-local addresses, nor what is refused",
    .timeLimit(.minutes(3)))
  func reach() async throws {
    let docker = try await PrivateDocker()
    do {
      let bench = isolated(try await DockerBench(docker))
      // Another job, that listens.
      let other = try await bench.container("while true; do nc -l -p 7000 </dev/null >/dev/null 2>&1; done")
      let address = try await bench.address(of: other)
      let (host, world) = (61_101, 61_102)
      try await listening(in: docker.namespace, port: host) {
        try await listening(in: nil, port: world) {
          let targets = [
            ("host", docker.inside, host), ("gateway", address.gateway, host), ("other", address.own, 7000),
            ("world", docker.address, world),
          ].map { (name: $0.0, address: $0.1, port: $0.2) }
          // Docker alone keeps jobs apart, and not from their host.
          let before = try await eventually("the listeners") {
            let seen = try await probe(targets, bench)
            return seen.contains("host open") && seen.contains("world open") ? seen : nil
          }
          #expect(before == ["host open", "gateway open", "other closed", "world open"])
          try within(docker.namespace, HostFirewall().script)
          #expect(try await probe(targets, bench) == ["host closed", "gateway closed", "other closed", "world open"])
          // Again, with more that is refused.
          try within(docker.namespace, HostFirewall(refused: ["10.213.0.0/16"]).script)
          #expect(try await probe(targets, bench).contains("world closed"))
          try within(docker.namespace, HostFirewall(refused: ["10.213.0.0/16"], allowed: [docker.address]).script)
          #expect(try await probe(targets, bench) == ["host closed", "gateway closed", "other closed", "world open"])
          // Names still resolve: Docker answers inside the container.
          let id = try await bench.container("grep -c 127.0.0.11 /etc/resolv.conf")
          _ = try await bench.exit(of: id)
          #expect(try await bench.log(of: id) == "1\n")
        }
      }
      try await bench.tearDown()
    } catch {
      await docker.end()
      throw error
    }
    await docker.end()
  }

  @Test("subnets are walked through from a place of the container's own, each once")
  func subnets() throws {
    let range = try #require(DockerSubnets("10.8.4.0/24"))
    let walk = Array(DockerNetworks.subnets(for: ContainerID(rawValue: "rh-a"), in: range))
    #expect(walk.count == 16)
    #expect(Set(walk) == Set((0..<16).map { "10.8.4.\($0 * 16)/28" }))
    #expect(DockerNetworks.bridge(of: ContainerID(rawValue: "rh-a")).utf8.count == 15)
    for text in ["10.8.4.1/24", "10.8.4.0/25", "10.8.4/24", "10.8.4.0", "300.0.0.0/8", "10.0.0.0/7", ""] {
      #expect(DockerSubnets(text) == nil)
    }
  }

  @Test("what is missing of the firewall is found in iptables' own words")
  func missing() {
    let firewall = HostFirewall(refused: ["10.0.0.0/8"], allowed: ["10.0.4.7"])
    let listing = """
      -P INPUT ACCEPT
      -N RUNNERHUB-FORWARD
      -A INPUT -i rhj+ -j RUNNERHUB-INPUT
      -A DOCKER-USER -i rhj+ -j RUNNERHUB-FORWARD
      -A RUNNERHUB-INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j RETURN
      -A RUNNERHUB-INPUT -j REJECT --reject-with icmp-admin-prohibited
      -A RUNNERHUB-FORWARD -m conntrack --ctstate RELATED,ESTABLISHED -j RETURN
      -A RUNNERHUB-FORWARD -o rhj+ -j REJECT --reject-with icmp-admin-prohibited
      -A RUNNERHUB-FORWARD -d 10.0.4.7/32 -j RETURN
      -A RUNNERHUB-FORWARD -d 169.254.0.0/16 -j REJECT --reject-with icmp-admin-prohibited
      -A RUNNERHUB-FORWARD -d 10.0.0.0/8 -j REJECT --reject-with icmp-admin-prohibited
      """
    #expect(firewall.missing(in: listing).isEmpty)
    let less = listing.split(separator: "\n").filter { !$0.contains("169.254") }.joined(separator: "\n")
    #expect(firewall.missing(in: less) == ["-A RUNNERHUB-FORWARD -d 169.254.0.0/16 -j REJECT --reject-with icmp-admin-prohibited"])
    #expect(firewall.missing(in: "").count == 9)
  }
}

extension DockerBench {
  /// Of a container on a network of its own.
  fileprivate func address(of id: ContainerID) async throws -> (own: String, gateway: String) {
    struct Answer: Decodable {
      struct Settings: Decodable { var Networks: [String: Network] }
      struct Network: Decodable { var IPAddress: String; var Gateway: String }
      var NetworkSettings: Settings
    }
    let answer: Answer = try await client.json(DockerClient.Call(method: .GET, path: "/containers/\(id.rawValue)/json"))
    guard let network = answer.NetworkSettings.Networks[id.rawValue] else { throw DockerFailure.unreadable("no network of \(id)") }
    return (network.IPAddress, network.Gateway)
  }
}
