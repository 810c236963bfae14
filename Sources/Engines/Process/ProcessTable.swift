internal import Foundation
internal import Glibc
internal import RunnerHub

/// One process for ever: numbers are given again, but not with the same start, and not before the machine starts again.
struct ProcessIdentity: Hashable, Sendable, Codable {
  var pid: Int32
  /// Clock ticks from the machine's start: field 22 of `/proc/PID/stat` (proc(5)).
  var startTicks: UInt64
  /// `/proc/sys/kernel/random/boot_id`.
  var boot: String
}

/// What `/proc/PID/stat` says of one process.
struct ProcessFacts: Hashable, Sendable {
  var pid: Int32
  var parent: Int32
  var session: Int32
  var state: Character
  var threads: Int
  /// User and system time in clock ticks, with that of children that were waited for.
  var cpuTicks: UInt64
  var startTicks: UInt64
  var residentPages: Int64

  /// A zombie has ended, though its number is still taken. One with living threads has not.
  var hasEnded: Bool { state == "X" || (state == "Z" && threads <= 1) }
  var isStopped: Bool { state == "T" || state == "t" }

  /// - Parameter stat: the line of `/proc/PID/stat`. The name in it may hold anything, also parentheses and newlines.
  init?(stat: String) {
    guard let open = stat.firstIndex(of: "("), let close = stat.lastIndex(of: ")"), open < close else { return nil }
    guard let pid = Int32(stat[..<open].trimmingCharacters(in: .whitespaces)) else { return nil }
    // The first field after the name is number 3.
    let fields = stat[stat.index(after: close)...].split(whereSeparator: \.isWhitespace)
    func field<Number: FixedWidthInteger>(_ number: Int, as type: Number.Type) -> Number? {
      number - 3 < fields.count ? Number(fields[number - 3]) : nil
    }
    guard let state = fields.first?.first, let parent = field(4, as: Int32.self), let session = field(6, as: Int32.self),
      let user = field(14, as: UInt64.self), let system = field(15, as: UInt64.self),
      let childUser = field(16, as: Int64.self), let childSystem = field(17, as: Int64.self),
      let threads = field(20, as: Int.self), let start = field(22, as: UInt64.self), let resident = field(24, as: Int64.self)
    else { return nil }
    self.pid = pid
    self.parent = parent
    self.session = session
    self.state = state
    self.threads = threads
    cpuTicks = user &+ system &+ UInt64(max(0, childUser)) &+ UInt64(max(0, childSystem))
    startTicks = start
    residentPages = resident
  }
}

/// All processes of the machine at about one moment: one pass over `/proc`.
struct ProcessTable: Sendable {
  let facts: [Int32: ProcessFacts]
  private let children: [Int32: [Int32]]
  private let boot: String

  /// - Throws: `unavailable` where `/proc` cannot be read.
  static func read() throws(EngineError) -> ProcessTable {
    guard let boot = text(of: "/proc/sys/kernel/random/boot_id") else { throw .unavailable("cannot read /proc: \(systemError(errno))") }
    guard let folder = opendir("/proc") else { throw .unavailable("cannot list /proc: \(systemError(errno))") }
    defer { closedir(folder) }
    var facts: [Int32: ProcessFacts] = [:]
    while let entry = readdir(folder) {
      let name = withUnsafeBytes(of: &entry.pointee.d_name) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
      // A process that ends while the table is read is simply not in it.
      guard let pid = Int32(name), let process = ProcessTable.facts(of: pid) else { continue }
      facts[pid] = process
    }
    return ProcessTable(facts: facts, boot: boot)
  }

  init(facts: [Int32: ProcessFacts], boot: String) {
    self.facts = facts
    self.boot = boot
    children = Dictionary(grouping: facts.keys) { facts[$0]?.parent ?? 0 }
  }

  /// What is known of one process now, or nil when it is gone.
  static func facts(of pid: Int32) -> ProcessFacts? { text(of: "/proc/\(pid)/stat").flatMap(ProcessFacts.init(stat:)) }

  /// Who a process is, to be recognised later.
  static func identity(of pid: Int32) -> ProcessIdentity? {
    guard let facts = facts(of: pid), let boot = text(of: "/proc/sys/kernel/random/boot_id") else { return nil }
    return ProcessIdentity(pid: pid, startTicks: facts.startTicks, boot: boot)
  }

  /// The process, if it is still the same one and has not ended.
  func living(_ identity: ProcessIdentity) -> ProcessFacts? {
    guard identity.boot == boot, let process = facts[identity.pid], process.startTicks == identity.startTicks else { return nil }
    return process.hasEnded ? nil : process
  }

  /// Everything below a process, without what has ended.
  func descendants(of pid: Int32) -> [ProcessFacts] {
    var found: [ProcessFacts] = []
    var seen: Set<Int32> = [pid]
    var waiting = children[pid] ?? []
    while let next = waiting.popLast() {
      guard seen.insert(next).inserted, let process = facts[next] else { continue }
      if !process.hasEnded { found.append(process) }
      waiting += children[next] ?? []
    }
    return found
  }

  func identity(of process: ProcessFacts) -> ProcessIdentity {
    ProcessIdentity(pid: process.pid, startTicks: process.startTicks, boot: boot)
  }

  /// The environment that a process was started with; nil where it is gone or not ours to read.
  static func environment(of pid: Int32) -> Set<Substring>? {
    text(of: "/proc/\(pid)/environ").map { Set($0.split(separator: "\0")) }
  }

  /// Reads a small file of `/proc`, whose size is not known beforehand.
  private static func text(of path: String) -> String? {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { return nil }
    defer { close(descriptor) }
    var bytes: [UInt8] = []
    let most = 1 << 20
    while bytes.count < most {
      let chunk = [UInt8](unsafeUninitializedCapacity: 4096) { buffer, count in
        count = max(0, Glibc.read(descriptor, buffer.baseAddress, buffer.count))
      }
      if chunk.isEmpty { break }
      bytes += chunk
    }
    return String(decoding: bytes, as: UTF8.self).trimmingCharacters(in: .newlines)
  }
}

/// The system's text for an error number.
func systemError(_ number: Int32) -> String { "\(String(cString: strerror(number))) (\(number))" }
