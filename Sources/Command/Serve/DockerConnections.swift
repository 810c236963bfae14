import AsyncHTTPClient
import Engines
import Foundation
import Logging
import RunnerHub

/// The Docker daemons that pools use: their engines, and what keeps the ways to them open.
struct DockerConnections {
  /// One for each host, by whose name containers know it.
  let engines: [any ContainerEngine]
  private let tunnels: [SSHTunnel]
  private let clients: [HTTPClient]

  /// - Parameters:
  ///   - folder: for the sockets of tunnels; made when it is needed, and nobody else's.
  ///   - installation: the name by which this installation knows its containers.
  /// - Throws: `DockerFailure`, which names a TLS file that cannot be used.
  init(_ configuration: Configuration, installation: String, folder: URL, logger: Logger) async throws {
    guard let settings = configuration.docker else {
      (engines, tunnels, clients) = ([], [], [])
      return
    }
    var engines: [any ContainerEngine] = []
    var tunnels: [SSHTunnel] = []
    var clients = [DockerClient.makeHTTPClient()]
    do {
      for host in configuration.dockerHosts {
        let client: DockerClient
        switch host.address {
        case .unix(let path): client = DockerClient(socket: path, http: clients[0])
        case .tcp(let name, let port, let certificates):
          let http = try DockerClient.makeHTTPClient(certificates: certificates)
          clients.append(http)
          client = DockerClient(host: name, port: port, http: http)
        case .ssh(let destination):
          try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
          let tunnel = SSHTunnel(
            to: destination, folder: folder.path(percentEncoded: false), name: "\(tunnels.count)", logger: logger)
          tunnels.append(tunnel)
          client = DockerClient(socket: tunnel.socket, http: clients[0])
        }
        engines.append(
          DockerEngine(
            name: host.name, isLocal: host.isLocal, gpus: host.gpus, client: client, settings: settings, installation: installation,
            logger: logger))
      }
    } catch {
      for client in clients { try await client.shutdown() }
      throw error
    }
    (self.engines, self.tunnels, self.clients) = (engines, tunnels, clients)
  }

  /// Keeps the tunnels up until cancelled.
  func run() async throws {
    guard !tunnels.isEmpty else {
      while true { try await Task.sleep(for: .seconds(3600)) }
    }
    try await withThrowingTaskGroup(of: Void.self) { group in
      for tunnel in tunnels { group.addTask { try await tunnel.run() } }
      try await group.waitForAll()
    }
  }

  /// Once nothing is asked of the engines any more.
  func shutDown() async throws {
    for client in clients { try await client.shutdown() }
  }
}
