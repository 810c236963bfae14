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
        let name = "\(registry)/acme/runner"
        try await Registry.push(local, as: name, tag: "7", socket: docker.socket)

        var puller = bench
        puller.settings.pull = .missing
        var spec = try await bench.spec("exit 0")
        spec.image = "\(name):7"
        try await puller.engine.create(spec)
        try await puller.engine.start(spec.id)
        try await puller.engine.put([RunnerFile(path: ".runnerhub-go", contents: Data("1".utf8), mode: 0o600)], into: spec.id)
        _ = try await puller.exit(of: spec.id)
        #expect(try await puller.log(of: spec.id) == "fetched\n")

        for (image, isMissing) in [("\(name):8", true), ("\(registry)/acme/nothing:1", true), ("\(docker.address):1/acme/runner:7", false)]
        {
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
}

/// A docker-registry of a test's own.
private enum Registry {
  static func with(address: String, _ body: (String) async throws -> Void) async throws {
    let folder = FileManager.default.temporaryDirectory.appending(path: "runnerhub-registry-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    // Above the ports that the kernel hands out.
    let port = Int.random(in: 61_000...64_999)
    let text = """
      version: 0.1
      storage: {filesystem: {rootdirectory: \(folder.path(percentEncoded: false))data}}
      http: {addr: "\(address):\(port)"}
      log: {level: error}

      """
    let configuration = folder.appending(path: "registry.yml")
    try Data(text.utf8).write(to: configuration)
    let process = Process()
    process.executableURL = URL(filePath: "/usr/bin/docker-registry")
    process.arguments = ["serve", configuration.path(percentEncoded: false)]
    process.standardInput = FileHandle.nullDevice
    process.standardOutput = FileHandle.nullDevice
    process.standardError = FileHandle.nullDevice
    try process.run()
    defer {
      process.terminate()
      kill(process.processIdentifier, SIGKILL)
      process.waitUntilExit()
    }
    _ = try await eventually("the registry") { try await curl(["http://\(address):\(port)/v2/"]) == 0 ? true : nil }
    try await body("\(address):\(port)")
  }

  static func push(_ image: String, as name: String, tag: String, socket: String) async throws {
    for path in ["images/\(image)/tag?repo=\(name)&tag=\(tag)", "images/\(name)/push?tag=\(tag)"] {
      // Docker wants a log-in also where the registry does not: `{}`.
      let status = try await curl(["--unix-socket", socket, "-X", "POST", "-H", "X-Registry-Auth: e30=", "http://docker/\(path)"])
      guard status == 0 else { throw DockerFailure.unreadable("curl ended with \(status) for \(path)") }
    }
    for gone in ["\(name):\(tag)", image] {
      _ = try await curl(["--unix-socket", socket, "-X", "DELETE", "http://docker/images/\(gone)"])
    }
  }

  private static func curl(_ arguments: [String]) async throws -> Int32 {
    let process = Process()
    process.executableURL = URL(filePath: "/usr/bin/curl")
    process.arguments = ["--silent", "--fail", "--max-time", "60", "--output", "/dev/null"] + arguments
    process.standardInput = FileHandle.nullDevice
    return try await withCheckedThrowingContinuation { continuation in
      process.terminationHandler = { continuation.resume(returning: $0.terminationStatus) }
      do { try process.run() } catch { continuation.resume(throwing: error) }
    }
  }
}
