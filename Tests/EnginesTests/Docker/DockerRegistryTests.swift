import Contracts
import Domain
import Foundation
import PrivateDocker
import RunnerHub
import Testing

@testable import Engines

/// Images from a real registry (Debian's docker-registry).
@Suite("Images from a registry", .serialized)
struct DockerRegistryTests {
  @Test(
    "an image that only the registry has is fetched once; what it does not have, and a registry that is not there, are told apart",
    .timeLimit(.minutes(2)))
  func pulls() async throws {
    let docker = try await PrivateDocker.shared()
    try await DockerBench.with { bench in
      try await Registry.with(address: docker.address) { registry in
        let local = try await bench.makeImage(runScript: "#!/bin/sh\necho fetched\n")
        let name = "\(registry.address)/acme/runner"
        try await registry.push(local, as: "acme/runner", tag: "7", from: docker)

        var puller = bench
        puller.settings.pull = .missing
        var spec = try await bench.spec("exit 0")
        spec.image = "\(name):7"
        try await puller.engine.create(spec)
        try await puller.engine.start(spec.id)
        try await puller.engine.put([RunnerFile(path: ".runnerhub-go", contents: Data("1".utf8), mode: 0o600)], into: spec.id)
        _ = try await puller.exit(of: spec.id)
        #expect(try await puller.log(of: spec.id) == "fetched\n")

        let digest = "sha256:" + String(repeating: "0", count: 64)
        for (image, isMissing) in [
          ("\(name):8", true), ("\(name)@\(digest)", true), ("\(registry.address)/acme/nothing:1", true),
          ("\(docker.address):1/acme/runner:7", false),
        ] {
          var other = try await bench.spec("exit 0")
          other.image = image
          do {
            try await puller.engine.create(other)
            Issue.record("\(image) was made")
          } catch EngineError.notFound {
            #expect(isMissing, "\(image)")
          } catch EngineError.unavailable(let why) {
            #expect(!isMissing && why.contains("connection refused"), "\(image): \(why)")
          }
          #expect(try await puller.engine.inspect(other.id) == nil)
        }
      }
    }
  }

  @Test("a registry that asks for a log-in is said to do so", .timeLimit(.minutes(1)))
  func logIn() async throws {
    let docker = try await PrivateDocker.shared()
    try await DockerBench.with { bench in
      try await Registry.with(address: docker.address, asksForLogIn: true) { registry in
        try await expectUnavailable("\(registry.address)/acme/runner:1", because: "no basic auth credentials", on: bench)
      }
    }
  }

  @Test("a layer that was tampered with in the registry makes no container, though the pull began with 200", .timeLimit(.minutes(1)))
  func tampered() async throws {
    let docker = try await PrivateDocker.shared()
    try await DockerBench.with { bench in
      try await Registry.with(address: docker.address) { registry in
        let local = try await bench.makeImage(runScript: "#!/bin/sh\necho tampered \(UUID().uuidString)\n")
        try await registry.push(local, as: "acme/tampered", tag: "1", from: docker)
        try registry.spoilLargestBlob()
        try await expectUnavailable("\(registry.address)/acme/tampered:1", because: "verification failed", on: bench)
      }
    }
  }

  private func expectUnavailable(_ image: String, because reason: String, on bench: DockerBench) async throws {
    var puller = bench
    puller.settings.pull = .missing
    let engine = puller.engine
    var wanted = try await bench.spec("exit 0")
    wanted.image = image
    let spec = wanted
    let outcome = await #expect(throws: EngineError.self) { try await engine.create(spec) }
    guard case .unavailable(let why) = outcome else {
      Issue.record("\(String(describing: outcome))")
      return
    }
    #expect(why.contains(reason), "\(why)")
    #expect(try await engine.inspect(spec.id) == nil)
  }
}
