import Foundation

/// What the kernel says of a process.
struct ProcessReading {
  /// Seconds of CPU used so far.
  var cpuSeconds: Double
  /// Bytes of memory in use now, and at most so far.
  var resident: Double
  var peak: Double

  init(of process: Int32) throws {
    // Past the name, which may hold spaces and parentheses: utime and stime are the fields 14 and 15 of proc(5).
    let stat = try String(contentsOfFile: "/proc/\(process)/stat", encoding: .utf8)
    let fields = stat[(stat.lastIndex(of: ")") ?? stat.startIndex)...].split(separator: " ")
    guard fields.count > 13, let user = Double(fields[12]), let system = Double(fields[13]) else {
      throw BenchmarkFailure("/proc/\(process)/stat cannot be read: \(stat)")
    }
    cpuSeconds = (user + system) / Double(sysconf(Int32(_SC_CLK_TCK)))
    let status = try String(contentsOfFile: "/proc/\(process)/status", encoding: .utf8)
    resident = try Self.bytes("VmRSS:", in: status)
    peak = try Self.bytes("VmHWM:", in: status)
  }

  private static func bytes(_ name: String, in status: String) throws -> Double {
    guard let line = status.split(separator: "\n").first(where: { $0.hasPrefix(name) }),
      let kibibytes = line.split(whereSeparator: \.isWhitespace).dropFirst().first.flatMap({ Double($0) })
    else { throw BenchmarkFailure("no \(name) in \(status)") }
    return kibibytes * 1024
  }
}
