internal import Domain
internal import Foundation
internal import Glibc
internal import RunnerHub

/// The environment of a container's processes: made anew, with nothing of the host's, whose environment may hold its secrets.
struct RunnerEnvironment {
  /// Marks every process of a container, unless it takes the marks off: the second way to find what has left the tree.
  static let containerName = "RUNNERHUB_CONTAINER"
  static let installationName = "RUNNERHUB_INSTALLATION"

  let folder: ContainerFolder
  let request: ContainerFolder.Request

  /// - Throws: `invalid` for names that no environment can hold, or that are ours.
  static func check(_ environment: [String: String]) throws(EngineError) {
    for (name, value) in environment {
      guard !name.isEmpty, !name.contains("="), !name.utf8.contains(0), !value.utf8.contains(0) else {
        throw .invalid("'\(name)' cannot be a variable of the environment")
      }
      guard !name.hasPrefix("RUNNERHUB_") else { throw .invalid("the variable \(name) is RunnerHub's own") }
    }
  }

  /// What PID 1 gets. It takes its own settings out before it runs anything.
  func variables() -> [String: String] {
    let user = getpwuid(getuid()).map { String(cString: $0.pointee.pw_name) } ?? "\(getuid())"
    var variables = [
      "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
      "HOME": folder.home,
      "TMPDIR": folder.temporary,
      "LANG": "C.UTF-8",
      "USER": user,
      // The real runner passes SIGTERM on to its listener only with this (its run.sh).
      "RUNNER_MANUALLY_TRAP_SIG": "1",
    ]
    // The real runner refuses to run as root without it.
    if getuid() == 0 { variables["RUNNER_ALLOW_RUNASROOT"] = "1" }
    variables.merge(request.spec.environment) { _, given in given }
    let ours = [
      "RUNNERHUB_HOME": folder.home,
      "RUNNERHUB_STATE": folder.state,
      "RUNNERHUB_LOGS": folder.logs,
      "RUNNERHUB_REUSABLE": request.spec.isReusable ? "1" : "0",
    ]
    variables.merge(ours) { _, own in own }
    variables.merge(Self.marks(container: folder.id, installation: request.installation)) { _, mark in mark }
    return variables
  }

  static func marks(container: ContainerID, installation: String) -> [String: String] {
    [containerName: container.rawValue, installationName: installation]
  }
}
