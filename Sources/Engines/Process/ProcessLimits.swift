internal import CProcess
internal import Domain
internal import Glibc
internal import RunnerHub

/// A soft resource limit of a process.
struct ProcessLimit: Hashable, Sendable {
  var resource: Int32
  var amount: UInt64
  var value: rh_limit { rh_limit(resource: resource, value: amount) }

  static func == (a: ProcessLimit, b: ProcessLimit) -> Bool { a.resource == b.resource && a.amount == b.amount }
}

extension ProcessLimit {
  /// What rlimits can do of a container's resources. Each holds for every process alone, none for their sum; CPU and GPUs are not limited.
  ///
  /// - Memory as `RLIMIT_DATA` (private writable memory, getrlimit(2)), not `RLIMIT_AS`: Go, Java, .NET and Node reserve far more addresses
  ///   than they use, and would not start.
  /// - Disk as `RLIMIT_FSIZE`: no file grows larger than the whole disk given.
  /// - No `RLIMIT_NPROC`: it counts a user's processes over all containers and the host, and does not hold for root.
  /// - No core files, and as many open files as the host's hard limit allows, up to 65,536.
  ///
  /// Only soft limits are set, so that they can be raised again without a privilege (CAP_SYS_RESOURCE) that the host may lack.
  static func all(for resources: Resources) -> [ProcessLimit] {
    amounts(of: resources) + [
      ProcessLimit(resource: Int32(RLIMIT_CORE.rawValue), amount: 0),
      ProcessLimit(resource: Int32(RLIMIT_NOFILE.rawValue), amount: 65_536),
    ]
  }

  /// Those that change when a running container's resources do.
  static func amounts(of resources: Resources) -> [ProcessLimit] {
    [
      ProcessLimit(resource: Int32(RLIMIT_DATA.rawValue), amount: UInt64(max(0, resources.memory.bytes))),
      ProcessLimit(resource: Int32(RLIMIT_FSIZE.rawValue), amount: UInt64(max(0, resources.disk.bytes))),
    ]
  }

  /// - Throws: `invalid` for amounts with which nothing could run.
  static func check(_ resources: Resources) throws(EngineError) {
    let least = ByteCount(mebibytes: 16)
    guard resources.memory >= least else { throw .invalid("memory of \(resources.memory) is less than \(least)") }
    guard resources.disk.bytes > 0 else { throw .invalid("disk of \(resources.disk) is nothing") }
    guard resources.milliCPUs > 0 else { throw .invalid("\(resources.milliCPUs) thousandths of a core is nothing") }
    guard resources.gpus == 0 else { throw .invalid("the process engine has no GPUs to give, \(resources.gpus) were asked for") }
  }

  /// Sets the limit of a running process. One that has just ended is no error.
  func apply(to pid: Int32) throws(EngineError) {
    let error = rh_process_limit(pid, value)
    guard error != 0, error != ESRCH else { return }
    // A process that took another user's identity (sudo) cannot be changed by an ordinary user, now or later.
    throw .invalid("cannot change the limits of process \(pid): \(systemError(error))")
  }
}
