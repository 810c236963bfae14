import Foundation
import Testing

/// A plugin is a folder that works wherever it is put, so each has its own copy of what speaks the protocol: what `plugin new` writes is the original.
/// Copies must not part.
@Suite("Helpers that plugins share") struct HelperCopiesTests {
  private static let root = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../../..").standardizedFileURL

  @Test(
    "are the same in each of them",
    arguments: [
      ["Sources/Plugins/Kit/Templates/protocol.py"]
        + ["slack", "email", "vault", "gitlab", "jenkins", "azure-devops", "bubblewrap"].map { "plugins/\($0)/protocol.py" },
      ["plugins/gitlab/web.py", "plugins/jenkins/web.py", "plugins/azure-devops/web.py"],
      ["Sources/Plugins/Kit/Templates/json.lua", "plugins/json-lines/json.lua"],
    ])
  func copies(paths: [String]) throws {
    let texts = try paths.map { try Data(contentsOf: Self.root.appending(path: $0)) }
    #expect(Set(texts).count == 1, "\(paths) differ: copy the first over the others")
  }
}
