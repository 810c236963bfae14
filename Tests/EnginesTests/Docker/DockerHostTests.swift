import AsyncHTTPClient
import Contracts
import Domain
import Foundation
import Logging
import PrivateDocker
import RunnerHub
import Testing

@testable import Engines

/// The tests' own daemon, reached over the network.
@Suite("Docker daemons of other machines")
struct DockerHostTests {
  private let logger = Logger(label: "docker", factory: { _ in SwiftLogNoOpLogHandler() })

  /// A daemon that wants TLS of its clients, and certificates for both sides.
  private func withTLS(_ body: (PrivateDocker, Int, Certificates) async throws -> Void) async throws {
    let certificates = try await Certificates.make()
    defer { certificates.remove() }
    let port = Int.random(in: 61_000...64_999)
    let docker = try await PrivateDocker(
      options: [
        "-H", "tcp://0.0.0.0:\(port)", "--tlsverify", "--tlscacert", certificates.path("ca.pem"), "--tlscert",
        certificates.path("server.pem"),
        "--tlskey", certificates.path("server.key"),
      ])
    do {
      try await body(docker, port, certificates)
    } catch {
      await docker.end()
      throw error
    }
    await docker.end()
  }

  private func use(_ host: String, _ port: Int, _ files: DockerCertificates, _ body: (DockerEngine) async throws -> Void) async throws {
    let http = try DockerClient.makeHTTPClient(certificates: files)
    let engine = DockerEngine(
      name: "docker://far", isLocal: false, client: DockerClient(host: host, port: port, http: http),
      settings: DockerSettings(pull: .never),
      installation: "tls", logger: logger)
    do {
      try await body(engine)
    } catch {
      try await http.shutdown()
      throw error
    }
    try await http.shutdown()
  }

  @Test(
    "mutual TLS: a job's container is made, watched and removed; who has no certificate of the authority is not let in, nor believed",
    .timeLimit(.minutes(2)))
  func tls() async throws {
    try await withTLS { docker, port, certificates in
      let image = try await docker.makeImage(runScript: "#!/bin/sh\necho far away\n")
      let host = docker.inside
      let good = certificates.files("client")
      try await use(host, port, good) { engine in
        #expect(try await engine.capacity().resources.milliCPUs > 0)
        // Its disk is not one of this machine.
        #expect(try await engine.capacity().resources.disk.bytes == .max)
        let spec = ContainerSpec(
          id: ContainerID(rawValue: "rh-tls-1"), pool: "test", image: image,
          resources: Resources(milliCPUs: 500, memory: ByteCount(mebibytes: 64)), isReusable: false)
        try await engine.create(spec)
        try await engine.start(spec.id)
        try await engine.put([RunnerFile(path: ".runnerhub-go", contents: Data("1".utf8), mode: 0o600)], into: spec.id)
        _ = try await eventually("its end") { try await engine.inspect(spec.id)?.endedUse == 1 ? true : nil }
        #expect(String(decoding: try await engine.log(of: spec.id, use: 1, from: 0), as: UTF8.self).contains("far away"))
        try await engine.remove(spec.id)
        #expect(try await engine.list().isEmpty)
      }
      let stranger = certificates.files("stranger")
      try await use(host, port, stranger) { engine in
        await #expect(throws: EngineError.self) { _ = try await engine.list() }
      }
      // The daemon's certificate names its address, and no other.
      var wrong = good
      wrong.authority = certificates.path("other-ca.pem")
      try await use(host, port, wrong) { engine in
        await #expect(throws: EngineError.self) { _ = try await engine.list() }
      }
    }
  }

  @Test("a TLS file that is none is named")
  func badFile() {
    let files = DockerCertificates(authority: "/dev/null", certificate: "/dev/null", key: "/dev/null")
    do {
      _ = try DockerClient.makeHTTPClient(certificates: files)
      Issue.record("a client was made without certificates")
    } catch {
      #expect("\(error)".contains("/dev/null"))
    }
  }

  @Test(
    "a tunnel of ssh carries all of it, and is set up again when it breaks",
    .enabled(if: SSHServer.isInstalled, "sshd is not installed (openssh-server)"), .timeLimit(.minutes(2)))
  func ssh() async throws {
    let docker = try await PrivateDocker.shared()
    let server = try await SSHServer.start()
    defer { server.end() }
    let folder = URL(filePath: "/tmp/rh-ssh-\(UUID().uuidString.prefix(8))", directoryHint: .isDirectory)
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    let tunnel = SSHTunnel(
      to: SSHDestination(user: server.user, host: "127.0.0.1", port: server.port, socket: docker.socket), folder: folder.path, name: "far",
      options: server.clientOptions, logger: logger)
    let engine = DockerEngine(
      name: "docker://far", isLocal: false, client: DockerClient(socket: tunnel.socket, http: DockerBench.http),
      settings: DockerSettings(pull: .never), installation: "ssh", logger: logger)
    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask { try await tunnel.run() }
      _ = try await eventually("the tunnel") { try? await engine.capacity() }
      #expect(try await engine.list().isEmpty)
      server.breakConnections()
      _ = try await eventually("the tunnel again", within: .seconds(30)) { try? await engine.capacity() }
      group.cancelAll()
    }
    await #expect(throws: EngineError.self) { _ = try await engine.list() }
  }
}
