import Foundation

/// What the kernel says of this process (proc(5)), under the names that Prometheus' own clients use.
struct ProcessMetrics: Equatable {
  var residentBytes: Double
  var cpuSeconds: Double
  var startTime: Double
  var openFiles: Int

  /// The values now; nil where the system has no `/proc`.
  static func read() -> ProcessMetrics? {
    guard let stat = text("/proc/self/stat"), let system = text("/proc/stat") else { return nil }
    let files: Int
    do {
      files = try FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd").count
    } catch {
      return nil
    }
    return ProcessMetrics(
      stat: stat, system: system, openFiles: files, pageBytes: Double(sysconf(Int32(_SC_PAGESIZE))),
      ticksPerSecond: Double(sysconf(Int32(_SC_CLK_TCK))))
  }

  /// - Parameters:
  ///   - stat: `/proc/self/stat`. The second field is the program's name in brackets and may hold spaces and brackets itself.
  ///   - system: `/proc/stat`, for the line `btime`.
  init?(stat: String, system: String, openFiles: Int, pageBytes: Double, ticksPerSecond: Double) {
    guard let end = stat.lastIndex(of: ")") else { return nil }
    let fields = stat[end...].dropFirst().split(separator: " ")
    let boot = system.split(separator: "\n").first { $0.hasPrefix("btime ") }.flatMap { Double($0.dropFirst(6)) }
    // Fields are numbered from 1 in proc(5); the first after the name is number 3.
    guard fields.count > 21, let boot, let user = Double(fields[11]), let kernel = Double(fields[12]), let start = Double(fields[19]),
      let pages = Double(fields[21].trimmingCharacters(in: .whitespacesAndNewlines))
    else { return nil }
    residentBytes = pages * pageBytes
    cpuSeconds = (user + kernel) / ticksPerSecond
    startTime = boot + start / ticksPerSecond
    self.openFiles = openFiles
  }

  /// In the text exposition format.
  func render() -> String {
    let metrics: [(String, String, String, Double)] = [
      ("process_cpu_seconds_total", "counter", "Total user and system CPU time spent in seconds.", cpuSeconds),
      ("process_open_fds", "gauge", "Number of open file descriptors.", Double(openFiles)),
      ("process_resident_memory_bytes", "gauge", "Resident memory size in bytes.", residentBytes),
      ("process_start_time_seconds", "gauge", "Start time of the process since unix epoch in seconds.", startTime),
    ]
    return metrics.map { "# HELP \($0.0) \($0.2)\n# TYPE \($0.0) \($0.1)\n\($0.0) \(PrometheusText.number($0.3))\n" }.joined()
  }

  /// Files of `/proc` say size 0, so they are read to their end.
  private static func text(_ path: String) -> String? {
    guard let file = FileHandle(forReadingAtPath: path) else { return nil }
    return (try? file.readToEnd()).flatMap { String(decoding: $0, as: UTF8.self) }
  }
}
