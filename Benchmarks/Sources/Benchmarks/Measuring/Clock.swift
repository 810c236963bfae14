import Dispatch
import Glibc

/// Readings of the clocks that are compared with each other within one run.
enum Clock {
  /// Nanoseconds that only go forward.
  static var now: UInt64 { DispatchTime.now().uptimeNanoseconds }
  /// Nanoseconds of CPU that this process has used, on all cores together.
  static var cpu: UInt64 { UInt64(clock()) * (1_000_000_000 / UInt64(CLOCKS_PER_SEC)) }

  /// Seconds from one reading to another.
  static func seconds(_ start: UInt64, _ end: UInt64) -> Double { Double(end - start) / 1e9 }
}

/// What a piece of work took.
struct Cost {
  var seconds: Double
  var cpuSeconds: Double

  static func measure<Value>(_ work: () async throws -> Value) async rethrows -> (Value, Cost) {
    let (start, cpu) = (Clock.now, Clock.cpu)
    let value = try await work()
    return (value, Cost(seconds: Clock.seconds(start, Clock.now), cpuSeconds: Clock.seconds(cpu, Clock.cpu)))
  }

  static func measure<Value>(_ work: () throws -> Value) rethrows -> (Value, Cost) {
    let (start, cpu) = (Clock.now, Clock.cpu)
    let value = try work()
    return (value, Cost(seconds: Clock.seconds(start, Clock.now), cpuSeconds: Clock.seconds(cpu, Clock.cpu)))
  }
}
