import Domain
import Foundation
import RunnerHub
import Storage

/// A store's file as it is after much work: made once a run, then copied.
struct Scene: Hashable {
  var waiting = 0
  var running = 0
  var finished = 0

  /// Makes it in a file.
  /// - Parameter settings: of a pool that has no room for the waiting ones.
  func make(at path: String, settings: Settings) async throws {
    let store = try SQLiteStore(path: path)
    let time = Date().addingTimeInterval(-120)
    var changes = Changes()
    func flush() async throws {
      try await store.commit(changes, at: .deliveriesApplied)
      changes = Changes()
    }
    for number in 0..<running {
      Sample.running(number, settings: settings, at: time, in: &changes)
      if changes.jobs.count == 1000 { try await flush() }
    }
    for number in 0..<finished {
      Sample.finished(10_000 + number, settings: settings, at: time, in: &changes)
      if changes.jobs.count == 1000 { try await flush() }
    }
    for number in 0..<waiting {
      let job = Sample.queuedJob(1_000_000 + number, settings: settings, at: time.addingTimeInterval(Double(number) / 10_000))
      Sample.record(job, in: &changes)
      Sample.owe(job, in: &changes)
      changes.jobs.append(job)
      if changes.jobs.count == 1000 { try await flush() }
    }
    try await flush()
    try store.close()
  }
}

/// Where a run keeps its files, and the scenes that it has made. Removed at its end.
final class Workshop {
  let folder: URL
  private var made: Set<Scene> = []
  private var count = 0

  init() throws {
    folder = FileManager.default.temporaryDirectory.appending(path: "runnerhub-benchmarks-\(ProcessInfo.processInfo.processIdentifier)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
  }

  /// A fresh folder, empty but for the scene's `runnerhub.sqlite`.
  func directory(_ scene: Scene = Scene()) async throws -> URL {
    count += 1
    let directory = folder.appending(path: "\(count)")
    try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
    guard scene != Scene() else { return directory }
    let original = folder.appending(path: "scene-\(scene.waiting)-\(scene.running)-\(scene.finished).sqlite")
    if made.insert(scene).inserted {
      Progress.say(
        "making \(Text.number(Double(scene.waiting))) waiting, \(scene.running) running, \(Text.number(Double(scene.finished))) finished jobs …"
      )
      try await scene.make(at: original.path, settings: Sample.settings([Sample.pool(maximum: 1000)]))
    }
    try FileManager.default.copyItem(atPath: original.path, toPath: directory.database)
    // Else the first checkpoint that is measured would have to bring the copy itself to the disk.
    let file = try FileHandle(forUpdating: URL(filePath: directory.database))
    try file.synchronize()
    try file.close()
    return directory
  }

  func discard(_ directory: URL) throws { try FileManager.default.removeItem(at: directory) }

  func close() {
    do { try FileManager.default.removeItem(at: folder) } catch { Progress.say("\(folder.path) stays: \(error)") }
  }
}

extension URL {
  /// The store's file in a directory.
  var database: String { appending(path: "runnerhub.sqlite").path }
}
