import AsyncHTTPClient
import Contracts
import Domain
import Foundation
import Glibc
import Logging
import PrivateDocker
import RunnerHub

@testable import Engines

/// The Docker engine over the tests' own daemon.
struct DockerBench: ContractBench {
  let docker: PrivateDocker
  let client: DockerClient
  /// Of this bench's own, so that nothing of another is seen.
  let installation = RandomIdentitySource().token(digits: 12)
  var settings: DockerSettings

  /// Of all benches: a connection that a killed daemon has closed is found closed.
  static let http = DockerClient.makeHTTPClient()

  init(_ docker: PrivateDocker? = nil) async throws {
    self.docker = if let docker { docker } else { try await PrivateDocker.shared() }
    client = DockerClient(socket: self.docker.socket, http: Self.http)
    settings = DockerSettings(pull: .never)
  }

  func makeEngine() -> any ContainerEngine { engine }

  var engine: DockerEngine {
    DockerEngine(client: client, settings: settings, installation: installation, logger: Logger(label: "docker"))
  }

  func makeImage(runScript: String) async throws -> String { try await docker.makeImage(runScript: runScript) }

  func killFirstProcess(of id: ContainerID) async throws {
    guard let pid = try await client.inspect(id.rawValue)?.State.Pid, pid > 1 else { throw DockerFailure.unreadable("no PID 1 of \(id)") }
    kill(pid, SIGKILL)
  }

  func tearDown() async throws {
    for listed in try await client.containers(labelled: "runnerhub.installation=\(installation)") {
      for name in listed.Names { try await client.remove(String(name.dropFirst())) }
    }
  }

  /// A spec of a fresh name.
  func spec(_ script: String, reusable: Bool = false, memory: Int64 = 64) async throws -> ContainerSpec {
    ContainerSpec(
      id: ContainerID(rawValue: "rh-docker-\(RandomIdentitySource().token(digits: 10))"), pool: "test",
      image: try await makeImage(runScript: "#!/bin/sh\n" + script),
      resources: Resources(milliCPUs: 500, memory: ByteCount(mebibytes: memory)), isReusable: reusable)
  }

  /// A container of this script whose first use has begun.
  func container(_ script: String, reusable: Bool = false, memory: Int64 = 64, go: Bool = true) async throws -> ContainerID {
    let spec = try await spec(script, reusable: reusable, memory: memory)
    try await engine.create(spec)
    try await engine.start(spec.id)
    if go { try await engine.put([RunnerFile(path: ".runnerhub-go", contents: Data("1".utf8), mode: 0o600)], into: spec.id) }
    return spec.id
  }

  func exit(of id: ContainerID) async throws -> Int32? {
    try await eventually("the exit of \(id)") {
      if case .exited(let code) = try await engine.inspect(id)?.status { return .some(code) }
      return nil
    }
  }

  func log(of id: ContainerID, use: Int = 1) async throws -> String {
    var bytes = Data()
    while true {
      let more = try await engine.log(of: id, use: use, from: Int64(bytes.count))
      if more.isEmpty { return String(decoding: bytes, as: UTF8.self) }
      bytes += more
    }
  }

  /// Tries something, and removes what it made.
  static func with(_ docker: PrivateDocker? = nil, _ body: (DockerBench) async throws -> Void) async throws {
    let bench = try await DockerBench(docker)
    do {
      try await body(bench)
    } catch {
      try await bench.tearDown()
      throw error
    }
    try await bench.tearDown()
  }
}
