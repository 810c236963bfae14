import Hummingbird
import NIOCore
import Synchronization

/// Reads bodies of senders that nobody has verified yet: each is capped, and so is what all of them hold together.
final class BodyCollector: Sendable {
  /// Why a body was not read to its end.
  enum Refusal: Error {
    case tooLarge
    /// Other bodies hold all the memory that bodies may have.
    case busy
  }

  private let maximum: Int
  private let total: Int
  private let held = Mutex(0)

  /// - Parameters:
  ///   - maximum: bytes of one body.
  ///   - total: bytes of all bodies that are being read or answered.
  init(maximum: Int, total: Int) {
    self.maximum = maximum
    self.total = total
  }

  /// Reads a body and runs `use` with it; the bytes count as held until `use` has returned.
  func withBody<Result: Sendable>(of request: Request, _ use: (ByteBuffer) async -> Result) async throws -> Result {
    if let announced = request.headers[.contentLength].flatMap({ Int($0) }), announced > maximum { throw Refusal.tooLarge }
    var reserved = 0
    defer { release(reserved) }
    var body = ByteBuffer()
    for try await var part in request.body {
      guard part.readableBytes <= maximum - body.readableBytes else { throw Refusal.tooLarge }
      guard reserve(part.readableBytes) else { throw Refusal.busy }
      reserved += part.readableBytes
      body.writeBuffer(&part)
    }
    return await use(body)
  }

  private func reserve(_ bytes: Int) -> Bool {
    held.withLock {
      guard bytes <= total - $0 else { return false }
      $0 += bytes
      return true
    }
  }

  private func release(_ bytes: Int) {
    held.withLock { $0 -= bytes }
  }
}
