import Foundation
import Testing

/// A plugin is a folder that works wherever it is put, so each has its own copy of what speaks the protocol. Copies must not part.
@Suite("Helpers that plugins share") struct HelperCopiesTests {
  private static let root = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../../..").standardizedFileURL

  @Test(
    "are the same in each of them",
    arguments: [
      ["plugins/slack/protocol.py", "plugins/email/protocol.py", "plugins/vault/protocol.py"],
      ["plugins/gitlab/plugin.py", "plugins/jenkins/plugin.py", "plugins/azure-devops/plugin.py"],
      ["plugins/json-lines/json.lua", "Sources/Plugins/Kit/Templates/json.lua"],
    ])
  func copies(paths: [String]) throws {
    let texts = try paths.map { try Data(contentsOf: Self.root.appending(path: $0)) }
    #expect(Set(texts).count == 1, "\(paths) differ")
  }
}
