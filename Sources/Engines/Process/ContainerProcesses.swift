internal import CProcess
internal import Domain
internal import Foundation
internal import Glibc
internal import RunnerHub

/// The processes of one container: PID 1 and whatever its jobs have left.
///
/// PID 1 adopts every orphan below it (it is a subreaper), so nothing leaves the tree while it lives, whatever a job does with setsid or double
/// forks. If PID 1 was killed, what is left is found by the marks in its environment, or as a member of its session that works in its folder.
/// What takes off both and kills PID 1 first is not found: there is no isolation here.
struct ContainerProcesses: Sendable {
  let folder: ContainerFolder
  let installation: String
  let leader: ProcessIdentity?

  /// The living processes besides PID 1.
  func members(in table: ProcessTable) -> [ProcessFacts] {
    var found: Set<ProcessFacts> = []
    if let leader, table.living(leader) != nil { found.formUnion(table.descendants(of: leader.pid)) }
    let marks = RunnerEnvironment.marks(container: folder.id, installation: installation).map { Substring("\($0.key)=\($0.value)") }
    for process in table.facts.values where !process.hasEnded && process.pid != getpid() && process.pid != leader?.pid {
      if found.contains(process) { continue }
      let isMarked = ProcessTable.environment(of: process.pid)?.isSuperset(of: marks) ?? false
      if isMarked || isSessionMember(process) { found.insert(process) }
    }
    return Array(found)
  }

  /// Ends all of them, and then PID 1.
  /// - Throws: `unavailable` when some still live at the deadline.
  func endAll(by deadline: ContinuousClock.Instant) async throws(EngineError) {
    try await endMembers(by: deadline)
    guard let leader else { return }
    repeat {
      signal(leader, SIGKILL)
      if try ProcessTable.read().living(leader) == nil { break }
      try await pause(until: deadline, for: [leader.pid])
    } while true
    // Orphans of PID 1's last moment.
    try await endMembers(by: deadline)
  }

  /// Stops PID 1, which would otherwise go on making processes, and ends all others. The caller wakes PID 1 or ends it.
  func endMembers(by deadline: ContinuousClock.Instant) async throws(EngineError) {
    var emptyPasses = 0
    // A table is not of one moment: what forks while it is read can be missed once.
    while emptyPasses < 2 {
      if let leader { signal(leader, SIGSTOP) }
      let table = try ProcessTable.read()
      let members = members(in: table)
      // All are stopped before the first is killed: a parent must not go on because its child has ended.
      for number in [SIGSTOP, SIGKILL] {
        for member in members { signal(table.identity(of: member), number) }
      }
      let isLeaderQuiet = leader.flatMap { table.living($0) }?.isStopped ?? true
      if members.isEmpty && isLeaderQuiet {
        emptyPasses += 1
      } else {
        emptyPasses = 0
        try await pause(until: deadline, for: members.map(\.pid))
      }
    }
  }

  /// Sends a signal to exactly this process, never to a later one of its number.
  func signal(_ process: ProcessIdentity, _ number: Int32) {
    let descriptor = rh_process_open(process.pid)
    guard descriptor >= 0 else { return }
    defer { close(descriptor) }
    // The descriptor holds the number, so the identity is checked after it was opened.
    guard ProcessTable.identity(of: process.pid) == process else { return }
    // That it has just ended is what was wanted; what it refuses (EPERM) shows when it still lives at the deadline.
    _ = rh_process_signal(descriptor, number)
  }

  private func pause(until deadline: ContinuousClock.Instant, for pids: [Int32]) async throws(EngineError) {
    let list = pids.prefix(10).map(String.init).joined(separator: ", ")
    guard ContinuousClock.now < deadline else {
      throw .unavailable("\(pids.count) processes of \(folder.id) do not end: \(list)")
    }
    do {
      try await Task.sleep(for: .milliseconds(5))
    } catch {
      throw .unavailable("interrupted while processes of \(folder.id) end: \(list)")
    }
  }

  /// A session's number can be a later stranger's, but not in the container's own folder.
  private func isSessionMember(_ process: ProcessFacts) -> Bool {
    guard let leader, process.session == leader.pid else { return false }
    var buffer = [CChar](repeating: 0, count: Int(PATH_MAX))
    let length = readlink("/proc/\(process.pid)/cwd", &buffer, buffer.count)
    guard length > 0 else { return false }
    let place = String(decoding: buffer.prefix(length).map(UInt8.init(bitPattern:)), as: UTF8.self)
    return place == folder.path || place.hasPrefix("\(folder.path)/")
  }
}
