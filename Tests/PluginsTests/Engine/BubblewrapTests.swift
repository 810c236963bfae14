import Contracts
import Foundation
import JSON
import Testing

@Suite("The engine of plugins/bubblewrap") struct BubblewrapTests {
  private static let plugin = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent().appending(path: "plugins/bubblewrap", directoryHint: .isDirectory)

  @Test(
    "keeps the contract of container engines, as a real plugin", .timeLimit(.minutes(2)),
    .enabled(if: FileManager.default.isExecutableFile(atPath: "/usr/bin/bwrap"), "bubblewrap is not installed"),
    arguments: ContainerEngineContract.promises)
  func keepsTheContract(_ promise: Promise) async throws {
    let bench = try EnginePluginBench(Self.plugin, configuration: .object(["network": .string("none")])) { container in
      let facts = try JSONSerialization.jsonObject(with: Data(contentsOf: container.appending(path: "init.json"))) as? [String: Any]
      return pid_t(try #require(facts?["pid"] as? Int))
    }
    try await promise.keep(on: bench)
  }
}
