import Foundation

/// A folder that is gone with the object.
final class TemporaryFolder: Sendable {
  let url: URL

  init() throws {
    url = FileManager.default.temporaryDirectory.appendingPathComponent("runnerhub-storage-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
  }

  deinit {
    do { try FileManager.default.removeItem(at: url) } catch { print("the folder \(url.path) stays: \(error)") }
  }

  func path(_ name: String) -> String { url.appendingPathComponent(name).path }
}
