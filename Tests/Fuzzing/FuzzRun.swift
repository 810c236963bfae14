import Foundation

/// `PROGRAM [--seconds N] [--seed N] [--case N]`: random cases until the time is over; or one case again.
///
/// A failure, a crash included, names its case.
package enum FuzzRun {
  /// - Parameter memoryLimit: what the process may hold at its peak, in bytes; nil: not looked at.
  package static func main(_ name: String, memoryLimit: Int? = nil, run: (UInt64) throws -> Void) throws {
    let seconds = try option("--seconds") ?? 60
    let seed = try option("--seed") ?? UInt64.random(in: 1...999_999_999)
    Crash.watch()
    if let number = try option("--case") {
      attempt(number, name, run)
      print("fuzz  \(name) case \(number) held")
      return
    }
    print("fuzz  \(name) seed \(seed), \(seconds) s")
    var numbers = CaseGenerator(seed)
    let clock = ContinuousClock()
    let end = clock.now + .seconds(Int(seconds))
    var (count, said) = (0, clock.now)
    while clock.now < end {
      attempt(numbers.next(), name, run)
      count += 1
      if let memoryLimit, peakMemory > memoryLimit {
        print("fuzz  \(name): \(peakMemory >> 20) MiB after \(count) cases of seed \(seed), \(memoryLimit >> 20) at most are allowed")
        exit(1)
      }
      if clock.now - said > .seconds(2) {
        said = clock.now
        print("fuzz  \(count) cases …")
        fflush(nil)
      }
    }
    print("fuzz  \(name): \(count) cases held in \(seconds) s, \(peakMemory >> 20) MiB at most, seed \(seed)")
  }

  /// The most that the process has held so far, in bytes.
  private static var peakMemory: Int {
    var usage = rusage()
    getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
    return Int(usage.ru_maxrss) << 10
  }

  private static func attempt(_ number: UInt64, _ name: String, _ run: (UInt64) throws -> Void) {
    Crash.current = number
    do {
      try run(number)
    } catch {
      print("fuzz  case \(number) failed: \(error)\nagain: .build/debug/\(name) --case \(number)")
      exit(1)
    }
  }

  private static func option(_ name: String) throws -> UInt64? {
    let arguments = CommandLine.arguments
    guard let place = arguments.firstIndex(of: name) else { return nil }
    guard place + 1 < arguments.count, let number = UInt64(arguments[place + 1]) else {
      throw FuzzFailure(description: "\(name) takes a whole number")
    }
    return number
  }
}

/// Says which case it was when the process dies of a signal.
enum Crash {
  /// Written by the one thread that runs cases, read by the signal handler on it.
  nonisolated(unsafe) static var current: UInt64 = 0

  static func watch() {
    for number in [SIGSEGV, SIGBUS, SIGILL, SIGTRAP, SIGABRT, SIGFPE] {
      signal(number) { number in
        // Only what a handler may call.
        let text: StaticString = "fuzz  crashed in case "
        _ = write(2, text.utf8Start, text.utf8CodeUnitCount)
        var (rest, digits) = (Crash.current, (UInt64(0), UInt64(0), UInt64(0)))
        withUnsafeMutableBytes(of: &digits) { buffer in
          var place = buffer.count
          buffer[place - 1] = 0x0A
          place -= 1
          repeat {
            place -= 1
            buffer[place] = UInt8(0x30 + rest % 10)
            rest /= 10
          } while rest > 0
          if let start = buffer.baseAddress { _ = write(2, start + place, buffer.count - place) }
        }
        signal(number, SIG_DFL)
        raise(number)
      }
    }
  }
}
