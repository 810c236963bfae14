internal import CProcess
internal import Foundation
internal import Glibc
internal import JSON
internal import Synchronization

/// The thread of one plugin's process: starts it, reads its streams, sends what its callers could not, keeps their time limits, and stays until
/// nothing of it is left.
struct ConnectionLoop {
  private typealias Instant = ContinuousClock.Instant

  private let connection: ProcessConnection
  private let process: LaunchedPlugin
  private let settings: ConnectionSettings
  private var error: LineSplitter
  private var logLines: TokenBucket
  private var logBytes: TokenBucket
  private var droppedLines = 0
  /// What is polled for the plugin's output; -1: it has ended.
  private var gate: Int32
  private var isErrorOpen = true
  private var buffer = [UInt8](repeating: 0, count: 64 << 10)

  /// - Parameter started: told once, where the plugin sees its directory, or why it does not run.
  static func run(_ program: PluginProgram, of connection: ProcessConnection, started: (Result<String, PluginError>) -> Void) {
    do {
      let process = try PluginLaunch.start(program)
      connection.state.withLock { state in
        state.phase = .open
        state.input = process.input
        state.lifeline = process.lifeline
        state.keeper = process.keeper
        state.directory = process.directory
      }
      started(.success(process.directory))
      var loop = ConnectionLoop(connection, process)
      loop.turnUntilEnd()
    } catch {
      connection.state.withLock { $0.phase = .ended(PluginEnd(reason: "\(error)", status: 0)) }
      started(.failure(error))
    }
  }

  private init(_ connection: ProcessConnection, _ process: LaunchedPlugin) {
    self.connection = connection
    self.process = process
    settings = connection.settings
    gate = connection.output.withLock { $0.open(process.output) }
    error = LineSplitter(limit: settings.logLine)
    logLines = TokenBucket(burst: settings.logLines.burst, perSecond: settings.logLines.perSecond)
    logBytes = TokenBucket(burst: settings.logBytes.burst, perSecond: settings.logBytes.perSecond)
  }

  // MARK: - Turns

  /// What one turn waits for.
  private struct Plan {
    var readsOutput: Bool
    var writes: Bool
    var until: Instant?
    /// It is to be ended now.
    var ends: Bool
  }

  private mutating func turnUntilEnd() {
    while true {
      expire()
      let plan = plan()
      let readsError = isErrorOpen && logBytes.pause(at: .now) == nil
      var awaited = [
        pollfd(fd: connection.bell, events: Int16(POLLIN), revents: 0),
        pollfd(fd: process.report, events: Int16(POLLIN), revents: 0),
        pollfd(fd: plan.readsOutput ? gate : -1, events: Int16(POLLIN), revents: 0),
        pollfd(fd: readsError ? process.error : -1, events: Int16(POLLIN), revents: 0),
        pollfd(fd: plan.writes ? connection.state.withLock { $0.input ?? -1 } : -1, events: Int16(POLLOUT), revents: 0),
      ]
      var until = plan.until
      if isErrorOpen, let pause = logBytes.pause(at: .now) { until = min(until ?? .now + pause, .now + pause) }
      _ = poll(&awaited, nfds_t(awaited.count), Self.milliseconds(until: until))
      if awaited[0].revents != 0 { silenceBell() }
      if awaited[4].revents != 0 { flush() }
      if awaited[2].revents != 0 { readOutput() }
      if awaited[3].revents != 0 { readError() }
      if awaited[1].revents != 0 { return finish() }
    }
  }

  private func plan() -> Plan {
    connection.state.withLock { state in
      let now = Instant.now
      if state.closesInput, state.outgoing.isEmpty { state.closeInput() }
      if let broken = state.broken, broken.until <= now, !state.closesInput {
        state.closing = state.closing ?? "it closed its standard \(broken.stream.rawValue)"
      }
      let ends = state.closing != nil
      // The keeper hears it, and takes all along.
      if ends { state.closeLifeline() }
      let pause = state.unsolicited.pause(at: now)
      let until = [state.ledger.earliest, pause.map { now + $0 }, state.closesInput ? nil : state.broken?.until].compactMap { $0 }.min()
      state.looksAt = until
      return Plan(
        readsOutput: state.mayBeRead(settings, at: now), writes: !state.outgoing.isEmpty && !ends, until: ends ? nil : until,
        ends: ends)
    }
  }

  /// Rounded up: a turn that comes too early would only come again.
  private static func milliseconds(until: Instant?) -> Int32 {
    guard let until else { return -1 }
    let left = until - .now
    return left <= .zero ? 0 : Int32(min(left / .milliseconds(1) + 1, 3_600_000))
  }

  private func silenceBell() {
    var count: UInt64 = 0
    _ = read(connection.bell, &count, MemoryLayout.size(ofValue: count))
  }

  private func expire() {
    let expired = connection.state.withLock { state in
      let expired = state.ledger.expire(at: .now)
      for (call, wasSent) in expired where wasSent { connection.tellCancelled(call.id, &state) }
      if !expired.isEmpty { connection.sendNext(&state) }
      return expired.map(\.call)
    }
    for call in expired {
      call.ticket.continuation.resume(returning: .failure(.timedOut("\(call.method) had \(Self.text(call.limit))")))
    }
  }

  private static func text(_ limit: Duration) -> String {
    let units: Set<Duration.UnitsFormatStyle.Unit> = limit < .seconds(1) ? [.milliseconds] : [.minutes, .seconds]
    return limit.formatted(.units(allowed: units, width: .abbreviated))
  }

  private func flush() {
    connection.state.withLock { state in
      guard let input = state.input, !state.outgoing.isEmpty else { return }
      let count = state.outgoing.withUnsafeBytes { rh_write_quietly(input, $0.baseAddress, $0.count) }
      if count > 0 {
        state.outgoing.removeFirst(count)
      } else if count < 0 && errno != EAGAIN {
        state.outgoing = []
        state.breaks(.input)
      }
    }
  }

  // MARK: - Streams

  /// Reads once; nil at the end of the stream.
  private mutating func readOnce(_ descriptor: Int32) -> Int? {
    let count = buffer.withUnsafeMutableBytes { Glibc.read(descriptor, $0.baseAddress, $0.count) }
    if count < 0 { return errno == EAGAIN || errno == EINTR ? 0 : nil }
    return count == 0 ? nil : count
  }

  private mutating func readOutput() {
    if !connection.output.withLock({ $0.read(for: connection) }) { gate = -1 }
  }

  private mutating func readError() {
    guard let count = readOnce(process.error) else {
      isErrorOpen = false
      // A last line without an end.
      let rest = error.takeRest()
      if !rest.isEmpty { rest.withUnsafeBytes { log($0) } }
      return
    }
    logBytes.take(Double(count), at: .now)
    var lines: [String] = []
    var from = 0
    while from < count {
      // No more than a line's bytes at once: what is longer is cut.
      let to = min(count, from + settings.logLine)
      buffer.withUnsafeBytes { bytes in
        error.append(UnsafeRawBufferPointer(rebasing: bytes[from..<to])) { lines.append(Self.text($0)) }
        if error.isOverlong {
          lines.append(Self.text(UnsafeRawBufferPointer(rebasing: bytes[from..<to])))
          error.forgive()
        }
      }
      from = to
    }
    for line in lines { log(line) }
  }

  private static func text(_ bytes: UnsafeRawBufferPointer) -> String {
    PluginText.line(String(decoding: bytes, as: UTF8.self), limit: 4096)
  }

  private mutating func log(_ bytes: UnsafeRawBufferPointer) { log(Self.text(bytes)) }

  private mutating func log(_ line: String) {
    guard logLines.pause(at: .now) == nil else {
      droppedLines += 1
      return
    }
    logLines.take(1, at: .now)
    tellDropped()
    connection.listener.logged(line)
  }

  private mutating func tellDropped() {
    guard droppedLines > 0 else { return }
    connection.listener.dropped(droppedLines)
    droppedLines = 0
  }

  // MARK: - The end

  /// The process and all below it have ended.
  private mutating func finish() {
    var record = rh_plugin_record()
    let isTold = rh_plugin_hear(process.report, &record) == 1
    // What it wrote before its end: no more than its pipes hold.
    for _ in 0..<64 where gate >= 0 { readOutput() }
    connection.output.withLock { $0.close() }
    for _ in 0..<64 where isErrorOpen { readError() }
    tellDropped()
    // Its number may be another's once it has been waited for.
    connection.state.withLock { $0.keeper = nil }
    rh_plugin_wait(process.keeper)
    let (end, calls, requests, waiters) = connection.state.withLock { state in
      let end = PluginEnd(reason: state.closing, status: isTold ? record.value : 0)
      state.phase = .ended(end)
      state.closeInput()
      state.closeLifeline()
      state.outgoing = []
      defer { state.waiters = [:] }
      return (end, state.ledger.endAll(), Array(state.requests.values), Array(state.waiters.values))
    }
    for descriptor in [process.error, process.report] { close(descriptor) }
    for request in requests { request.cancel() }
    for call in calls { call.ticket.continuation.resume(returning: .failure(.notRunning("\(end)"))) }
    connection.listener.ended(end)
    for waiter in waiters { waiter.resume(returning: end) }
  }
}

extension ProcessConnection.State {
  mutating func closeInput() {
    if let input { close(input) }
    input = nil
  }

  mutating func closeLifeline() {
    if let lifeline { close(lifeline) }
    lifeline = nil
  }
}
