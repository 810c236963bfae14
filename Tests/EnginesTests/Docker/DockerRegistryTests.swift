import Contracts
import Domain
import Foundation
import NIOHTTP1
import PrivateDocker
import RunnerHub
import Synchronization
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

  @Test("a registry that asks for a log-in gives its images to who has one, and to nobody else", .timeLimit(.minutes(1)))
  func withLogIn() async throws {
    let docker = try await PrivateDocker.shared()
    try await DockerBench.with { bench in
      try await Registry.with(address: docker.address, asksForLogIn: true) { registry in
        let local = try await bench.makeImage(runScript: "#!/bin/sh\necho secret\n")
        let log = DockerRegistry(host: registry.address, user: "runner", password: "sesame")
        try await registry.push(local, as: "acme/private", tag: "1", from: docker, logIn: log.header)
        var puller = bench
        puller.settings.pull = .missing
        puller.settings.registries = [log]
        let image = "\(registry.address)/acme/private:1"
        let told = TestProgress()
        try await puller.engine.fetch(image, anew: false) { told.note($0) }
        #expect(try await puller.client.hasImage(image))
        #expect(told.count > 0)
        // It is there: nothing is asked of the registry.
        puller.settings.registries = [DockerRegistry(host: registry.address, user: "runner", password: "wrong")]
        try await puller.engine.fetch(image, anew: false) { _ in }
        // Asked for anew, the registry decides, and the password is in no message.
        let again = puller.engine
        let outcome = await #expect(throws: EngineError.self) { try await again.fetch(image, anew: true) { _ in } }
        #expect(outcome.map { !"\($0)".contains("wrong") } == true)
      }
    }
  }

  @Test("a tag that was moved is another image once it is fetched anew", .timeLimit(.minutes(1)))
  func movedTag() async throws {
    let docker = try await PrivateDocker.shared()
    try await DockerBench.with { bench in
      try await Registry.with(address: docker.address) { registry in
        var puller = bench
        puller.settings.pull = .missing
        let image = "\(registry.address)/acme/moving:1"
        let engine = puller.engine
        func runs() async throws -> String {
          var spec = try await bench.spec("exit 0")
          spec.image = image
          try await engine.create(spec)
          try await engine.start(spec.id)
          try await engine.put([RunnerFile(path: ".runnerhub-go", contents: Data("1".utf8), mode: 0o600)], into: spec.id)
          _ = try await puller.exit(of: spec.id)
          return try await puller.log(of: spec.id)
        }
        try await registry.push(
          try await bench.makeImage(runScript: "#!/bin/sh\necho first\n"), as: "acme/moving", tag: "1", from: docker)
        #expect(try await runs() == "first\n")
        struct Known: Decodable { var Id: String }
        let first: Known = try await bench.client.json(
          DockerClient.Call(method: .GET, path: "/images/\(DockerClient.escaped(image))/json"))
        // Pushed from here under the same name, which then means the first one again, as on a host that has not heard of it.
        try await registry.push(
          try await bench.makeImage(runScript: "#!/bin/sh\necho second\n"), as: "acme/moving", tag: "1", from: docker)
        _ = try await bench.client.send(
          DockerClient.Call(
            method: .POST, path: "/images/\(first.Id)/tag", query: [("repo", "\(registry.address)/acme/moving"), ("tag", "1")]))
        try await engine.fetch(image, anew: false) { _ in }
        #expect(try await runs() == "first\n")
        try await engine.fetch(image, anew: true) { _ in }
        #expect(try await runs() == "second\n")
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

/// Counts what is told.
private final class TestProgress: Sendable {
  private let told = Mutex(0)
  var count: Int { told.withLock { $0 } }
  func note(_ words: String) { told.withLock { $0 += 1 } }
}
