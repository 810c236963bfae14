import Foundation
import Glibc

/// What an engine has, seen without RunnerHub: the judge of what a crash has left.
protocol EngineWitness: Sendable {
  /// Names of the containers, and of what is left of some that were half made or half removed.
  func containers() async throws -> [String]
  /// The living processes of containers, for people.
  func processes() async throws -> [String]
  /// Ends every process of a container, or of all, behind RunnerHub's back.
  func kill(_ container: String?) async throws
  /// Makes a container disappear, with its processes.
  func lose(_ container: String) async throws
}

/// The process engine's folders and `/proc`.
struct ProcessEngineWitness: EngineWitness {
  let root: URL

  init(_ hub: HubProcess) { root = hub.data.appending(path: "containers", directoryHint: .isDirectory) }

  func containers() throws -> [String] {
    let files = FileManager.default
    guard files.fileExists(atPath: root.path) else { return [] }
    let places = [root, root.appending(path: ".making"), root.appending(path: ".trash")]
    return try places.filter { files.fileExists(atPath: $0.path) }.flatMap { place in
      try files.contentsOfDirectory(atPath: place.path).filter { ![".making", ".trash"].contains($0) }
    }
  }

  func processes() -> [String] { Processes.describe(Processes.of(root)) }

  func kill(_ container: String?) async throws {
    let folder = container.map { root.appending(path: $0) } ?? root
    try await eventually("the end of the processes of \(container ?? "all containers")") {
      let living = Processes.of(folder)
      for pid in living { Glibc.kill(pid, SIGKILL) }
      return living.isEmpty
    }
  }

  func lose(_ container: String) async throws {
    try await kill(container)
    try FileManager.default.removeItem(at: root.appending(path: container))
  }
}
