package import Domain
internal import Glibc
internal import CProcess

/// How much of the machine a plugin may take. Every process of it has limits of its own, which the kernel keeps; `processes` bounds how many there are.
/// What all of them have together, and what lies in its directory, is looked at (`PluginHoldings`).
package struct PluginBounds: Hashable, Sendable {
  /// Private writable memory of one process. Not its addresses: Go, Java and Node reserve far more than they use.
  package var memory = ByteCount(bytes: 512 << 20)
  /// Processes and threads at once.
  package var processes = 64
  /// What all of its processes may have of memory together.
  package var totalMemory = ByteCount(gibibytes: 2)
  /// What its directory may hold.
  package var disk = ByteCount(gibibytes: 2)
  /// Open files of one process.
  package var files = 256
  /// Size of one file that it writes.
  package var fileSize = ByteCount(bytes: 1 << 30)

  package init() {}

  /// - Parameter countsProcesses: false where the kernel would count the host's own processes too.
  func limits(countsProcesses: Bool) -> [rh_limit] {
    var limits = [
      rh_limit(resource: Int32(RLIMIT_DATA.rawValue), value: UInt64(max(0, memory.bytes))),
      rh_limit(resource: Int32(RLIMIT_NOFILE.rawValue), value: UInt64(max(0, files))),
      rh_limit(resource: Int32(RLIMIT_FSIZE.rawValue), value: UInt64(max(0, fileSize.bytes))),
      rh_limit(resource: Int32(RLIMIT_CORE.rawValue), value: 0),
    ]
    if countsProcesses { limits.append(rh_limit(resource: Int32(__RLIMIT_NPROC.rawValue), value: UInt64(max(0, processes)))) }
    return limits
  }
}
