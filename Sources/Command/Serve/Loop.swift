import Foundation
import Logging
import ServiceLifecycle
import UnixSignals

/// A loop that runs until shutdown.
struct Loop: Service {
  private let name: String
  private let body: @Sendable () async throws -> Void

  init(_ name: String, _ body: @escaping @Sendable () async throws -> Void) {
    self.name = name
    self.body = body
  }

  func run() async throws {
    do {
      try await cancelWhenGracefulShutdown(body)
    } catch is CancellationError {
      return
    }
  }
}

/// Ends the process at once when a second signal comes: somebody does not want to wait for the drain.
struct SecondSignal: Service {
  let logger: Logger

  func run() async {
    // The first of all services, so the last to be shut down: it watches for the whole drain.
    await cancelWhenGracefulShutdown { await watch() }
  }

  private func watch() async {
    var received = 0
    for await signal in await UnixSignalsSequence(trapping: .sigterm, .sigint) {
      received += 1
      if received < 2 { continue }
      logger.critical("second signal (\(signal)): ended at once; the next start goes on with what is left")
      _exit(130)
    }
  }
}
