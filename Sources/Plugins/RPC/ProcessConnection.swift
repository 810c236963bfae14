internal import CProcess
internal import Foundation
internal import Glibc
internal import JSON
internal import Synchronization

/// One process of a plugin, and the talk with it.
///
/// Calls write to its standard input from wherever they are made, where it has room; everything else is done by one thread of its own
/// (`ConnectionLoop`), which reads its streams, keeps the time limits and hears of its end. A call costs two changes of thread and no timer; to a plugin
/// that answers at once, none: then who calls reads the answer too (`QuickAnswers`).
package final class ProcessConnection: PluginConnection {
  /// Where a caller waits.
  struct Ticket: Sendable {
    var continuation: CheckedContinuation<Result<[UInt8], PluginError>, Never>
    var progress: (@Sendable (PluginProgress) -> Void)?
  }
  typealias Ledger = CallLedger<Ticket>

  enum Phase {
    case starting
    case open
    case ended(PluginEnd)
  }

  enum Stream: String { case input, output }

  struct State {
    var phase = Phase.starting
    var ledger: Ledger
    var lastID: Int64 = 0
    /// Its standard input, until it is closed.
    var input: Int32?
    var lifeline: Int32?
    /// The first of its processes; nil: it has ended.
    var keeper: Int32?
    var outgoing: [UInt8] = []
    var closesInput = false
    /// Why it is to be ended.
    var closing: String?
    /// A stream that it closed, and until when it may show that it closed it by ending.
    var broken: (stream: Stream, until: ContinuousClock.Instant)?
    /// Requests of the plugin that are being answered, by their ids.
    var requests: [JSONValue: Task<Void, Never>] = [:]
    /// With notifications, which have no id.
    var answering = 0
    var unsolicited: TokenBucket
    var malformed: TokenBucket
    var quick = QuickAnswers()
    /// When the thread looks at the time limits next; nil: not before something happens.
    var looksAt: ContinuousClock.Instant?
    /// Where it sees its own directory.
    var directory = ""
    var waiters: [UUID: CheckedContinuation<PluginEnd?, Never>] = [:]
  }

  package let name: String
  let service: any PluginService
  let settings: ConnectionSettings
  let listener: any PluginListener
  let bell: Int32
  let state: Mutex<State>
  /// Held while it is read, by whom ever; before `state`, where both are.
  let output: Mutex<OutputReader>

  /// - Parameter concurrency: calls under way at once; others wait here.
  package init(
    name: String, concurrency: Int, service: any PluginService, settings: ConnectionSettings = ConnectionSettings(),
    listener: any PluginListener
  ) {
    self.name = name
    self.service = service
    self.settings = settings
    self.listener = listener
    bell = rh_bell()
    output = Mutex(OutputReader(limit: settings.messageLimit))
    state = Mutex(
      State(
        ledger: Ledger(concurrency: concurrency),
        unsolicited: TokenBucket(burst: settings.messages.burst, perSecond: settings.messages.perSecond),
        malformed: TokenBucket(burst: settings.malformed.burst, perSecond: settings.malformed.perSecond)))
  }

  deinit { close(bell) }

  /// Starts the process. Once in the life of a connection.
  /// - Returns: where the plugin sees its private directory.
  package func start(_ program: PluginProgram) async throws(PluginError) -> String {
    let started: Result<String, PluginError> = await withCheckedContinuation { continuation in
      let thread = Thread { ConnectionLoop.run(program, of: self) { continuation.resume(returning: $0) } }
      thread.name = "plugin \(name)"
      thread.start()
    }
    return try started.get()
  }

  // MARK: - Calls

  package func call<Result: Decodable & Sendable>(
    _ method: String, _ parameters: some Encodable & Sendable, limit: Duration?, progress: (@Sendable (PluginProgress) -> Void)?
  ) async throws(PluginError) -> Result {
    try await call(method, parameters, limit: limit, progress: progress, isUrgent: false)
  }

  /// A question of the host's own, which waits for no other call.
  func ask<Result: Decodable & Sendable>(
    _ method: String, _ parameters: some Encodable & Sendable, limit: Duration
  ) async throws(PluginError) -> Result {
    try await call(method, parameters, limit: limit, progress: nil, isUrgent: true)
  }

  private func call<Result: Decodable & Sendable>(
    _ method: String, _ parameters: some Encodable & Sendable, limit: Duration?, progress: (@Sendable (PluginProgress) -> Void)?,
    isUrgent: Bool
  ) async throws(PluginError) -> Result {
    let answer = try await answer(method, parameters, limit: limit ?? settings.callLimit, progress: progress, isUrgent: isUrgent)
    do {
      return try MessageReader.read(Result.self, from: answer)
    } catch {
      let what = "the result of \(method) is not as expected: \(DecodingReason.text(error))"
      misbehaved(what)
      throw .malformed(what)
    }
  }

  /// The JSON of the result.
  private func answer(
    _ method: String, _ parameters: some Encodable & Sendable, limit: Duration, progress: (@Sendable (PluginProgress) -> Void)?,
    isUrgent: Bool
  ) async throws(PluginError) -> [UInt8] {
    let (id, isQuick) = state.withLock { state in
      state.lastID += 1
      return (state.lastID, state.quick.isNextExpected())
    }
    let line: [UInt8]
    do {
      line = try Envelope.request(id: id, method: method, parameters: parameters)
    } catch {
      throw .refused(.invalidParameters, "the parameters of \(method) cannot be written as JSON: \(error)")
    }
    guard line.count <= settings.messageLimit else {
      throw .refused(.invalid, "\(method) would take \(line.count) bytes, and a message has \(settings.messageLimit) at most")
    }
    let answer = await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        let ticket = Ticket(continuation: continuation, progress: progress)
        let call = Ledger.Call(id: id, ticket: ticket, method: method, limit: limit, deadline: .now + limit, line: line)
        if isQuick, submitAndRead(call, isUrgent: isUrgent) { return }
        if case .refused(let why) = submit(call, isUrgent: isUrgent) { continuation.resume(returning: .failure(why)) }
      }
    } onCancel: {
      cancel(id)
    }
    return try answer.get()
  }

  enum Submission {
    /// Why the call is not made.
    case refused(PluginError)
    case sent, waits
  }

  func submit(_ call: Ledger.Call, isUrgent: Bool) -> Submission {
    state.withLock { state in
      // The flag is set before `onCancel` runs: whoever comes second finds what the first one left.
      if Task.isCancelled { return .refused(.refused(.cancelled, "\(call.method) was cancelled")) }
      guard case .open = state.phase, state.closing == nil, state.input != nil, !state.closesInput else {
        return .refused(.notRunning(state.reason))
      }
      guard state.outgoing.count <= settings.outgoing else {
        return .refused(.refused(.unavailable, "\(name) does not read what it is sent: \(state.outgoing.count) bytes wait"))
      }
      let submission: Submission
      switch state.ledger.add(call, isUrgent: isUrgent) {
      case .full: return .refused(.refused(.unavailable, "too many calls wait for \(name)"))
      case .go:
        send(call.line, &state)
        submission = .sent
      case .wait: submission = .waits
      }
      if state.looksAt.map({ call.deadline < $0 }) ?? true {
        state.looksAt = call.deadline
        ring()
      }
      return submission
    }
  }

  /// Nobody waits for the answer any more.
  private func cancel(_ id: Int64) {
    let abandoned = state.withLock { state in abandon(id, &state) }
    abandoned?.ticket.continuation.resume(returning: .failure(.refused(.cancelled, "\(abandoned?.method ?? "the call") was cancelled")))
  }

  /// Takes a call out, and tells the plugin where it knows of it.
  func abandon(_ id: Int64, _ state: inout State) -> Ledger.Call? {
    guard let (call, wasSent) = state.ledger.abandon(id) else { return nil }
    if wasSent { tellCancelled(id, &state) }
    sendNext(&state)
    return call
  }

  func tellCancelled(_ id: Int64, _ state: inout State) {
    // One that does not read is not told either: what waits for it is to stay bounded.
    guard state.outgoing.count <= settings.outgoing else { return }
    send(Envelope.notification(method: "$/cancel", parameters: Data("{\"id\":\(id)}".utf8)), &state)
  }

  func sendNext(_ state: inout State) {
    guard state.ledger.hasNext else { return }
    for call in state.ledger.next(at: .now) { send(call.line, &state) }
  }

  /// Writes as much as the pipe takes now; the thread writes the rest.
  func send(_ line: [UInt8], _ state: inout State) {
    guard let input = state.input else { return }
    guard state.outgoing.isEmpty else {
      state.outgoing.append(contentsOf: line)
      return
    }
    let count = line.withUnsafeBytes { rh_write_quietly(input, $0.baseAddress, $0.count) }
    if count == line.count { return }
    if count < 0 && errno != EAGAIN {
      state.breaks(.input)
    } else {
      state.outgoing.append(contentsOf: line[max(0, count)...])
    }
    ring()
  }

  /// Has the thread look again.
  func ring() {
    var one: UInt64 = 1
    // Full is as good as rung.
    _ = write(bell, &one, MemoryLayout.size(ofValue: one))
  }

  /// The first of its processes, which the host made; nil where it does not run.
  var keeper: Int32? { state.withLock { $0.keeper } }

  // MARK: - The end

  /// Closes its standard input once everything is written: it is to end by itself.
  package func closeInput() {
    state.withLock { $0.closesInput = true }
    ring()
  }

  /// Sends SIGTERM.
  package func terminate() {
    state.withLock { state in
      if let lifeline = state.lifeline { rh_plugin_signal(lifeline, SIGTERM) }
    }
  }

  /// Ends it and all that it started, now.
  package func end(_ reason: String) {
    state.withLock { $0.closing = $0.closing ?? reason }
    ring()
  }

  /// Waits until nothing of it is left.
  /// - Parameter limit: how long; nil: as long as it takes.
  /// - Returns: nil where it has not ended by then, or the task was cancelled.
  @discardableResult
  package func waitForEnd(within limit: Duration? = nil) async -> PluginEnd? {
    guard let limit else { return await waitForEndOrCancellation() }
    return await withTaskGroup(of: PluginEnd?.self) { group in
      group.addTask { await self.waitForEndOrCancellation() }
      group.addTask {
        // Cancelled once the other half has come.
        do { try await Task.sleep(for: limit) } catch { return nil }
        return nil
      }
      let first = await group.next() ?? nil
      group.cancelAll()
      return first
    }
  }

  private func waitForEndOrCancellation() async -> PluginEnd? {
    let id = UUID()
    return await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        let (isOver, end): (Bool, PluginEnd?) = state.withLock { state in
          if case .ended(let end) = state.phase { return (true, end) }
          if Task.isCancelled { return (true, nil) }
          state.waiters[id] = continuation
          return (false, nil)
        }
        if isOver { continuation.resume(returning: end) }
      }
    } onCancel: {
      state.withLock { $0.waiters.removeValue(forKey: id) }?.resume(returning: nil)
    }
  }

  /// Counts something that the protocol does not allow, and ends it where that was too often.
  func misbehaved(_ what: String) {
    let isTooOften = state.withLock { state in
      state.malformed.take(1, at: .now)
      guard state.malformed.pause(at: .now) != nil, state.closing == nil else { return false }
      state.closing = "it broke the protocol too often, last: \(what)"
      return true
    }
    listener.misbehaved(what)
    if isTooOften { ring() }
  }
}

extension ProcessConnection.State {
  /// How the process ends says more than the stream that ends with it.
  mutating func breaks(_ stream: ProcessConnection.Stream) {
    broken = broken ?? (stream, .now + .seconds(1))
  }

  /// Why no call can be made.
  var reason: String {
    switch phase {
    case .starting: "it is being started"
    case .open: closing ?? "it is being stopped"
    case .ended(let end): end.description
    }
  }
}
