import Domain
import Foundation
import JSON
import Logging
import Plugins
import RunnerHub
import Synchronization
import Testing

/// A host of plugins in a folder of its own, with everything that takes time made short.
final class TestHost: Sendable {
  let root: URL
  let host: PluginHost
  let adapter: RecordingAdapter
  let events = Mutex<[String]>([])
  private let plans = Mutex<[PluginPlan]?>([])
  var plugins: URL { root.appending(path: "plugins") }

  static var pace: PluginPace {
    var pace = PluginPace()
    pace.greeting = .seconds(5)
    pace.health = 0.1
    pace.healthLimit = .milliseconds(300)
    pace.shutdown = .seconds(5)
    pace.grace = .milliseconds(300)
    pace.termination = .milliseconds(100)
    pace.look = 0.05
    pace.backstop = 0.05
    pace.weigh = 0.1
    pace.stillness = .milliseconds(20)
    pace.restart.first = 0.02
    pace.restart.longest = 0.05
    return pace
  }

  init(held: Set<String> = [], pace: PluginPace = TestHost.pace, settle: @escaping PluginSurroundings.Settle = { value, _ in value }) throws
  {
    root = FileManager.default.temporaryDirectory.appending(path: "host-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: root.appending(path: "plugins"), withIntermediateDirectories: true)
    adapter = RecordingAdapter()
    // Both are filled before the host looks at them.
    let box = Box()
    host = PluginHost(
      folder: root.appending(path: "plugins"), held: held,
      plans: {
        box.host?.plans.withLock { plans in
          defer { plans = nil }; return plans
        }
      },
      surroundings: PluginSurroundings(
        directories: PluginDirectories(root: root.appending(path: "data")), environment: ["TOKEN": "t"], adapters: [adapter],
        settle: settle, publish: { event in box.host?.events.withLock { $0.append("\(event.subject) \(event.action)") } },
        hostVersion: "test", pace: pace, logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }))
    box.set(self)
  }

  private final class Box: Sendable {
    private let held = Mutex<Weak>(Weak())
    private struct Weak { weak var host: TestHost? }
    var host: TestHost? { held.withLock { $0.host } }
    func set(_ host: TestHost) { held.withLock { $0.host = host } }
  }

  deinit {
    do {
      try FileManager.default.removeItem(at: root)
    } catch {
      Issue.record("a test's folder stays: \(error)")
    }
  }

  /// What every test plugin does: greets, says that it is well, echoes, and ends when told to. `handle(request)` may answer something else by returning True.
  private static let library = """
    import json, os, sys, time
    def raw(text):
        sys.stdout.buffer.write(text if isinstance(text, bytes) else text.encode()); sys.stdout.buffer.flush()
    def write(message): raw(json.dumps({"jsonrpc": "2.0", **message}) + "\\n")
    def answer(request, result): write({"id": request["id"], "result": result})
    def read():
        line = sys.stdin.buffer.readline()
        if not line: sys.exit(0)
        return json.loads(line)
    def handle(request): return False
    def serve():
        global hello
        while True:
            request = read()
            if "id" not in request or handle(request): continue
            method = request["method"]
            if method == "initialize":
                hello = request["params"]
                answer(request, {"protocolVersion": "1", "version": VERSION})
            elif method == "health": answer(request, {"status": "ok"})
            elif method == "shutdown": answer(request, {})
            else: answer(request, request["params"])

    """

  /// Puts a plugin into the folder. A script without `serve()` at its end does everything itself.
  func add(_ name: String, version: String = "1.0.0", kind: String = "notifier", manifest: String = "", _ script: String = "serve()") throws
  {
    let folder = plugins.appending(path: name)
    let fresh = root.appending(path: "fresh-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: fresh, withIntermediateDirectories: true)
    let text =
      "name: \(name)\nversion: \(version)\nkind: \(kind)\nsummary: For a test.\ncommand: [python3, -B, -u, ./plugin.py]\n\(manifest)\n"
    try text.write(to: fresh.appending(path: "plugin.yaml"), atomically: true, encoding: .utf8)
    try (Self.library + "VERSION = \"\(version)\"\n" + script).write(
      to: fresh.appending(path: "plugin.py"), atomically: true, encoding: .utf8)
    if FileManager.default.fileExists(atPath: folder.path) { try FileManager.default.removeItem(at: folder) }
    try FileManager.default.moveItem(at: fresh, to: folder)
  }

  /// What the configuration says from now on.
  func name(_ plans: PluginPlan...) { self.plans.withLock { $0 = plans } }

  /// Runs the host for the time of the body.
  func run(_ body: @escaping @Sendable () async throws -> Void) async throws {
    let host = host
    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask { await host.run() }
      defer { group.cancelAll() }
      try await body()
    }
  }

  func status(_ name: String) -> PluginStatus? { host.statuses.first { $0.name == name } }

  func reaches(_ state: PluginState, _ name: String = "plug") async throws {
    try await eventually { self.status(name)?.state == state }
    if status(name)?.state != state { Issue.record("\(name) is \(String(describing: status(name)))") }
  }

  func echo(_ text: String = "x", _ name: String = "plug") async throws(PluginError) -> String {
    let answer: Echo = try await host.connection(to: name).call("notifier/notify", Echo(text: text))
    return answer.text
  }
}

/// What the host tells the adapter of a kind.
final class RecordingAdapter: PluginAdapter {
  let kind = PluginKind.notifier
  let told = Mutex<[String]>([])
  let running = Mutex<[String: RunningPlugin]>([:])

  func service(for plugin: PluginManifest) -> any PluginService { NoPluginRequests() }
  func started(_ plugin: RunningPlugin) async {
    told.withLock { $0.append("started \(plugin.manifest.name) \(plugin.manifest.version)") }
    running.withLock { $0[plugin.manifest.name] = plugin }
  }
  func interrupted(_ name: String, reason: String) async { told.withLock { $0.append("interrupted \(name)") } }
  func removed(_ name: String) async { told.withLock { $0.append("removed \(name)") } }
}
