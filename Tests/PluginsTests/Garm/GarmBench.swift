import Contracts
import Domain
import Engines
import Foundation
import Glibc
import Logging
import RunnerHub
import ServiceLifecycle
import Testing
import Web

@testable import Plugins

/// An installation with one pool of machines, which the provider of `plugins/garm-local` makes, and a listener that they call.
struct GarmBench: Sendable {
  static let provider = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent().appending(path: "plugins/garm-local/provider.py").path(percentEncoded: false)

  let folder = FileManager.default.temporaryDirectory.appending(path: "runnerhub-garm-\(RandomIdentitySource().token(digits: 12))")
  let port: Int
  var settings: GarmSettings
  let pool: Pool
  private let logger: Logger

  private init(port: Int, change: (inout GarmSettings) -> Void) throws {
    self.port = port
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    let path = folder.path(percentEncoded: false)
    settings = GarmSettings()
    settings.providerConfig = "\(path)/provider.json"
    settings.listInterval = .zero
    settings.runnerHome = "\(path)/machines/{machine}/actions-runner"
    change(&settings)
    pool = Pool(
      name: "cloud", engine: "garm-local", image: "\(path)/image", labels: Labels(["self-hosted"]),
      resources: Resources(milliCPUs: 1000, memory: ByteCount(gibibytes: 1)), minimum: 0, maximum: 4, warm: 0)
    var logger = Logger(label: "garm")
    logger.logLevel = .critical
    self.logger = logger
    try misbehave([:])
  }

  var path: String { folder.path(percentEncoded: false) }

  /// A provider that behaves as the real ones do at their worst; see `provider.py`.
  func misbehave(_ wrongs: [String: Any]) throws {
    let configuration: [String: Any] = ["directory": "\(path)/machines", "misbehave": wrongs]
    try JSONSerialization.data(withJSONObject: configuration).write(to: URL(filePath: "\(path)/provider.json"), options: .atomic)
  }

  func runScript(_ script: String) throws {
    let file = folder.appending(path: "image/run.sh")
    try FileManager.default.createDirectory(at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
    try Data(("#!/bin/sh\n" + script).utf8).write(to: file)
    try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: file.path(percentEncoded: false))
  }

  var execution: any ProviderExecution { execution(Self.provider) }

  func execution(_ path: String) -> any ProviderExecution {
    ProviderProcess(
      PluginProgram(
        command: [path], folder: folder, directory: folder, abilities: [.network, .read("/"), .write("/")], leavesChildren: true))
  }

  /// A new one over the same place each time, as after a restart.
  func engine(_ execution: (any ProviderExecution)? = nil) throws -> GarmEngine {
    try GarmEngine(
      name: "garm-local", settings: settings,
      surroundings: GarmSurroundings(
        installation: "bench", baseURL: "http://127.0.0.1:\(port)/", repositoryURL: "https://github.com/acme",
        firstProcess: FirstProcess.script,
        pools: [pool]), execution: execution ?? self.execution, directory: "\(path)/data", logger: logger)
  }

  func client(configFile: String? = nil) -> GarmProvider {
    GarmProvider(
      execution: execution, settings: settings, controllerID: GarmIdentity.uuid(of: "controller", "bench"),
      configFile: configFile ?? "\(path)/provider.json", hostEnvironment: [:])
  }

  var garmPool: GarmPool { settings.pool(pool.name, image: pool.image, installation: "bench") }

  func spec(_ name: String = "rh-cloud-\(RandomIdentitySource().token(digits: 8))", reusable: Bool = false) -> ContainerSpec {
    ContainerSpec(
      id: ContainerID(rawValue: name), pool: pool.name, image: pool.image, resources: pool.resources, isReusable: reusable)
  }

  /// Machines that are there, whatever RunnerHub knows of them.
  var machines: [String] {
    ((try? FileManager.default.contentsOfDirectory(atPath: "\(path)/machines")) ?? []).filter { !$0.hasPrefix(".") }.sorted()
  }

  /// Whether the cloud has written down a machine, which may be a half.
  func isThere(_ id: ContainerID) -> Bool { FileManager.default.fileExists(atPath: "\(path)/machines/\(id)/machine.json") }

  var processes: [Int32] {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []
    return names.compactMap(Int32.init).filter { pid in
      guard let line = FileManager.default.contents(atPath: "/proc/\(pid)/cmdline") else { return false }
      return String(decoding: line, as: UTF8.self).contains(path)
    }
  }

  // MARK: - Running

  /// Without a listener.
  static func run(_ change: (inout GarmSettings) -> Void = { _ in }, _ body: (GarmBench) async throws -> Void) async throws {
    let bench = try GarmBench(port: 9, change: change)
    let result: Result<Void, any Error>
    do { result = .success(try await body(bench)) } catch { result = .failure(error) }
    try bench.tearDown()
    try result.get()
  }

  /// With a listener that answers machines by the engine.
  static func serve(
    _ script: String, _ change: @Sendable @escaping (inout GarmSettings) -> Void = { _ in },
    _ body: @Sendable @escaping (GarmBench, GarmEngine) async throws -> Void
  ) async throws {
    let bench = try GarmBench(port: try freePort(), change: change)
    try bench.runScript(script)
    let engine = try bench.engine()
    let (ready, isReady) = AsyncStream.makeStream(of: Int.self)
    let quiet = bench.logger
    let server = WebhookServer(
      handler: OrchestratorWebhookHandler(
        secrets: try WebhookSecrets(["secret"]), inbox: NoInbox(), metrics: PrometheusMetrics(), logger: quiet, wake: {}),
      machines: GarmDesk(engines: [engine]), options: ListenerOptions(host: "127.0.0.1", port: bench.port) { isReady.yield($0) },
      logger: quiet)
    let group = ServiceGroup(services: [server], logger: quiet)
    let result: Result<Void, any Error>
    do {
      try await withThrowingTaskGroup(of: Void.self) { tasks in
        tasks.addTask { try await group.run() }
        var ports = ready.makeAsyncIterator()
        _ = await ports.next()
        let outcome: Result<Void, any Error>
        do { outcome = .success(try await body(bench, engine)) } catch { outcome = .failure(error) }
        await group.triggerGracefulShutdown()
        tasks.cancelAll()
        try outcome.get()
      }
      result = .success(())
    } catch {
      result = .failure(error)
    }
    try bench.tearDown()
    try result.get()
  }

  private func tearDown() throws {
    for pid in processes { kill(pid, SIGKILL) }
    try FileManager.default.removeItem(at: folder)
  }

  private static func freePort() throws -> Int {
    let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    try #require(descriptor >= 0)
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
    try #require(isBound)
    return Int(UInt16(bigEndian: address.sin_port))
  }
}

/// No delivery comes here.
private struct NoInbox: RunnerHub.Inbox {
  func append(_ delivery: Delivery) async throws(StoreError) -> DeliveryReceipt { throw .unavailable("there is no inbox") }
  func pendingDeliveries(limit: Int) async throws(StoreError) -> [StoredDelivery] { [] }
  func recentDeliveries(limit: Int) async throws(StoreError) -> [StoredDelivery] { [] }
  func deliveryCounts() async throws(StoreError) -> [DeliveryStatus: Int] { [:] }
}
