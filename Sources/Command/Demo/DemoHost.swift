import AsyncHTTPClient
import Foundation
import NIOCore
import NIOFoundationCompat
import NIOHTTP1
import Subprocess
import SystemPackage

/// `runnerhub emulator` and `runnerhub serve` as processes of their own, on free loopback ports, in a folder that is removed afterwards.
struct DemoHost: Sendable {
  let folder: URL
  let emulator: String
  let client: AdministrationClient
  let engine: DemoEngine
  var data: URL { folder.appending(path: "data", directoryHint: .isDirectory) }

  struct Failure: Error, CustomStringConvertible {
    var description: String
  }

  /// Starts both, hands them to the body, and ends both when it returns or throws.
  /// - Parameter policies: the folder of policies.
  static func with<Result: Sendable>(
    policies: String, engine: DemoEngine, _ body: @escaping @Sendable (DemoHost) async throws -> Result
  ) async throws -> Result {
    let folder = FileManager.default.temporaryDirectory.appending(
      path: "runnerhub-demo-\(UUID().uuidString.prefix(8))", directoryHint: .isDirectory)
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
    do {
      let result = try await start(in: folder, policies: policies, engine: engine, body)
      try FileManager.default.removeItem(at: folder)
      return result
    } catch is CancellationError {
      try FileManager.default.removeItem(at: folder)
      throw CancellationError()
    } catch {
      Terminal.say("what was left to look at: \(folder.path(percentEncoded: false)) (serve.log, emulator.log, data)")
      throw error
    }
  }

  private static func start<Result: Sendable>(
    in folder: URL, policies: String, engine: DemoEngine, _ body: @escaping @Sendable (DemoHost) async throws -> Result
  ) async throws -> Result {
    let webhooks = "127.0.0.1:\(try freePort())"
    let secrets = ["GITHUB_TOKEN": "ghp_\(UUID().uuidString)", "GITHUB_WEBHOOK_SECRET": UUID().uuidString]
    return try await withThrowingTaskGroup(of: Result?.self) { group in
      group.addTask {
        try await run(
          [
            "emulator", "--listen", "\(engine.address):0", "--webhook-url", "http://\(webhooks)/webhooks/github", "--traditional-runner",
            "legacy-win-1=self-hosted,windows",
          ],
          secrets, log: folder.appending(path: "emulator.log"))
        return nil
      }
      let emulator = try await announcement(of: "local GitHub on ", in: folder.appending(path: "emulator.log"))
      let configuration = folder.appending(path: "runnerhub.yaml")
      try text(
        webhooks: webhooks, emulator: emulator, policies: policies, data: folder.appending(path: "data").path(percentEncoded: false),
        engine: engine
      ).write(to: configuration, atomically: true, encoding: .utf8)
      group.addTask {
        try await run(["serve", "--config", configuration.path(percentEncoded: false)], secrets, log: folder.appending(path: "serve.log"))
        return nil
      }
      _ = try await announcement(of: "status page ", in: folder.appending(path: "serve.log"))
      guard let announced = Announcement.read(directory: folder.appending(path: "data")) else {
        throw Failure(description: "serve did not announce itself")
      }
      let host = DemoHost(
        folder: folder, emulator: emulator, client: AdministrationClient(address: announced.administration), engine: engine)
      group.addTask { try await body(host) }
      // A server that ends first has failed: the body never returns nil.
      guard let result = try await group.next() ?? nil else { throw Failure(description: "a server ended early: see its log") }
      group.cancelAll()
      while try await group.next() != nil {}
      return result
    }
  }

  /// Commits files to the local GitHub and starts the workflows of an event.
  func push(_ files: [String: String], event: String) async throws {
    struct Push: Encodable {
      var repository = DemoRepository.name
      var files: [String: String]
      var event: String
    }
    var request = HTTPClientRequest(url: emulator + "/_emulator/push")
    request.method = .POST
    request.body = .bytes(try JSONEncoder().encode(Push(files: files, event: event)))
    let response = try await HTTPClient.shared.execute(request, timeout: .seconds(10))
    guard response.status.code < 300 else {
      throw Failure(description: "the local GitHub refused a push: \(String(buffer: try await response.body.collect(upTo: 1 << 20)))")
    }
  }

  // MARK: - Parts

  private static func text(webhooks: String, emulator: String, policies: String, data: String, engine: DemoEngine) -> String {
    let (section, pool) = engine.configuration
    return """
      webhooks: { listen: "\(webhooks)" }
      administration: { listen: "127.0.0.1:0" }
      github: { api-url: "\(emulator)", organization: acme }
      data-directory: "\(data)"
      policies: { directory: "\(policies)" }
      \(section)
      pools:
        demo: { \(pool), labels: [self-hosted, linux, docker, deploy], maximum: 4, warm: 3, reuse: 5, images: ["ghcr.io/acme/*"] }

      """
  }

  /// One of our own commands, until it ends or the task is cancelled; then it gets SIGTERM, and time to drain.
  private static func run(_ arguments: [String], _ secrets: [String: String], log: URL) async throws {
    var environment: [Environment.Key: String] = ["PATH": ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/bin"]
    for (name, value) in secrets { environment[Environment.Key(rawValue: name) ?? "PATH"] = value }
    var options = PlatformOptions()
    options.teardownSequence = [.send(signal: .terminate, allowedDurationToNextStep: .seconds(20))]
    // Ctrl-C goes to the demonstration alone, which ends them in their order.
    options.createSession = true
    let file = try FileDescriptor.open(
      FilePath(log.path(percentEncoded: false)), .writeOnly, options: [.create, .append], permissions: .ownerReadWrite)
    let outcome = try await Subprocess.run(
      .path(FilePath(try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe"))), arguments: Arguments(arguments),
      environment: .custom(environment), platformOptions: options,
      output: .fileDescriptor(file, closeAfterSpawningProcess: false), error: .fileDescriptor(file, closeAfterSpawningProcess: true))
    if !Task.isCancelled {
      throw Failure(
        description: "runnerhub \(arguments[0]) ended early (\(outcome.terminationStatus)): see \(log.path(percentEncoded: false))")
    }
  }

  /// The rest of the line in which a server says where it listens.
  private static func announcement(of words: String, in log: URL) async throws -> String {
    let deadline = ContinuousClock.now + .seconds(30)
    while ContinuousClock.now < deadline {
      let text = FileManager.default.contents(atPath: log.path(percentEncoded: false)).map { String(decoding: $0, as: UTF8.self) } ?? ""
      for line in text.split(separator: "\n") {
        if let range = line.range(of: words) { return String(line[range.upperBound...]) }
      }
      try await Task.sleep(for: .milliseconds(20))
    }
    throw Failure(description: "a server did not start within 30 s: see \(log.path(percentEncoded: false))")
  }

  /// A loopback port that is free now. Another process may take it before serve does; serve says so then.
  private static func freePort() throws -> Int {
    let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    guard descriptor >= 0 else { throw Failure(description: "no socket can be opened: \(String(cString: strerror(errno)))") }
    defer { close(descriptor) }
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    let isBound = withUnsafeMutablePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        bind(descriptor, $0, length) == 0 && getsockname(descriptor, $0, &length) == 0
      }
    }
    guard isBound else { throw Failure(description: "no port is free on 127.0.0.1: \(String(cString: strerror(errno)))") }
    return Int(UInt16(bigEndian: address.sin_port))
  }
}
