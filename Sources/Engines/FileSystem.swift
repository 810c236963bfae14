internal import Domain
internal import Glibc

/// The disk below a folder.
enum FileSystem {
  /// All of its file system, used or not.
  /// - Returns: nil where there is no such folder; `errno` says why.
  static func size(of path: String) -> ByteCount? {
    var disk = statvfs()
    guard statvfs(path, &disk) == 0 else { return nil }
    let bytes = UInt64(disk.f_blocks).multipliedReportingOverflow(by: UInt64(disk.f_frsize))
    return ByteCount(bytes: bytes.overflow ? .max : Int64(clamping: bytes.partialValue))
  }
}
