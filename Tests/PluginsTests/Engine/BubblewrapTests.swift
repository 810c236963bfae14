import Contracts
import Domain
import Engines
import Foundation
import Glibc
import JSON
import Logging
import RunnerHub
import Synchronization
import Testing

@testable import Plugins

/// The plugin `plugins/bubblewrap` as a real process, over a directory of its own, for the contract suite of engines.
final class BubblewrapBench: ContractBench {
  private static let plugin = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent().appending(path: "plugins/bubblewrap")
  /// Not root's: its containers could read root's files.
  private static let user: UInt32? = geteuid() == 0 ? 65_534 : nil

  let folder = FileManager.default.temporaryDirectory.appending(path: "runnerhub-bwrap-\(RandomIdentitySource().token(digits: 12))")
  private let processes = Mutex<[ProcessConnection]>([])
  private var data: URL { folder.appending(path: "data") }

  init() throws {
    try FileManager.default.createDirectory(at: data.appending(path: "tmp"), withIntermediateDirectories: true)
    if let user = Self.user {
      for place in [data, data.appending(path: "tmp")] {
        try #require(chown(place.path(percentEncoded: false), user, user) == 0)
      }
    }
  }

  /// Another process each time: what it knows, it reads from the directory.
  func makeEngine() async throws -> any ContainerEngine {
    let engines = PluginEngines(names: ["bubblewrap"], firstProcess: FirstProcess.script)
    let manifest = try PluginManifest.read(folder: Self.plugin)
    let process = ProcessConnection(
      name: manifest.name, concurrency: 16, service: engines.service(for: manifest), listener: Quiet())
    processes.withLock { $0.append(process) }
    let directory = try await process.start(
      PluginProgram(
        command: ["/usr/bin/python3", Self.plugin.appending(path: "plugin.py").path(percentEncoded: false)], folder: Self.plugin,
        directory: data, user: Self.user, abilities: manifest.abilities, leavesChildren: true))
    let _: InitializeResult = try await process.call(
      "initialize",
      InitializeParameters(
        protocolVersions: ["1"], host: .init(name: "runnerhub", version: "test"), name: manifest.name, kind: .engine,
        configuration: .object(["network": .string("none")]), directory: directory, abilities: manifest.abilities.texts))
    await engines.started(RunningPlugin(manifest: manifest, abilities: manifest.abilities, connection: process))
    return try #require(engines.engines["bubblewrap"])
  }

  func makeImage(runScript: String) throws -> String {
    let image = folder.appending(path: "image-\(RandomIdentitySource().token(digits: 12))")
    try FileManager.default.createDirectory(at: image, withIntermediateDirectories: true)
    let script = image.appending(path: "run.sh").path(percentEncoded: false)
    try Data(runScript.utf8).write(to: URL(filePath: script))
    try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: script)
    return image.path(percentEncoded: false)
  }

  func killFirstProcess(of id: ContainerID) throws {
    let file = data.appending(path: "containers/\(id)/init.json")
    let facts = try #require(try JSONSerialization.jsonObject(with: Data(contentsOf: file)) as? [String: Any])
    kill(pid_t(try #require(facts["pid"] as? Int)), SIGKILL)
  }

  func tearDown() async throws {
    for process in processes.withLock({ $0 }) {
      process.closeInput()
      if await process.waitForEnd(within: .seconds(5)) == nil {
        process.end("the test is over")
        await process.waitForEnd()
      }
    }
    try FileManager.default.removeItem(at: folder)
  }

  private struct Quiet: PluginListener {
    func logged(_ line: String) { print("bubblewrap: \(line)") }
    func dropped(_ lines: Int) {}
    func misbehaved(_ what: String) { Issue.record("the plugin misbehaves: \(what)") }
    func ended(_ end: PluginEnd) {}
  }
}

@Suite("The engine of plugins/bubblewrap") struct BubblewrapTests {
  @Test(
    "keeps the contract of container engines, as a real plugin", .timeLimit(.minutes(2)),
    .enabled(if: FileManager.default.isExecutableFile(atPath: "/usr/bin/bwrap"), "bubblewrap is not installed"),
    arguments: ContainerEngineContract.promises)
  func keepsTheContract(_ promise: Promise) async throws {
    try await promise.keep(on: try BubblewrapBench())
  }
}
