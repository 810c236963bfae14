import Foundation
import Glibc

/// The living processes of this machine that belong to a folder: their arguments, environment or working directory name it.
enum Processes {
  static func of(_ folder: URL) -> [pid_t] {
    let words = Data(folder.path(percentEncoded: false).utf8)
    let names = (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []
    return names.compactMap { pid_t($0) }.filter { pid in
      if pid == getpid() || isZombie(pid) { return false }
      let directory = (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/\(pid)/cwd")) ?? ""
      return ["cmdline", "environ"].contains { contents("/proc/\(pid)/\($0)").range(of: words) != nil }
        || Data(directory.utf8).range(of: words) != nil
    }
  }

  static func describe(_ pids: [pid_t]) -> [String] {
    pids.map { "\($0): " + String(decoding: contents("/proc/\($0)/cmdline"), as: UTF8.self).replacing("\0", with: " ") }
  }

  private static func isZombie(_ pid: pid_t) -> Bool {
    let status = String(decoding: contents("/proc/\(pid)/stat"), as: UTF8.self)
    guard let end = status.lastIndex(of: ")") else { return true }
    return status[end...].dropFirst(2).first == "Z"
  }

  private static func contents(_ path: String) -> Data { (try? Data(contentsOf: URL(filePath: path))) ?? Data() }
}
