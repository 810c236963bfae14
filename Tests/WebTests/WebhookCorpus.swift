import Foundation
import Testing

/// GitHub's example deliveries.
enum WebhookCorpus {
  /// Names below the folder, such as `workflow_job/queued.payload.json`, and contents.
  static func files() throws -> [(name: String, data: Data)] {
    let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    let folder =
      (ProcessInfo.processInfo.environment["RUNNERHUB_CORPORA"].map { URL(filePath: $0) }
      ?? root.appending(path: "../shared/corpora").standardized).appending(path: "webhooks")
    let names = try FileManager.default.subpathsOfDirectory(atPath: folder.path).filter { $0.hasSuffix(".json") }.sorted()
    try #require(names.count >= 30, "the corpus of webhooks is not in \(folder.path)")
    return try names.map { ($0, try Data(contentsOf: folder.appending(path: $0))) }
  }
}
