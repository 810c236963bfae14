import Foundation
import Glibc
import Plugins
import Synchronization
import Testing

/// A plugin written for one test, started as a real process.
final class TestPlugin: PluginListener {
  let folder: URL
  private let root: URL
  let lines = Mutex<[String]>([])
  let droppedLines = Mutex(0)
  let faults = Mutex<[String]>([])
  let end = Mutex<PluginEnd?>(nil)

  /// - Parameter script: of Python, after what all of them share: `read()` gives a message, `write(message)` sends one, `answer(request, result)`.
  init(_ script: String, shell: String? = nil) throws {
    root = FileManager.default.temporaryDirectory.appending(path: "plugin-\(UUID().uuidString)")
    folder = root.appending(path: "folder")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    let library = """
      import json, os, sys, time
      def read():
          line = sys.stdin.buffer.readline()
          if not line: sys.exit(0)
          return json.loads(line)
      def raw(text):
          sys.stdout.buffer.write(text if isinstance(text, bytes) else text.encode()); sys.stdout.buffer.flush()
      def write(message): raw(json.dumps({"jsonrpc": "2.0", **message}) + "\\n")
      def answer(request, result): write({"id": request["id"], "result": result})

      """
    try (library + script).write(to: folder.appending(path: "plugin.py"), atomically: true, encoding: .utf8)
    if let shell { try shell.write(to: folder.appending(path: "plugin.sh"), atomically: true, encoding: .utf8) }
  }

  deinit {
    do {
      try FileManager.default.removeItem(at: root)
    } catch {
      Issue.record("a test's folder stays: \(error)")
    }
  }

  func program(abilities: Set<PluginAbility> = [], environment: [String: String] = [:], bounds: PluginBounds = PluginBounds()) throws
    -> PluginProgram
  {
    let place = try PluginDirectories(root: root.appending(path: "data")).prepare("test")
    return PluginProgram(
      command: ["/usr/bin/python3", "-u", folder.path + "/plugin.py"], folder: folder, directory: place.directory, user: place.user,
      abilities: abilities, environment: environment, bounds: bounds)
  }

  func logged(_ line: String) { lines.withLock { $0.append(line) } }
  func dropped(_ lines: Int) { droppedLines.withLock { $0 += lines } }
  func misbehaved(_ what: String) { faults.withLock { $0.append(what) } }
  func ended(_ end: PluginEnd) { self.end.withLock { $0 = end } }

  /// Runs it for the time of the body.
  func run<Result>(
    concurrency: Int = 8, settings: ConnectionSettings = ConnectionSettings(), service: any PluginService = NoPluginRequests(),
    abilities: Set<PluginAbility> = [], bounds: PluginBounds = PluginBounds(), environment: [String: String] = [:],
    leavesChildren: Bool = false, _ body: (ProcessConnection) async throws -> Result
  ) async throws -> Result {
    let connection = ProcessConnection(name: "test", concurrency: concurrency, service: service, settings: settings, listener: self)
    var program = try program(abilities: abilities, environment: environment, bounds: bounds)
    program.leavesChildren = leavesChildren
    _ = try await connection.start(program)
    let result: Swift.Result<Result, any Error>
    do {
      result = .success(try await body(connection))
    } catch {
      result = .failure(error)
      Issue.record("the plugin said: \(lines.withLock { $0 })")
    }
    connection.end("the test is over")
    await connection.waitForEnd()
    return try result.get()
  }
}
