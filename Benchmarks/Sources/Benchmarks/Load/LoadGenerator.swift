import Foundation

/// Sends signed deliveries over kept-alive connections from one thread of its own, and times the answers.
///
/// At a given rate each request has the time at which it was to be sent, and its latency counts from there, also where the sender or the
/// server was late: what waits in a queue is not left out of the percentiles ("coordinated omission").
final class LoadGenerator {
  struct Outcome: Sendable {
    /// Requests that were answered with 202.
    var accepted = 0
    var otherAnswers: [Int: Int] = [:]
    /// From the first request to the last answer.
    var seconds = 0.0
    /// Milliseconds, of every answer.
    var latencies: [Double] = []
    var rate: Double { Double(accepted) / seconds }
  }

  private let port: Int
  private let deliveries: SignedDeliveries
  private var connections: [LoadConnection]
  private var outcome = Outcome()
  private var sent = 0

  private init(port: Int, connections count: Int, deliveries: SignedDeliveries) throws {
    self.port = port
    self.deliveries = deliveries
    connections = try (0..<count).map { _ in try LoadConnection(port: port) }
    outcome.latencies.reserveCapacity(deliveries.count)
  }

  /// Sends deliveries until they are used up or time is over.
  /// - Parameters:
  ///   - seconds: for which requests are begun.
  ///   - rate: requests a second; nil: each connection sends its next request when it has the answer to the last.
  static func run(
    port: Int, connections: Int, deliveries: SignedDeliveries, seconds: Double, rate: Double? = nil
  ) async throws -> Outcome {
    try await withCheckedThrowingContinuation { continuation in
      let thread = Thread {
        continuation.resume(
          with: Result {
            let generator = try LoadGenerator(port: port, connections: connections, deliveries: deliveries)
            return try generator.run(seconds: seconds, rate: rate)
          })
      }
      thread.start()
    }
  }

  private func run(seconds: Double, rate: Double?) throws -> Outcome {
    let start = Clock.now
    let end = start + UInt64(seconds * 1e9)
    let interval = rate.map { UInt64(1e9 / $0) }
    var due = start
    var backlog: [UInt64] = []
    var backlogStart = 0
    while true {
      let now = Clock.now
      if let interval {
        while due <= now, due < end {
          backlog.append(due)
          due += interval
        }
      }
      for index in connections.indices where connections[index].isIdle && sent < deliveries.count {
        let intended: UInt64
        if interval != nil {
          guard backlogStart < backlog.count else { break }
          intended = backlog[backlogStart]
          backlogStart += 1
        } else {
          guard now < end else { break }
          intended = now
        }
        connections[index].begin(sent, of: deliveries, intended: intended)
        sent += 1
      }
      let isOver = sent == deliveries.count || (now >= end && backlogStart == backlog.count)
      if isOver, connections.allSatisfy(\.isIdle) { break }
      try exchange(wait: interval == nil ? 1 : 0)
    }
    outcome.seconds = Clock.seconds(start, Clock.now)
    for connection in connections { connection.close() }
    return outcome
  }

  /// Writes and reads what is possible now.
  private func exchange(wait milliseconds: Int32) throws {
    var polled = connections.map { pollfd(fd: $0.socket, events: Int16($0.isWriting ? POLLOUT : POLLIN), revents: 0) }
    let ready = poll(&polled, nfds_t(polled.count), milliseconds)
    if ready == 0, milliseconds == 0 {
      // poll counts in milliseconds, requests come oftener.
      usleep(50)
    }
    guard ready > 0 else { return }
    for index in polled.indices where polled[index].revents != 0 {
      guard let status = try connections[index].advance() else { continue }
      if status == 202 { outcome.accepted += 1 } else { outcome.otherAnswers[status, default: 0] += 1 }
      outcome.latencies.append(Double(Clock.now - connections[index].intended) / 1e6)
    }
  }
}
