internal import Domain
internal import Foundation
internal import Logging
internal import NIOHTTP1
internal import RunnerHub

/// Networks of containers that have one each: Docker keeps what is on different networks apart. What of the host and of the world they reach is
/// the firewall's affair (`HostFirewall`), which knows them by the names of their bridges.
enum DockerNetworks {
  /// Of `docker.network`: a network for each container.
  static let apart = "isolated"
  /// What the names of their bridges begin with. An interface's name has 15 bytes at most.
  static let bridgePrefix = "rhj"

  /// `rhj3f2a91bc7701`, the same for the same container.
  static func bridge(of id: ContainerID) -> String {
    let hash = String(StableHash.value(["bridge", id.rawValue]) & 0xffff_ffff_ffff, radix: 16)
    return bridgePrefix + String(repeating: "0", count: 12 - hash.count) + hash
  }

  /// The subnets that a container's network may get, in the order in which they are tried: a walk through all of the range from a place of its own.
  static func subnets(for id: ContainerID, in range: DockerSubnets) -> some Sequence<String> {
    let first = Int(StableHash.value(["subnet", id.rawValue]) % UInt64(range.count))
    return (0..<range.count).lazy.map { range.subnet(at: (first + $0) % range.count) }
  }
}

/// Where the subnets of containers' networks are taken from: `10.199.0.0/16`, cut into pieces of sixteen addresses.
package struct DockerSubnets: Hashable, Sendable {
  private let first: UInt32
  private let prefix: Int
  private static let pieceBits = 4

  /// - Parameter text: an IPv4 network of at most 24 bits' length, `A.B.C.D/8…24`, whose address is its first.
  package init?(_ text: String) {
    let parts = text.split(separator: "/", omittingEmptySubsequences: false)
    let bytes = parts.first?.split(separator: ".", omittingEmptySubsequences: false).compactMap { UInt8($0) } ?? []
    guard parts.count == 2, bytes.count == 4, let prefix = Int(parts[1]), (8...24).contains(prefix) else { return nil }
    let first = bytes.reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
    guard first & (UInt32.max >> UInt32(prefix)) == 0 else { return nil }
    self.first = first
    self.prefix = prefix
  }

  package static let standard = DockerSubnets(first: 10 << 24 | 199 << 16, prefix: 16)

  private init(first: UInt32, prefix: Int) {
    self.first = first
    self.prefix = prefix
  }

  /// Networks that it holds.
  package var count: Int { 1 << (32 - prefix - Self.pieceBits) }

  package func subnet(at index: Int) -> String {
    let address = first + UInt32(index) << UInt32(Self.pieceBits)
    return "\(Self.text(address))/\(32 - Self.pieceBits)"
  }

  private static func text(_ address: UInt32) -> String {
    (0..<4).map { String(address >> (24 - 8 * UInt32($0)) & 0xff) }.joined(separator: ".")
  }
}

extension DockerSubnets: CustomStringConvertible {
  package var description: String { "\(Self.text(first))/\(prefix)" }
}

extension DockerShapes {
  /// `POST /networks/create`
  struct NetworkCreation: Encodable, Equatable {
    struct Addresses: Encodable, Equatable {
      struct Pool: Encodable, Equatable { var Subnet: String }
      var Config: [Pool]
    }
    var Name: String
    var Driver = "bridge"
    var CheckDuplicate = true
    var EnableIPv6 = false
    var Labels: [String: String]
    var Options: [String: String]
    var IPAM: Addresses
  }

  /// `GET /networks`
  struct Network: Decodable {
    var Name: String
    var Created: String?
  }
}

extension DockerClient {
  /// One that is there already is no failure (409).
  func create(_ network: DockerShapes.NetworkCreation) async throws {
    do {
      _ = try await send(
        Call(method: .POST, path: "/networks/create", body: .json(try JSONEncoder().encode(network)), limit: .seconds(60)))
    } catch DockerFailure.refused(409, _) {
      return
    }
  }

  /// Absent is success.
  func remove(network name: String) async throws {
    do {
      _ = try await send(Call(method: .DELETE, path: "/networks/\(name)", limit: .seconds(60)))
    } catch DockerFailure.refused(404, _) {
      return
    }
  }

  func networks(labelled label: String) async throws -> [DockerShapes.Network] {
    try await json(Call(method: .GET, path: "/networks", query: [("filters", Self.filters(["label": [label]]))], limit: .seconds(60)))
  }
}

extension DockerEngine {
  /// Makes the container's own network, if it is not there.
  /// - Throws: `unavailable` where no subnet is free.
  func makeNetwork(of spec: ContainerSpec) async throws(EngineError) {
    let name = spec.id.rawValue
    var tries = 0
    for subnet in DockerNetworks.subnets(for: spec.id, in: settings.subnets) {
      let creation = DockerShapes.NetworkCreation(
        Name: name, Labels: [DockerTemplate.Label.installation: installation],
        Options: [
          "com.docker.network.bridge.name": DockerNetworks.bridge(of: spec.id), "com.docker.network.bridge.enable_icc": "false",
        ], IPAM: .init(Config: [.init(Subnet: subnet)]))
      do {
        return try await client.create(creation)
      } catch DockerFailure.refused(403, let message) where message.contains("overlaps") {
        tries += 1
        // Taken by another network, of whomever.
        guard tries < 64 else { throw .unavailable("no subnet of \(settings.subnets) is free for \(name): \(message)") }
      } catch {
        throw Self.engineError(error, about: "network of \(name)")
      }
    }
    throw .unavailable("no subnet of \(settings.subnets) is free for \(name)")
  }

  /// Removes networks of ours whose container is gone.
  /// - Parameter kept: the containers that there are.
  func removeStrayNetworks(keeping kept: Set<String>, at now: Date) async throws {
    for network in try await client.networks(labelled: ownLabel) where !kept.contains(network.Name) {
      // Its container may be about to be made.
      guard let created = network.Created.flatMap({ DockerTime($0)?.date }), now.timeIntervalSince(created) > 300 else { continue }
      logger.warning("a network without its container is removed", metadata: ["network": "\(network.Name)"])
      try await client.remove(network: network.Name)
    }
  }
}
