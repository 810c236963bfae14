internal import CProcess
internal import Domain
internal import Foundation
internal import Glibc

/// Why a plugin did not pass, in words for its author.
struct KitFailure: Error, Hashable, CustomStringConvertible {
  var description: String
  init(_ description: String) { self.description = description }
}

/// A plugin's process and the bare lines between it and whoever tests it, started and confined as the host does. For one thread: its calls block.
final class PluginWire {
  enum Side: String, Codable { case host, plugin }
  enum Arrival: Equatable { case line(String), silence, end }

  /// Of a message, as the protocol says.
  static let messageLimit = 4 << 20
  private static let logLimit = 1000

  /// Where the plugin sees its private directory.
  let directory: String
  /// Lines of its standard error.
  private(set) var log: [String] = []
  /// As of waitpid(2), once it has ended.
  private(set) var status: Int32?

  private let process: LaunchedPlugin
  private let heard: (Side, String) -> Void
  private var input: Int32?
  private var lifeline: Int32?
  private var output = LineSplitter(limit: messageLimit)
  private var error = LineSplitter(limit: 64 << 10)
  private var lines: [String] = []
  private var isOutputOpen = true
  private var isErrorOpen = true

  /// - Parameter heard: told each line of either side.
  init(_ program: PluginProgram, heard: @escaping (Side, String) -> Void) throws(KitFailure) {
    do {
      process = try PluginLaunch.start(program)
    } catch {
      throw KitFailure("\(error)")
    }
    self.heard = heard
    directory = process.directory
    input = process.input
    lifeline = process.lifeline
  }

  deinit { end() }

  /// Writes a line, reading meanwhile what the plugin says.
  func send(_ line: String, limit: Duration = .seconds(10)) throws(KitFailure) {
    heard(.host, line)
    var bytes = Array(line.utf8)[...]
    bytes.append(UInt8(ascii: "\n"))
    let deadline = ContinuousClock.now + limit
    while !bytes.isEmpty {
      guard let input else { throw KitFailure("its standard input is closed") }
      let count = bytes.withUnsafeBytes { rh_write_quietly(input, $0.baseAddress, $0.count) }
      if count > 0 {
        bytes = bytes.dropFirst(count)
      } else if count < 0, errno != EAGAIN {
        throw KitFailure("it closed its standard input" + (status.map { "; it \(Self.words($0))" } ?? ""))
      } else {
        guard ContinuousClock.now < deadline else {
          throw KitFailure("it did not read \(line.utf8.count) bytes within \(limit.formatted(.units()))")
        }
        turn(until: deadline, writing: true)
      }
    }
  }

  /// The next line of its standard output.
  func next(until deadline: ContinuousClock.Instant) -> Arrival {
    while lines.isEmpty {
      if !isOutputOpen { return .end }
      guard ContinuousClock.now < deadline else { return .silence }
      turn(until: deadline)
    }
    return .line(lines.removeFirst())
  }

  func closeInput() {
    if let input { close(input) }
    input = nil
  }

  /// - Returns: whether it has ended by then.
  func waitForEnd(until deadline: ContinuousClock.Instant) -> Bool {
    while status == nil, ContinuousClock.now < deadline { turn(until: deadline) }
    return status != nil
  }

  /// Whether a line of its log holds a text by then.
  func waits(forLog text: String, until deadline: ContinuousClock.Instant) -> Bool {
    func isThere() -> Bool { log.contains { $0.contains(text) } }
    while !isThere(), isErrorOpen, ContinuousClock.now < deadline { turn(until: deadline) }
    return isThere()
  }

  /// Ends it and all that it started, and waits for that.
  func end() {
    closeInput()
    if let lifeline { close(lifeline) }
    lifeline = nil
    while status == nil { turn(until: .now + .seconds(1)) }
  }

  static func words(_ status: Int32) -> String {
    PluginEnd(reason: nil, status: status).description.replacing("it ", with: "", maxReplacements: 1)
  }

  // MARK: - Streams

  private func turn(until deadline: ContinuousClock.Instant, writing: Bool = false) {
    var awaited = [
      pollfd(fd: status == nil ? process.report : -1, events: Int16(POLLIN), revents: 0),
      pollfd(fd: isOutputOpen ? process.output : -1, events: Int16(POLLIN), revents: 0),
      pollfd(fd: isErrorOpen ? process.error : -1, events: Int16(POLLIN), revents: 0),
      pollfd(fd: writing ? input ?? -1 : -1, events: Int16(POLLOUT), revents: 0),
    ]
    let left = (deadline - .now) / .milliseconds(1)
    _ = poll(&awaited, nfds_t(awaited.count), Int32(max(0, min(left + 1, 60_000))))
    if awaited[1].revents != 0 { readOutput() }
    if awaited[2].revents != 0 { readError() }
    if awaited[0].revents != 0 { finish() }
  }

  private func read(_ descriptor: Int32, _ take: (UnsafeRawBufferPointer) -> Void) -> Bool {
    var buffer = [UInt8](repeating: 0, count: 64 << 10)
    let count = buffer.withUnsafeMutableBytes { Glibc.read(descriptor, $0.baseAddress, $0.count) }
    if count < 0 { return errno == EAGAIN || errno == EINTR }
    guard count > 0 else { return false }
    buffer.withUnsafeBytes { take(UnsafeRawBufferPointer(rebasing: $0[..<count])) }
    return true
  }

  private func readOutput() {
    isOutputOpen = read(process.output) { bytes in
      output.append(bytes) { line in
        let text = String(decoding: line, as: UTF8.self)
        heard(.plugin, text)
        lines.append(text)
      }
    }
    // What comes after it cannot be told apart.
    if output.isOverlong { isOutputOpen = false }
  }

  /// Whether it sent more than a message may hold.
  var sentTooMuch: Bool { output.isOverlong }

  private func readError() {
    isErrorOpen = read(process.error) { bytes in
      error.append(bytes) { line in
        if log.count < Self.logLimit { log.append(PluginText.line(String(decoding: line, as: UTF8.self))) }
      }
      if error.isOverlong { error.forgive() }
    }
  }

  private func finish() {
    var record = rh_plugin_record()
    let isTold = rh_plugin_hear(process.report, &record) == 1
    for _ in 0..<64 where isOutputOpen { readOutput() }
    for _ in 0..<64 where isErrorOpen { readError() }
    isOutputOpen = false
    isErrorOpen = false
    rh_plugin_wait(process.keeper)
    status = isTold ? record.value : 0
    closeInput()
    if let lifeline { close(lifeline) }
    lifeline = nil
    for descriptor in [process.output, process.error, process.report] { close(descriptor) }
  }
}
