import Foundation
import NIOCore
import NIOPosix
import Synchronization

/// A unix socket that answers as Docker does, byte by byte as a test wants it: split, late, cut off, or not at all.
final class FakeDaemon: Sendable {
  enum Step: Sendable {
    case bytes([UInt8])
    /// The end of the connection.
    case close
  }

  /// What is answered to a request, of which the method and the path without version are given, and how many of the same came before.
  typealias Answer = @Sendable (_ request: String, _ earlier: Int) -> [Step]

  let socket: String
  private let channel: any Channel
  private let log: Requests

  fileprivate final class Requests: Sendable {
    private let all = Mutex<[(line: String, name: String)]>([])
    /// Whole request lines: `GET /v1.41/info`.
    var lines: [String] { all.withLock { $0.map(\.line) } }
    func add(_ line: String, _ name: String) -> Int {
      all.withLock { requests in
        requests.append((line, name))
        return requests.count { $0.name == name } - 1
      }
    }
  }

  var requests: [String] { log.lines }

  private init(socket: String, channel: any Channel, log: Requests) {
    self.socket = socket
    self.channel = channel
    self.log = log
  }

  /// Runs one while the body runs. A ping is answered for the API 1.41 unless the answer has steps for it.
  static func with(_ answer: @escaping Answer, _ body: (FakeDaemon) async throws -> Void) async throws {
    let socket = "/tmp/rh-fake-\(UUID().uuidString.prefix(8)).sock"
    let log = Requests()
    let channel = try await ServerBootstrap(group: .singletonMultiThreadedEventLoopGroup)
      .childChannelInitializer { channel in
        channel.eventLoop.makeCompletedFuture { try channel.pipeline.syncOperations.addHandler(Handler(answer: answer, log: log)) }
      }
      .bind(unixDomainSocketPath: socket).get()
    let daemon = FakeDaemon(socket: socket, channel: channel, log: log)
    let failure: (any Error)?
    do {
      try await body(daemon)
      failure = nil
    } catch {
      failure = error
    }
    try await channel.close()
    try? FileManager.default.removeItem(atPath: socket)
    if let failure { throw failure }
  }

  // MARK: Answers

  /// A whole answer of a status and a JSON body, in pieces of so many bytes.
  static func json(_ body: String, pieces: Int = .max) -> [Step] { json(200, body, pieces: pieces) }

  static func json(_ status: Int, _ body: String, pieces: Int = .max) -> [Step] {
    let head = "HTTP/1.1 \(status) X\r\nApi-Version: 1.41\r\nContent-Type: application/json\r\nContent-Length: \(body.utf8.count)\r\n\r\n"
    return split(Array(head.utf8) + Array(body.utf8), pieces)
  }

  /// A chunked answer, as Docker streams: each part a chunk.
  /// - Parameter isCut: the connection ends without the last chunk.
  static func stream(_ parts: [[UInt8]], pieces: Int = .max, isCut: Bool = false) -> [Step] {
    var bytes = Array("HTTP/1.1 200 OK\r\nApi-Version: 1.41\r\nTransfer-Encoding: chunked\r\n\r\n".utf8)
    for part in parts { bytes += Array("\(String(part.count, radix: 16))\r\n".utf8) + part + Array("\r\n".utf8) }
    if !isCut { bytes += Array("0\r\n\r\n".utf8) }
    return split(bytes, pieces) + (isCut ? [.close] : [])
  }

  static func ping(_ version: String?) -> [Step] {
    let header = version.map { "Api-Version: \($0)\r\n" } ?? ""
    return [.bytes(Array("HTTP/1.1 200 OK\r\n\(header)Content-Length: 2\r\n\r\nOK".utf8))]
  }

  /// A frame of a log.
  static func frame(_ text: String, stream: UInt8 = 1) -> [UInt8] {
    let payload = Array(text.utf8)
    let length = withUnsafeBytes(of: UInt32(payload.count).bigEndian) { Array($0) }
    return [stream, 0, 0, 0] + length + payload
  }

  private static func split(_ bytes: [UInt8], _ size: Int) -> [Step] {
    guard size < bytes.count else { return [.bytes(bytes)] }
    return stride(from: 0, to: bytes.count, by: size).map { .bytes(Array(bytes[$0..<min($0 + size, bytes.count)])) }
  }

  /// Reads requests, of which only the lines matter, and plays the answers.
  private final class Handler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer
    private let answer: Answer
    private let log: Requests
    private var received = ByteBuffer()

    init(answer: @escaping Answer, log: Requests) {
      self.answer = answer
      self.log = log
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
      var bytes = unwrapInboundIn(data)
      received.writeBuffer(&bytes)
      let text = String(buffer: received)
      guard let end = text.range(of: "\r\n\r\n") else { return }
      let lines = text[..<end.lowerBound].components(separatedBy: "\r\n")
      let length = lines.first { $0.lowercased().hasPrefix("content-length:") }.flatMap {
        Int($0.dropFirst(15).trimmingCharacters(in: .whitespaces))
      }
      guard text[end.upperBound...].utf8.count >= length ?? 0 else { return }
      received.clear()
      let words = lines[0].split(separator: " ").map(String.init)
      var path = words[1].split(separator: "?")[0]
      if path.hasPrefix("/v1.") { path = path.dropFirst(1).drop { $0 != "/" } }
      let name = "\(words[0]) \(path)"
      let earlier = log.add("\(words[0]) \(words[1])", name)
      var steps = answer(name, earlier)
      if steps.isEmpty, name == "GET /_ping" { steps = FakeDaemon.ping("1.41") }
      play(steps[...], context)
    }

    private func play(_ steps: ArraySlice<Step>, _ context: ChannelHandlerContext) {
      guard let step = steps.first else { return }
      switch step {
      case .close: context.close(promise: nil)
      case .bytes(let bytes):
        let next = NIOLoopBound((self, context), eventLoop: context.eventLoop)
        let rest = steps.dropFirst()
        context.writeAndFlush(wrapOutboundOut(ByteBuffer(bytes: bytes))).whenSuccess {
          // In a turn of its own, so that the reader sees the pieces apart.
          next.eventLoop.scheduleTask(in: .microseconds(200)) {
            let (handler, context) = next.value
            handler.play(rest, context)
          }
        }
      }
    }
  }
}
