import Domain
import Foundation
import Logging
import Plugins
import RunnerHub
import Testing

@testable import Command

@Suite("Engines that plugins are, as pools name them") struct EnginePluginsTests {
  private let folder = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    .appending(path: "plugins", directoryHint: .isDirectory)

  private func pool(_ name: String, engine: String, reuse: Int = 1) -> Pool {
    Pool(
      name: name, engine: engine, image: "image", labels: Labels(["linux"]),
      resources: Resources(milliCPUs: 1000, memory: ByteCount(gibibytes: 1)), minimum: 0, maximum: 1, warm: 0,
      reuse: ReuseRule(maximumUses: reuse, maximumAgeSeconds: 60))
  }

  private func make(_ pools: [Pool], baseURL: String? = "https://runnerhub.acme.com") throws -> EnginePlugins {
    try EnginePlugins(
      pools: pools, folder: folder, installation: "test", baseURL: baseURL, repositoryURL: "https://github.com/acme",
      directory: FileManager.default.temporaryDirectory.appending(path: "runnerhub-none"), logger: Logger(label: "test"))
  }

  @Test("each plugin that pools name is one engine, whether its process runs or not; ours are left alone")
  func engines() throws {
    let plugins = try make([
      pool("a", engine: "bubblewrap", reuse: 3), pool("b", engine: "bubblewrap"), pool("c", engine: "garm-local"),
      pool("d", engine: "process"),
    ])
    #expect(plugins.engines.map(\.name).sorted() == ["bubblewrap", "garm-local"])
    #expect(plugins.adapters.map(\.kind.rawValue).sorted() == ["engine", "garm-provider"])
    #expect(plugins.machines != nil)
    #expect(plugins.starts == ["garm-local": 8])
    #expect(try make([pool("a", engine: "bubblewrap")]).machines == nil)
  }

  @Test("a pool of machines that would be used twice, or could not call RunnerHub, is refused with what to do")
  func refused() throws {
    let error = try #require(throws: ConfigurationError.self) {
      try make([pool("a", engine: "garm-local", reuse: 3), pool("b", engine: "no-such")], baseURL: nil)
    }
    #expect(error.problems.count == 3, "\(error)")
    #expect(error.problems.contains { $0.hasPrefix("pools.a.reuse is 3: a machine of garm-local serves one job") })
    #expect(error.problems.contains { $0.hasPrefix("webhooks.base-url is not set") })
    #expect(error.problems.contains { $0.hasPrefix("pools.b.engine is no-such, whose manifest cannot be read") })
  }

  @Test(
    "the forge's address is what a browser would be given",
    arguments: [
      (Settings.Scope.organization("acme"), "https://api.github.com", "https://github.com/acme"),
      (.repository, "https://api.github.com/", "https://github.com"),
      (.organization("acme"), "https://ghes.acme.com/api/v3/", "https://ghes.acme.com/acme"),
    ])
  func repository(_ scope: Settings.Scope, _ api: String, _ expected: String) {
    #expect(EnginePlugins.repositoryURL(scope, apiURL: api) == expected)
  }
}
