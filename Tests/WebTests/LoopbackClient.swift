import Foundation
import NIOCore
import NIOPosix
import ServiceLifecycle
import Testing

/// What a server answered, as read from the socket.
struct Reply {
  var status: Int
  var headers: [String: String]
  var body: String

  init?(_ text: String) {
    guard let end = text.firstRange(of: "\r\n\r\n") else { return nil }
    let lines = text[..<end.lowerBound].components(separatedBy: "\r\n")
    let words = lines[0].split(separator: " ")
    guard words.count >= 2, let status = Int(words[1]) else { return nil }
    self.status = status
    headers = [:]
    for line in lines.dropFirst() {
      let parts = line.split(separator: ":", maxSplits: 1)
      if parts.count == 2 { headers[parts[0].lowercased()] = parts[1].trimmingCharacters(in: .whitespaces) }
    }
    body = String(text[end.upperBound...])
  }

  /// The members of a flat JSON object.
  var members: [String: String] {
    get throws { try JSONDecoder().decode([String: String].self, from: Data(body.utf8)) }
  }
}

struct DeadlinePassed: Error {}

/// Fails when the work takes longer.
func within<Result: Sendable>(_ limit: Duration, _ work: @escaping @Sendable () async throws -> Result) async throws -> Result {
  try await withThrowingTaskGroup(of: Result.self) { group in
    group.addTask(operation: work)
    group.addTask {
      try await Task.sleep(for: limit)
      throw DeadlinePassed()
    }
    defer { group.cancelAll() }
    return try #require(try await group.next())
  }
}

/// A client that sends exactly the given bytes.
struct LoopbackClient: Sendable {
  var port: Int

  /// Sends pieces, one after another and `pause` apart, then reads until the server closes or `isEnough` of what came.
  func exchange(
    _ pieces: [String], pause: Duration = .zero, until isEnough: @escaping @Sendable (String) -> Bool = { _ in false }
  ) async throws -> String {
    try await within(.seconds(10)) {
      let channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton).connect(host: "127.0.0.1", port: port) {
        channel in
        channel.eventLoop.makeCompletedFuture {
          try NIOAsyncChannel<ByteBuffer, ByteBuffer>(wrappingChannelSynchronously: channel)
        }
      }
      return try await channel.executeThenClose { inbound, outbound in
        try await withThrowingTaskGroup(of: Void.self) { group in
          // A server that has refused may close while the rest is still being sent: what counts is what it answered.
          group.addTask {
            for piece in pieces {
              do { try await outbound.write(ByteBuffer(string: piece)) } catch { return }
              if pause > .zero { try await Task.sleep(for: pause) }
            }
          }
          var text = ""
          do {
            for try await buffer in inbound {
              text += String(buffer: buffer)
              if isEnough(text) { break }
            }
          } catch is IOError {
            // A reset ends the answer as a close does.
          }
          group.cancelAll()
          return text
        }
      }
    }
  }

  func get(_ path: String, host: String = "localhost", method: String = "GET") async throws -> Reply {
    try #require(Reply(try await exchange(["\(method) \(path) HTTP/1.1\r\nHost: \(host)\r\nConnection: close\r\n\r\n"])))
  }

  func post(_ path: String, headers: [String: String], body: String, host: String = "localhost") async throws -> Reply {
    let head = headers.map { "\($0): \($1)\r\n" }.joined()
    return try #require(
      Reply(
        try await exchange([
          "POST \(path) HTTP/1.1\r\nHost: \(host)\r\nConnection: close\r\nContent-Length: \(body.utf8.count)\r\n\(head)\r\n\(body)"
        ])))
  }
}

/// Runs a service until the work with its port is done.
func withServer(
  _ make: (_ onServerRunning: @escaping @Sendable (Int) async -> Void) throws -> any Service,
  _ work: @escaping @Sendable (LoopbackClient) async throws -> Void
) async throws {
  let (ports, port) = AsyncStream.makeStream(of: Int.self)
  let group = ServiceGroup(services: [try make { port.yield($0) }], logger: quiet)
  try await withThrowingTaskGroup(of: Void.self) { tasks in
    tasks.addTask { try await group.run() }
    var bound = ports.makeAsyncIterator()
    let number = try #require(await bound.next())
    do {
      try await work(LoopbackClient(port: number))
    } catch {
      await group.triggerGracefulShutdown()
      throw error
    }
    await group.triggerGracefulShutdown()
    try await tasks.waitForAll()
  }
}
