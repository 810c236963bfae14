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

/// An engine's plugin as a real process, over a directory of its own, for the contract suite of engines.
final class EnginePluginBench: ContractBench {
  /// Not root's: its containers could read root's files.
  private static let user: UInt32? = geteuid() == 0 ? 65_534 : nil

  let folder = FileManager.default.temporaryDirectory.appending(path: "runnerhub-bwrap-\(RandomIdentitySource().token(digits: 12))")
  private let plugin: URL
  private let configuration: JSONValue
  /// The number of a container's PID 1, by the container's folder.
  private let firstProcess: @Sendable (URL) throws -> pid_t
  private let processes = Mutex<[ProcessConnection]>([])
  private var data: URL { folder.appending(path: "data") }

  /// - Parameter plugin: its folder.
  init(_ plugin: URL, configuration: JSONValue, firstProcess: @escaping @Sendable (URL) throws -> pid_t) throws {
    self.plugin = plugin
    self.configuration = configuration
    self.firstProcess = firstProcess
    try FileManager.default.createDirectory(at: data.appending(path: "tmp"), withIntermediateDirectories: true)
    if let user = Self.user {
      for place in [data, data.appending(path: "tmp")] {
        try #require(chown(place.path(percentEncoded: false), user, user) == 0)
      }
    }
  }

  /// Another process each time: what it knows, it reads from the directory.
  func makeEngine() async throws -> any ContainerEngine {
    let manifest = try PluginManifest.read(folder: plugin)
    let engines = PluginEngines(names: [manifest.name], firstProcess: FirstProcess.script)
    let process = ProcessConnection(
      name: manifest.name, concurrency: manifest.concurrency, service: engines.service(for: manifest), listener: Quiet())
    processes.withLock { $0.append(process) }
    let directory = try await process.start(
      PluginProgram(
        command: try CheckedPlugin.command(of: manifest, in: plugin), folder: plugin,
        directory: data, user: Self.user, abilities: manifest.abilities, leavesChildren: true))
    let _: InitializeResult = try await process.call(
      "initialize",
      InitializeParameters(
        protocolVersions: ["1"], host: .init(name: "runnerhub", version: "test"), name: manifest.name, kind: .engine,
        configuration: configuration, directory: directory, abilities: manifest.abilities.texts))
    await engines.started(RunningPlugin(manifest: manifest, abilities: manifest.abilities, connection: process))
    return try #require(engines.engines[manifest.name])
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
    kill(try firstProcess(data.appending(path: "containers/\(id)")), SIGKILL)
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
    func logged(_ line: String) { print("engine: \(line)") }
    func dropped(_ lines: Int) {}
    func misbehaved(_ what: String) { Issue.record("the plugin misbehaves: \(what)") }
    func ended(_ end: PluginEnd) {}
  }
}
