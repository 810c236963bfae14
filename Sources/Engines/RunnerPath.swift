internal import RunnerHub

/// Paths below a runner's home.
enum RunnerPath {
  /// What PID 1 waits for, and takes away when it has seen it.
  static let marker = ".runnerhub-go"

  /// - Throws: `invalid` for a path that is not plainly one below the home.
  static func components(of path: String) throws(EngineError) -> [String] {
    let parts = path.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
    let isPlain = parts.allSatisfy { !$0.isEmpty && $0 != "." && $0 != ".." && !$0.utf8.contains(0) }
    guard isPlain else { throw .invalid("'\(path)' is not a relative path below the runner's home") }
    return parts
  }
}
