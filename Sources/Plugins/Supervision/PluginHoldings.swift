internal import CProcess
internal import Domain
internal import Foundation

/// What a plugin holds of the machine with all of its processes, looked at now and then: the kernel's limits are those of one process each.
///
/// Of an engine nothing is looked at, since what it starts is not its own: containers have limits of their own.
struct PluginHoldings: Sendable {
  let name: String
  let directory: URL
  let bounds: PluginBounds
  let kind: PluginKind

  /// Why it may not go on; nil: it keeps to its bounds, or nothing could be found out.
  /// - Parameter keeper: its first process; nil: none runs.
  func excess(keeper: Int32?) async -> String? {
    guard kind != .engine, kind != .garmProvider else { return nil }
    // A walk through files may wait for a disk: the cooperative pool does not.
    return await withCheckedContinuation { continuation in
      DispatchQueue.global(qos: .utility).async { continuation.resume(returning: look(keeper: keeper)) }
    }
  }

  private func look(keeper: Int32?) -> String? {
    if let keeper {
      let taken = ProcessMemory.taken(below: keeper, upTo: bounds.totalMemory)
      if taken > bounds.totalMemory {
        return
          "its processes take \(Self.text(taken)) of memory together, and may take \(Self.text(bounds.totalMemory)): see plugins.\(name).total-memory"
      }
    }
    let size = rh_tree_size(directory.path(percentEncoded: false), bounds.disk.bytes)
    if size > bounds.disk.bytes {
      return
        "its directory \(directory.path(percentEncoded: false)) holds more than \(Self.text(bounds.disk)): empty it, or raise plugins.\(name).disk; a folder in it that cannot be read counts as more"
    }
    return nil
  }

  private static func text(_ count: ByteCount) -> String {
    count.bytes >= 1 << 20 ? "\(count.bytes >> 20) MiB" : "\(count.bytes) bytes"
  }
}

/// Memory of processes, by `/proc`.
enum ProcessMemory {
  /// Processes that are looked at below one: `processes` bounds them, where the kernel does not.
  private static let limit = 10_000

  /// Private and shared memory without files, and what of it is swapped out, of all that came from a process; without itself, which is the host's keeper.
  /// Pages that processes share since they were forked are counted once, as far as the kernel tells.
  /// - Parameter bound: what is less than this is told as it is counted first, with shared pages several times.
  static func taken(below keeper: Int32, upTo bound: ByteCount) -> ByteCount {
    let processes = descendants(of: keeper)
    let quick = processes.reduce(Int64(0)) { $0 + sum($1, "status", ["RssAnon:", "RssShmem:", "VmSwap:"]) }
    guard quick > bound.bytes else { return ByteCount(bytes: quick) }
    let exact = processes.reduce(Int64(0)) { sum, process in
      let shared = self.sum(process, "smaps_rollup", ["Pss_Anon:", "Pss_Shmem:", "SwapPss:"])
      // A kernel before 5.9 does not tell them apart.
      return sum + (shared > 0 ? shared : self.sum(process, "status", ["RssAnon:", "RssShmem:", "VmSwap:"]))
    }
    return ByteCount(bytes: exact)
  }

  static func descendants(of process: Int32) -> [Int32] {
    var found: [Int32] = []
    var open = [process]
    while let next = open.popLast(), found.count < limit {
      // One that has ended meanwhile has no threads.
      for thread in (try? FileManager.default.contentsOfDirectory(atPath: "/proc/\(next)/task")) ?? [] {
        let children = text("/proc/\(next)/task/\(thread)/children").split(separator: " ").compactMap { Int32($0) }
        found += children
        open += children
      }
    }
    return found
  }

  /// Bytes in lines such as `RssAnon:  120 kB`.
  private static func sum(_ process: Int32, _ file: String, _ names: [String]) -> Int64 {
    text("/proc/\(process)/\(file)").split(separator: "\n").reduce(Int64(0)) { sum, line in
      let words = line.split(whereSeparator: { $0 == " " || $0 == "\t" })
      guard words.count >= 2, names.contains(String(words[0])), let count = Int64(words[1]) else { return sum }
      return sum + count << 10
    }
  }

  /// Empty where it is gone, or may not be read.
  private static func text(_ path: String) -> String {
    (try? String(contentsOfFile: path, encoding: .utf8)) ?? ""
  }
}
