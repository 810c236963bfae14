internal import CProcess
internal import Glibc
internal import Synchronization

/// The standard output of a plugin's process. Whoever holds it reads: the connection's own thread, or a caller that waits for an answer for a moment.
struct OutputReader: Sendable {
  private var lines: LineSplitter
  private var buffer = [UInt8](repeating: 0, count: 64 << 10)
  /// nil: it is not open.
  private var descriptor: Int32?
  /// Through which the thread sees it (`rh_gate_make`); nil: it sees it as it is, and callers do not read.
  private var gate: Int32?

  init(limit: Int) { lines = LineSplitter(limit: limit) }

  /// - Returns: what the thread is to poll.
  mutating func open(_ descriptor: Int32) -> Int32 {
    self.descriptor = descriptor
    let gate = rh_gate_make(descriptor)
    self.gate = gate < 0 ? nil : gate
    return self.gate ?? descriptor
  }

  mutating func close() {
    for descriptor in [descriptor, gate].compactMap({ $0 }) { Glibc.close(descriptor) }
    (descriptor, gate) = (nil, nil)
  }

  /// Reads once, and does what stands in the lines.
  /// - Returns: false at the end of the stream.
  mutating func read(for connection: ProcessConnection) -> Bool {
    guard let descriptor else { return false }
    let count = buffer.withUnsafeMutableBytes { Glibc.read(descriptor, $0.baseAddress, $0.count) }
    if count < 0, errno == EAGAIN || errno == EINTR { return true }
    guard count > 0 else {
      connection.state.withLock { $0.breaks(.output) }
      return false
    }
    let inbox = Inbox(connection: connection)
    buffer.withUnsafeBytes { lines.append(UnsafeRawBufferPointer(rebasing: $0[..<count])) { inbox.receive($0) } }
    if lines.isOverlong { connection.end("it sent a message of more than \(lines.limit) bytes") }
    return true
  }

  /// Lets the thread sleep while a caller reads.
  /// - Returns: false where that cannot be.
  func keepForCaller() -> Bool {
    guard let descriptor, let gate else { return false }
    rh_gate_set(gate, descriptor, 0)
    return true
  }

  /// The thread reads again: what has come meanwhile wakes it now.
  func giveBack() {
    if let descriptor, let gate { rh_gate_set(gate, descriptor, 1) }
  }

  /// Reads until a condition holds, for so long at most.
  /// - Returns: whether it holds.
  mutating func read(for connection: ProcessConnection, within limit: Duration, until isDone: () -> Bool) -> Bool {
    guard let descriptor else { return false }
    var left = limit
    var end: ContinuousClock.Instant?
    while left > .zero {
      let begin = ContinuousClock.now
      guard rh_wait_readable(descriptor, Int64(left / .nanoseconds(1))) == 1, read(for: connection) else { return false }
      if isDone() { return true }
      end = end ?? begin + limit
      left = (end ?? begin) - .now
    }
    return false
  }
}
