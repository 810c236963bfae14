import Hummingbird
import RunnerHub
import ServiceLifecycle

/// Runs a listener for as long as something is measured.
enum Listening {
  /// - Parameters:
  ///   - make: the listener; it tells its port to the given function.
  ///   - body: gets the port.
  static func serving<Value: Sendable>(
    _ make: (@escaping @Sendable (Int) async -> Void) throws -> any Service, body: @escaping @Sendable (Int) async throws -> Value
  ) async throws -> Value {
    let (ports, port) = AsyncStream.makeStream(of: Int.self)
    let service = try make { port.yield($0) }
    let group = ServiceGroup(configuration: .init(services: [.init(service: service)], logger: .quiet))
    return try await withThrowingTaskGroup(of: Void.self) { tasks in
      tasks.addTask { try await group.run() }
      guard let bound = await ports.first(where: { _ in true }) else { throw BenchmarkFailure("the listener did not start") }
      let value = try await body(bound)
      await group.triggerGracefulShutdown()
      try await tasks.waitForAll()
      return value
    }
  }
}

/// The least that Hummingbird can do: reads a body and answers with 202.
enum BareServer {
  static func serving<Value: Sendable>(_ body: @escaping @Sendable (Int) async throws -> Value) async throws -> Value {
    try await Listening.serving { onServerRunning in
      let router = Router()
      router.post("/webhooks/github") { request, _ in
        _ = try await request.body.collect(upTo: 1 << 20)
        return HTTPResponse.Status.accepted
      }
      return Application(
        router: router, configuration: .init(address: .hostname("127.0.0.1", port: 0)),
        onServerRunning: { await onServerRunning($0.localAddress?.port ?? 0) }, logger: .quiet)
    } body: {
      try await body($0)
    }
  }
}
