import Contracts
import Domain
import Engines
import Foundation
import Glibc
import Logging
import RunnerHub

/// The process engine over a folder of its own, for the contract suite.
struct ProcessBench: ContractBench {
  let folder = FileManager.default.temporaryDirectory.appending(path: "runnerhub-engine-\(RandomIdentitySource().token(digits: 12))")
  var root: URL { folder.appending(path: "containers") }

  func makeEngine() -> any ContainerEngine {
    ProcessEngine(root: root, images: [:], installation: "contract", logger: Logger(label: "engine"))
  }

  func makeImage(runScript: String) throws -> String {
    let image = folder.appending(path: "image-\(RandomIdentitySource().token(digits: 12))")
    try FileManager.default.createDirectory(at: image, withIntermediateDirectories: true)
    let script = image.appending(path: "run.sh").path(percentEncoded: false)
    try Data(runScript.utf8).write(to: URL(filePath: script))
    try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: script)
    return image.path(percentEncoded: false)
  }

  func killFirstProcess(of id: ContainerID) async throws {
    try firstProcess(of: id, signal: SIGKILL)
  }

  /// Signals the only process whose argument is this container's own init.sh.
  func firstProcess(of id: ContainerID, signal: Int32) throws {
    let script = root.appending(path: "\(id)/init.sh").path(percentEncoded: false)
    // PID 1 and its copies (a shell forks for its pipelines) have the same arguments; the first one leads its session.
    let leaders = HostProcesses.living(withArgument: script).filter { getsid($0) == $0 }
    guard leaders.count == 1 else { throw BenchError.leaders(leaders) }
    kill(leaders[0], signal)
  }

  func tearDown() throws {
    try FileManager.default.removeItem(at: folder)
  }

  enum BenchError: Error { case leaders([Int32]) }
}
