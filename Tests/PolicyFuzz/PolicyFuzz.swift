import Foundation
import Policies
import PolicyFuzzing

/// `PolicyFuzz [--seconds N] [--seed N] [--case N]`: random cases until the time is over; or one case again.
///
/// A failure, a crash included, names its case. One that was found is kept in `FuzzTests.kept`.
@main
enum PolicyFuzz {
  static func main() throws {
    let seconds = try option("--seconds") ?? 60
    let seed = try option("--seed") ?? UInt64.random(in: 1...999_999_999)
    Crash.watch()
    let echo = try FuzzCase.makeEcho()
    if let number = try option("--case") {
      run(number, echo)
      print("fuzz  case \(number) held")
      return
    }
    print("fuzz  seed \(seed), \(seconds) s")
    var numbers = CaseGenerator(seed)
    let clock = ContinuousClock()
    let end = clock.now + .seconds(Int(seconds))
    var (count, said) = (0, clock.now)
    while clock.now < end {
      run(numbers.next(), echo)
      count += 1
      if clock.now - said > .seconds(2) {
        said = clock.now
        print("fuzz  \(count) cases …")
        fflush(nil)
      }
    }
    print("fuzz  \(count) cases held in \(seconds) s, seed \(seed)")
  }

  private static func run(_ number: UInt64, _ echo: LuaRuntime) {
    Crash.current = number
    do {
      try FuzzCase.run(number, echo: echo)
    } catch {
      print("fuzz  case \(number) failed: \(error)\nagain: .build/debug/PolicyFuzz --case \(number)")
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
