import Hummingbird
import NIOCore
import ServiceLifecycle
import Synchronization

/// Server-sent events (WHATWG HTML, "Server-sent events"): the status, when it changed.
final class EventStreams: Sendable {
  /// Readers at the same time. They share the readings of the store.
  static let maximum = 32
  /// A change is told at most this often.
  static let pace: Duration = .milliseconds(500)
  /// Times are told anew this often even without a change, in steps of the pace; also shows that a reader has gone.
  static let refresh = 4

  private let source: any StatusSource
  private let readers = Mutex(0)

  init(source: any StatusSource) {
    self.source = source
  }

  /// What a `HEAD` is told.
  static var head: Response {
    Response(status: .ok, headers: [.contentType: "text/event-stream", .cacheControl: "no-store"])
  }

  /// A stream until the reader leaves or the server shuts down.
  func open() -> Response {
    guard readers.withLock({ $0 < Self.maximum }) else {
      return JSONAnswer.status(.serviceUnavailable, ["status": "busy", "reason": "too many readers of events; try again later"])
    }
    var response = Self.head
    response.body = ResponseBody { writer in
      self.readers.withLock { $0 += 1 }
      defer { self.readers.withLock { $0 -= 1 } }
      try await self.write(to: &writer)
      try await writer.finish(nil)
    }
    return response
  }

  private func write(to writer: inout any ResponseBodyWriter) async throws {
    var told: UInt64?
    var quiet = 0
    while true {
      if told != source.revision || quiet >= Self.refresh {
        let event = await event()
        // What was told may be of before the last change: then the next step asks again.
        told = event.revision
        quiet = 0
        try await writer.write(ByteBuffer(string: event.text))
      }
      quiet += 1
      do {
        try await cancelWhenGracefulShutdown { try await Task.sleep(for: Self.pace) }
      } catch is CancellationError {
        return
      }
      if Task.isShuttingDownGracefully { return }
    }
  }

  /// One event. A status that cannot be read is told as such: the reader keeps what it has.
  private func event() async -> (text: String, revision: UInt64) {
    let revision = source.revision
    do {
      let overview = try await source.overview(jobs: AdministrationResponder.pageRows)
      let json = try JSONAnswer.data(overview)
      return ("event: status\ndata: \(String(decoding: json, as: UTF8.self))\n\n", overview.revision)
    } catch {
      return ("event: unavailable\ndata: {\"reason\":\"the store cannot be read now\"}\n\n", revision)
    }
  }
}
