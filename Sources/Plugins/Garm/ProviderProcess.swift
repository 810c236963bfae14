internal import Domain
internal import CProcess
package import Foundation
internal import Glibc
internal import Synchronization

/// A provider as a process of this machine: in a session of its own, with three descriptors and nothing else of the host's.
package struct ProviderProcess: ProviderExecution {
  private let command: [String]
  private let directory: String
  private let limits: ProviderLimits

  /// - Parameters:
  ///   - command: the executable, an absolute path, and its arguments (a provider's own takes none).
  ///   - directory: where it runs.
  package init(command: [String], directory: String, limits: ProviderLimits = ProviderLimits()) {
    self.command = command
    self.directory = directory
    self.limits = limits
  }

  package func run(
    environment: [String: String], input: Data, limit: Duration, isUnwanted: @escaping @Sendable () -> Bool
  ) async -> ProviderOutcome {
    let isCancelled = Flag()
    let conversation = Conversation(
      command: command, directory: directory, environment: environment, input: input, limits: limits, deadline: .now + limit)
    return await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        // A thread that waits: no task of the pool does.
        let thread = Thread {
          // A provider that does not read what it is given must not end us.
          var brokenPipe = sigset_t()
          sigemptyset(&brokenPipe)
          sigaddset(&brokenPipe, SIGPIPE)
          pthread_sigmask(SIG_BLOCK, &brokenPipe, nil)
          continuation.resume(returning: conversation.run { isCancelled.isRaised || isUnwanted() })
        }
        thread.start()
      }
    } onCancel: {
      isCancelled.raise()
    }
  }
}

private final class Flag: Sendable {
  private let value = Atomic(false)
  var isRaised: Bool { value.load(ordering: .relaxed) }
  func raise() { value.store(true, ordering: .relaxed) }
}

/// One process, from its start to its end, on a thread of its own.
private struct Conversation: Sendable {
  let command: [String]
  let directory: String
  let environment: [String: String]
  let input: Data
  let limits: ProviderLimits
  let deadline: ContinuousClock.Instant
  /// Between two looks whether the answer is still wanted, in milliseconds.
  static let look: Int32 = 100

  func run(isUnwanted: () -> Bool) -> ProviderOutcome {
    var call = rh_call()
    let result = withCStrings(command) { argv in
      withCStrings(environment.map { "\($0.key)=\($0.value)" }.sorted()) { envp in rh_call_start(argv, envp, directory, &call) }
    }
    guard result == 0 else { return ProviderOutcome(.notStarted("\(command[0]): \(systemText(result))")) }
    let pid = call.pid
    var outcome = ProviderOutcome(.overdue)
    var exchange = Exchange(
      input: input, limits: limits, to: Descriptor(call.input), from: Descriptor(call.output), errors: Descriptor(call.error))
    var status: Int32 = 0
    var hasEnded = false
    while !hasEnded {
      if ContinuousClock.now >= deadline || isUnwanted() {
        outcome.end = ContinuousClock.now >= deadline ? .overdue : .unwanted
        break
      }
      exchange.turn(wait: exchange.isOver ? 10 : Self.look)
      hasEnded = waitpid(pid, &status, WNOHANG) == pid
    }
    if hasEnded {
      let until = ContinuousClock.now + limits.drain
      while !exchange.isOver && ContinuousClock.now < until { exchange.turn(wait: 50) }
      outcome.end = status & 0x7f == 0 ? .exited((status >> 8) & 0xff) : .signalled(status & 0x7f)
    }
    // What it left in its group goes too, and what left the group is the system's.
    kill(-pid, SIGKILL)
    if !hasEnded {
      exchange.close()
      while waitpid(pid, &status, 0) < 0 && errno == EINTR {}
    }
    exchange.close()
    outcome.output = exchange.output
    outcome.isOutputCut = exchange.isOutputCut
    outcome.errors = PrintableText.line(String(decoding: exchange.errorText, as: UTF8.self))
    return outcome
  }

  private func withCStrings<Result>(_ strings: [String], _ body: (UnsafePointer<UnsafePointer<CChar>?>) -> Result) -> Result {
    let pointers = strings.map { UnsafePointer(strdup($0)) } + [nil]
    defer { for pointer in pointers { free(UnsafeMutablePointer(mutating: pointer)) } }
    return pointers.withUnsafeBufferPointer { body($0.baseAddress.unsafelyUnwrapped) }
  }
}

/// What goes to a process and comes from it, as far as the limits go.
private struct Exchange {
  private let to: Descriptor
  private let from: Descriptor
  private let errors: Descriptor
  private let limits: ProviderLimits
  private var input: Data
  private(set) var output = Data()
  private(set) var errorText = Data()
  private(set) var isOutputCut = false

  init(input: Data, limits: ProviderLimits, to: Descriptor, from: Descriptor, errors: Descriptor) {
    self.input = input
    self.limits = limits
    self.to = to
    self.from = from
    self.errors = errors
    if input.isEmpty { to.close() }
  }

  /// Whether the process has closed all it can write to.
  var isOver: Bool { !from.isOpen && !errors.isOpen }

  /// Moves what can be moved within some milliseconds.
  mutating func turn(wait: Int32) {
    var polls = [
      pollfd(fd: to.isOpen ? to.number : -1, events: Int16(POLLOUT), revents: 0),
      pollfd(fd: from.isOpen ? from.number : -1, events: Int16(POLLIN), revents: 0),
      pollfd(fd: errors.isOpen ? errors.number : -1, events: Int16(POLLIN), revents: 0),
    ]
    guard poll(&polls, 3, wait) > 0 else { return }
    if polls[0].revents != 0 { send() }
    if polls[1].revents != 0, let bytes = Self.read(from) {
      let room = limits.output - output.count
      output += bytes.prefix(room)
      if bytes.count > room { isOutputCut = true }
    }
    if polls[2].revents != 0, let bytes = Self.read(errors) {
      errorText += bytes
      if errorText.count > limits.errors { errorText = Data(errorText.suffix(limits.errors)) }
    }
  }

  func close() {
    for descriptor in [to, from, errors] { descriptor.close() }
  }

  private mutating func send() {
    let count = input.withUnsafeBytes { write(to.number, $0.baseAddress, $0.count) }
    if count < 0 && (errno == EAGAIN || errno == EINTR) { return }
    // It does not read what it was given: its own business.
    guard count > 0 else { return to.close() }
    input = Data(input.dropFirst(count))
    if input.isEmpty { to.close() }
  }

  /// Nil where there is nothing now, or nothing any more, which closes it.
  private static func read(_ descriptor: Descriptor) -> Data? {
    var bytes = Data(count: 65_536)
    let count = bytes.withUnsafeMutableBytes { Glibc.read(descriptor.number, $0.baseAddress, $0.count) }
    if count > 0 { return bytes.prefix(count) }
    if count < 0 && (errno == EAGAIN || errno == EINTR) { return nil }
    descriptor.close()
    return nil
  }
}

/// A descriptor that is closed once: when it is told to, or with its last owner.
private final class Descriptor {
  private(set) var number: Int32
  init(_ number: Int32) { self.number = number }
  deinit { close() }
  var isOpen: Bool { number >= 0 }
  func close() {
    guard number >= 0 else { return }
    Glibc.close(number)
    number = -1
  }
}
