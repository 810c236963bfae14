import Contracts
import Foundation
import JSON
import Plugins
import Testing

@Suite("A new engine of plugin new") struct EngineTemplateTests {
  /// What an engine without isolation that gives each container to one job does not promise.
  static let isolation = [
    // Containers that are used again.
    "a second engine over the same place sees, reads, uses and removes what the first one made",
    "each use of a reusable container has its own log and exit status",
    "recycling leaves no file, no process and no variable of the job before", "recycling does not follow a link out of the container",
    "recycling ends a use that still runs, and its log and exit status remain", "recycling twice, or an unused container, finds it done",
    "a created container that never ran is removed, and its name is free again",
    // Processes that take off what they are known by.
    "removal ends every process of a hostile job and leaves nothing", "when a container for one use ends, all its processes end",
    // Usage is not measured.
    "one call lists all containers, each as it stands",
  ]

  static let promises = ContainerEngineContract.promises.filter { !isolation.contains($0.description) }

  @Test("names what it does not promise as the contract does")
  func exceptions() {
    #expect(Set(Self.isolation).isSubset(of: ContainerEngineContract.promises.map(\.description)))
  }

  @Test(
    "keeps the contract of container engines, but what needs isolation", .timeLimit(.minutes(2)),
    arguments: [PluginTemplate.Language.shell, .python, .lua],
    promises)
  func keepsTheContract(language: PluginTemplate.Language, promise: Promise) async throws {
    let root = FileManager.default.temporaryDirectory.appending(path: "engine-\(UUID().uuidString)", directoryHint: .isDirectory)
    _ = try PluginTemplate(kind: .engine, language: language, name: "containers").write(into: root)
    let bench = try EnginePluginBench(root.appending(path: "containers", directoryHint: .isDirectory), configuration: .object([:])) {
      let leader = try String(contentsOf: $0.appending(path: "pid"), encoding: .utf8)
      return try #require(leader.split(separator: " ").first.flatMap { pid_t($0) })
    }
    try await promise.keep(on: bench)
    try FileManager.default.removeItem(at: root)
  }
}
