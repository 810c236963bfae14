internal import CProcess
package import Foundation
internal import Glibc

/// One run of a program that is given its input at once and gives its output at its end, held in the same bounds as a plugin that stays.
package struct PluginRun: Hashable, Sendable {
  /// As of waitpid(2); nil: its time was over, and it was ended with all that it started.
  package var status: Int32?
  /// The beginning of it, where there was more.
  package var output: Data
  package var error: Data
  package var isCut: Bool

  /// What it ended with; nil: it was ended by a signal.
  package var exitCode: Int32? { status.flatMap { $0 & 0x7f == 0 ? $0 >> 8 & 0xff : nil } }

  /// Runs it on a thread of its own.
  /// - Parameters:
  ///   - limit: time that it has. Cancelling the task ends it too.
  ///   - outputLimit: bytes that are kept of each stream; what is beyond is read and forgotten.
  /// - Throws: `notRunning` where it could not be started.
  package static func run(
    _ program: PluginProgram, input: Data = Data(), limit: Duration, outputLimit: Int = 4 << 20
  ) async throws(PluginError) -> PluginRun {
    let bell = rh_bell()
    defer { close(bell) }
    let result: Result<PluginRun, PluginError> = await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        let thread = Thread {
          continuation.resume(
            returning: Result { () throws(PluginError) in
              let process = try PluginLaunch.start(program)
              var loop = RunLoop(process: process, bell: bell, input: input, deadline: .now + limit, outputLimit: outputLimit)
              return loop.turnUntilEnd()
            })
        }
        thread.name = "plugin run"
        thread.start()
      }
    } onCancel: {
      var one: UInt64 = 1
      // Full is as good as rung.
      _ = write(bell, &one, MemoryLayout.size(ofValue: one))
    }
    return try result.get()
  }
}

private struct RunLoop {
  let process: LaunchedPlugin
  let bell: Int32
  var input: Data
  let deadline: ContinuousClock.Instant
  let outputLimit: Int
  var run = PluginRun(status: nil, output: Data(), error: Data(), isCut: false)
  var isInputOpen = true
  var isOutputOpen = true
  var isErrorOpen = true
  var buffer = [UInt8](repeating: 0, count: 64 << 10)

  init(process: LaunchedPlugin, bell: Int32, input: Data, deadline: ContinuousClock.Instant, outputLimit: Int) {
    self.process = process
    self.bell = bell
    self.input = input
    self.deadline = deadline
    self.outputLimit = outputLimit
  }

  mutating func turnUntilEnd() -> PluginRun {
    var isLate = false
    while true {
      if isInputOpen, input.isEmpty { closeInput() }
      var awaited = [
        pollfd(fd: isLate ? -1 : bell, events: Int16(POLLIN), revents: 0), pollfd(fd: process.report, events: Int16(POLLIN), revents: 0),
        pollfd(fd: isOutputOpen ? process.output : -1, events: Int16(POLLIN), revents: 0),
        pollfd(fd: isErrorOpen ? process.error : -1, events: Int16(POLLIN), revents: 0),
        pollfd(fd: isInputOpen ? process.input : -1, events: Int16(POLLOUT), revents: 0),
      ]
      let left = deadline - .now
      _ = poll(&awaited, nfds_t(awaited.count), isLate ? -1 : Int32(clamping: max(0, Int(left / .milliseconds(1) + 1))))
      if awaited[4].revents != 0 { writeInput() }
      if awaited[2].revents != 0 { isOutputOpen = read(process.output, \.output) }
      if awaited[3].revents != 0 { isErrorOpen = read(process.error, \.error) }
      if awaited[1].revents != 0 { break }
      if !isLate, awaited[0].revents != 0 || deadline <= .now {
        isLate = true
        close(process.lifeline)
      }
    }
    var record = rh_plugin_record()
    let isTold = rh_plugin_hear(process.report, &record) == 1
    for _ in 0..<64 where isOutputOpen { isOutputOpen = read(process.output, \.output) }
    for _ in 0..<64 where isErrorOpen { isErrorOpen = read(process.error, \.error) }
    rh_plugin_wait(process.keeper)
    if isInputOpen { closeInput() }
    if !isLate { close(process.lifeline) }
    for descriptor in [process.output, process.error, process.report] { close(descriptor) }
    run.status = isTold && !isLate ? record.value : nil
    return run
  }

  private mutating func closeInput() {
    close(process.input)
    isInputOpen = false
  }

  private mutating func writeInput() {
    let count = input.withUnsafeBytes { rh_write_quietly(process.input, $0.baseAddress, $0.count) }
    if count > 0 {
      input = input.dropFirst(count)
    } else if count < 0 && errno != EAGAIN {
      closeInput()
    }
  }

  /// Returns false at the end of the stream.
  private mutating func read(_ descriptor: Int32, _ kept: WritableKeyPath<PluginRun, Data>) -> Bool {
    let count = buffer.withUnsafeMutableBytes { Glibc.read(descriptor, $0.baseAddress, $0.count) }
    if count < 0 { return errno == EAGAIN || errno == EINTR }
    if count == 0 { return false }
    let room = outputLimit - run[keyPath: kept].count
    run[keyPath: kept].append(contentsOf: buffer.prefix(min(count, max(0, room))))
    if count > room { run.isCut = true }
    return true
  }
}
