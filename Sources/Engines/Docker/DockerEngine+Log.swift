package import Domain
package import Foundation
package import RunnerHub
internal import Synchronization

extension DockerEngine {
  /// Reads on where the last call for this use has stopped; from the beginning of the container's log in every other case.
  package func log(of id: ContainerID, use: Int, from offset: Int64) async throws(EngineError) -> Data {
    let container = try await mustFind(id)
    guard use > 0, offset >= 0 else { throw .invalid("use \(use) from byte \(offset): uses count from 1, bytes from 0") }
    guard container.status != .created else { return Data() }
    let deadline = ContinuousClock.now + .seconds(2)
    var isOver = container.status != .running
    while true {
      let (reading, data) = try await asking("log of \(id)") { try await read(id, use: use, from: offset, isOver: isOver) }
      readings.keep(reading, of: id)
      // What PID 1 wrote just before it said that the use has ended may still be on its way through the daemon.
      guard data.isEmpty, !isOver, container.spec.isReusable, reading.log.hasBegun, !reading.log.isComplete,
        try await inspect(id)?.endedUse == use
      else { return data }
      // A use that was killed has no last line.
      isOver = ContinuousClock.now >= deadline
      try await pause(.milliseconds(10))
    }
  }

  /// - Parameter isOver: nothing more can come.
  /// - Returns: the reading as it stands then, and the bytes from the offset on.
  private func read(_ id: ContainerID, use: Int, from offset: Int64, isOver: Bool) async throws -> (LogReading, Data) {
    var reading = readings.reading(of: id, use: use, at: offset) ?? LogReading(use: use)
    reading.rewind()
    var data = Data()
    var isAtEnd = true
    func keep(_ added: Data) {
      // What stands before the offset was read by an earlier process.
      let before = offset - (reading.log.size - Int64(added.count))
      data += before > 0 ? added.dropFirst(Int(clamping: before)) : added
    }
    try await client.log(of: id.rawValue, since: reading.time) { message in
      guard data.count + message.text.count < Self.mostLog else {
        isAtEnd = false
        return false
      }
      if let added = reading.take(message) { keep(added) }
      return true
    }
    if isAtEnd, offset > 0, !reading.log.hasBegun {
      throw DockerFailure.unreadable("what was read of this log before is gone: it grew faster than it was read, and was rotated away")
    }
    if isAtEnd, isOver { keep(reading.log.flush()) }
    return (reading, data)
  }
}

/// How far a log has been read: a position in the log of a use, and the place in Docker's log that it stands for.
struct LogReading {
  var log: UseLog
  /// Of the newest message taken, and how many of that very time were taken.
  private(set) var time: DockerTime?
  private var taken = 0
  /// How many of that time came along again in this call.
  private var passed = 0

  init(use: Int) { log = UseLog(use: use) }

  /// A new call begins: Docker repeats what is of the newest time.
  mutating func rewind() { passed = 0 }

  /// - Returns: the bytes that the message adds to the log; nil for one that was taken before.
  mutating func take(_ message: DockerLogMessage) -> Data? {
    if message.time == time, passed < taken {
      passed += 1
      return nil
    }
    taken = message.time == time ? taken + 1 : 1
    passed = taken
    time = message.time
    return log.take(message.text)
  }
}

/// Readings by container. A new reading of a container replaces the old one.
final class LogReadings: Sendable {
  private let readings = Mutex<[ContainerID: LogReading]>([:])

  /// - Returns: nil where none of this use stands at the offset.
  func reading(of id: ContainerID, use: Int, at offset: Int64) -> LogReading? {
    readings.withLock { $0[id] }.flatMap { $0.log.use == use && $0.log.size == offset ? $0 : nil }
  }

  func keep(_ reading: LogReading, of id: ContainerID) { readings.withLock { $0[id] = reading } }

  func keepOnly(_ ids: Set<ContainerID>) { readings.withLock { readings in readings = readings.filter { ids.contains($0.key) } } }

  func forget(_ id: ContainerID) { readings.withLock { $0[id] = nil } }
}
