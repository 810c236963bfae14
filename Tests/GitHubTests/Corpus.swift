import Domain
import Foundation
import GitHubDescription
import RunnerHub
import Testing

/// GitHub's example deliveries: `RUNNERHUB_CORPORA`, or `../shared/corpora` from the package's root.
struct CorpusCase: Sendable, CustomTestStringConvertible {
  let event: String
  let name: String
  let body: Data

  var testDescription: String { "\(event)/\(name)" }
  var delivery: Delivery { Self.delivery(event: event, body: body) }

  static func delivery(event: String, body: Data) -> Delivery {
    Delivery(guid: "0", hookID: "1", event: event, body: body, receivedAt: Date(timeIntervalSince1970: 1_790_000_000))
  }

  /// All files; empty when the folder is not there, which a test of its own reports.
  static let all: [CorpusCase] = {
    let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    let named = ProcessInfo.processInfo.environment["RUNNERHUB_CORPORA"].map { URL(filePath: $0) }
    let folder = (named ?? root.appending(path: "../shared/corpora").standardized).appending(path: "webhooks")
    let files = FileManager.default
    var cases: [CorpusCase] = []
    for event in (try? files.contentsOfDirectory(atPath: folder.path)) ?? [] {
      for name in (try? files.contentsOfDirectory(atPath: folder.appending(path: event).path)) ?? [] where name.hasSuffix(".json") {
        if let body = files.contents(atPath: folder.appending(path: event).appending(path: name).path) {
          cases.append(CorpusCase(event: event, name: name, body: body))
        }
      }
    }
    return cases.sorted { $0.testDescription < $1.testDescription }
  }()
}
