internal import Domain
internal import Foundation
internal import Glibc
internal import JSON

/// A plugin's folder with all that is needed to start it: its manifest, its author's tests, a private directory and the program beside it.
final class PluginBench {
  let manifest: PluginManifest
  let folder: URL
  let tests: PluginTestFile
  private let hostVersion: String
  private let firstProcess: Data
  private let root: URL
  let program: PluginProgram
  private let helper: HelperProgram?
  private let recorder: PluginRecorder?
  private var open: PluginDialogue?

  /// - Parameter firstProcess: what `engine/init` is answered with.
  init(folder: URL, hostVersion: String, firstProcess: Data = Data(), recorder: PluginRecorder? = nil) throws(KitFailure) {
    self.hostVersion = hostVersion
    self.firstProcess = firstProcess
    self.folder = folder
    self.recorder = recorder
    do {
      manifest = try PluginManifest.read(folder: folder)
    } catch {
      throw KitFailure(error.description)
    }
    tests = try PluginTestFile.read(of: manifest.name, in: folder)
    let command = try Self.command(of: manifest, in: folder)
    root = FileManager.default.temporaryDirectory.appending(path: "runnerhub-plugin-\(UUID().uuidString)", directoryHint: .isDirectory)
    do {
      let place = try PluginDirectories(root: root).prepare(manifest.name)
      let environment = ProcessInfo.processInfo.environment
      let granted = manifest.abilities.compactMap { if case .environment(let name) = $0 { name } else { nil } }
      program = PluginProgram(
        command: command, folder: folder, directory: place.directory, user: place.user, abilities: manifest.abilities,
        environment: Dictionary(uniqueKeysWithValues: granted.compactMap { name in environment[name].map { (name, $0) } }),
        leavesChildren: manifest.kind == .engine)
    } catch {
      throw KitFailure("\(error)")
    }
    do {
      helper = if let command = tests.helper { try HelperProgram(command, folder: folder, directory: root) } else { nil }
    } catch {
      // Nobody tears down what was not made. What of it cannot be removed is temporary, and the reason matters more.
      try? FileManager.default.removeItem(at: root)
      throw error
    }
  }

  /// As the host resolves it.
  private static func command(of manifest: PluginManifest, in folder: URL) throws(KitFailure) -> [String] {
    do {
      return try CheckedPlugin.command(of: manifest, in: folder)
    } catch {
      throw KitFailure(error.description)
    }
  }

  /// Ends whatever runs, and removes what it left.
  func tearDown() throws {
    close()
    helper?.stop()
    try FileManager.default.removeItem(at: root)
  }

  /// What `${NAME}` of the test file and of a record stands for: places as the plugin sees them.
  /// - Parameter directory: its private directory, as it sees it.
  func values(_ directory: String) -> [String: String] {
    let path = folder.path(percentEncoded: false)
    let own = path.hasSuffix("/") ? String(path.dropLast()) : path
    // With mounts of its own it sees both at the same places always.
    var values = ["directory": directory, "folder": directory == PluginLaunch.stage + "/data" ? PluginLaunch.stage + "/plugin" : own]
    if let helper { values["port"] = "\(helper.port)" }
    return values
  }

  // MARK: - Processes

  /// Nothing is done with the jobs; PID 1 of a runner's environment is the one that the host has.
  private var standardReplies: [String: JSONValue] {
    ["source/events": .object([:]), "engine/init": .object(["script": .string(firstProcess.base64EncodedString())])]
  }

  /// Starts a new process in place of the one that runs.
  /// - Parameter replies: what requests of the plugin are answered with, by their methods; nil: as the host would answer.
  func start(replies: [String: JSONValue]? = nil) throws(KitFailure) -> PluginDialogue {
    let replies = replies ?? standardReplies
    close()
    let session = recorder?.session(of: manifest)
    var directory = ""
    let wire = try PluginWire(program) { side, line in session?.heard(side, line, values: self.values(directory)) }
    directory = wire.directory
    let dialogue = PluginDialogue(wire, replies: replies)
    open = dialogue
    return dialogue
  }

  /// The process that runs, initialised; a new one where none does.
  func dialogue() throws(KitFailure) -> PluginDialogue {
    if let open, open.wire.status == nil { return open }
    let dialogue = try start()
    _ = try dialogue.result(of: "initialize", initialization(tests.configuration, dialogue))
    return dialogue
  }

  func initialization(_ configuration: JSONValue?, _ dialogue: PluginDialogue, versions: [String] = ["1"]) -> JSONValue {
    let directory = dialogue.wire.directory
    return .object([
      "protocolVersions": .array(versions.map(JSONValue.string)),
      "host": .object(["name": .string("runnerhub"), "version": .string(hostVersion)]),
      "name": .string(manifest.name), "kind": .string(manifest.kind.rawValue),
      "configuration": (configuration ?? .object([:])).filled(values(directory)), "directory": .string(directory),
      "abilities": .array(manifest.abilities.texts.map(JSONValue.string)),
    ])
  }

  /// Ends the process that runs.
  func close() {
    open?.wire.end()
    open = nil
  }
}
