import Emulator
import Foundation
import GRDB
import Testing

/// A running `serve` with a plugin, steered from outside.
@Suite("Plugins of a running serve") struct PluginOperationsTests {
  private static let script = """
    import json, sys
    print("up", file=sys.stderr, flush=True)
    for line in sys.stdin:
        request = json.loads(line)
        result = {"protocolVersion": "1", "version": "1.0.0"} if request["method"] == "initialize" else {"status": "ok"}
        if "id" in request: print(json.dumps({"jsonrpc": "2.0", "id": request["id"], "result": result}), flush=True)
    """

  @Test(
    "it is started, listed, seen in health and metrics, disabled over a restart, and enabled; each wish is audited", .timeLimit(.minutes(1))
  )
  func operations() async throws {
    var plan = House.Plan()
    plan.warm = 0
    let plugins = FileManager.default.temporaryDirectory.appending(path: "plugins-\(UUID().uuidString)")
    let folder = plugins.appending(path: "echo")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { #expect(throws: Never.self) { try FileManager.default.removeItem(at: plugins) } }
    let manifest = "name: echo\nversion: 1.0.0\nkind: observer\nsummary: Hears.\ncommand: [python3, -B, ./echo.py]\n"
    try Data(manifest.utf8).write(to: folder.appending(path: "plugin.yaml"))
    try Data(Self.script.utf8).write(to: folder.appending(path: "echo.py"))
    plan.set("plugins.directory", plugins.path)
    plan.set("plugins.echo.enabled", "true")
    try await House.run(plan) { house in
      try await eventually("it runs") { try await house.plugin("echo") == "running" }
      let list = try await house.command("plugin", "list")
      #expect(list.status == 0 && list.output.contains("echo    observer  1.0.0    running"), "\(list.output)")
      #expect(try await house.command("plugin", "logs", "echo").output.contains("  up"))
      #expect(try await house.get("/metrics").text.contains("runnerhub_plugin_up{plugin=\"echo\"} 1"))
      try await eventually("health knows of it") {
        try await house.get("/health").json["components"]["plugins"]["detail"].string == "1 run"
      }
      #expect(try await house.get("/").text.contains("1 running"))

      let disabled = try await house.command("plugin", "disable", "echo")
      #expect(disabled.status == 0 && disabled.output.contains("disabled"), "\(disabled.output)")
      let nobody = try await house.command("plugin", "disable", "nobody")
      #expect(nobody.status == 1 && nobody.output.contains("there is no plugin 'nobody': there are echo"), "\(nobody.output)")
      #expect(try await house.hub.stop() == 0)
      try await house.hub.serve()
      try await eventually("it is still disabled") { try await house.plugin("echo") == "disabled" }
      let enabled = try await house.command("plugin", "enable", "echo", "--json")
      #expect(enabled.status == 0 && enabled.output.contains(#""state":"running""#), "\(enabled.output)")
      let audit = try house.rows("SELECT action FROM audit_events ORDER BY id").map { $0["action"] as String }
      #expect(audit == ["plugin-disable", "plugin-enable"])
    }
  }
}

/// RunnerHub's own credentials, kept by a plugin.
@Suite("Secrets of a running serve") struct PluginSecretsTests {
  /// A folder of plugins with one that is slow to start and knows what the local GitHub expects.
  private static func makePlugins() throws -> URL {
    let plugins = FileManager.default.temporaryDirectory.appending(path: "plugins-\(UUID().uuidString)")
    let folder = plugins.appending(path: "keep")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    let manifest = "name: keep\nversion: 1.0.0\nkind: secrets\nsummary: Keeps.\ncommand: [python3, -B, ./keep.py]\n"
    try Data(manifest.utf8).write(to: folder.appending(path: "plugin.yaml"))
    let script = """
      import json, sys, time
      kept = {"token": "\(House.token)", "hook": "\(House.secret)"}
      for line in sys.stdin:
          request = json.loads(line)
          reply = {"jsonrpc": "2.0", "id": request.get("id"), "result": {"status": "ok"}}
          if request["method"] == "initialize":
              time.sleep(1)
              reply["result"] = {"protocolVersion": "1", "version": "1.0.0"}
          if request["method"] == "secrets/read":
              field = request["params"].get("field")
              if field in kept: reply["result"] = {"value": kept[field]}
              else: reply = {"jsonrpc": "2.0", "id": request["id"], "error": {"code": -32001, "message": "there is no such field"}}
          if "id" in request: print(json.dumps(reply), flush=True)
      """
    try Data(script.utf8).write(to: folder.appending(path: "keep.py"))
    return plugins
  }

  private static func plan(_ plugins: URL, token: String) -> House.Plan {
    var plan = House.Plan()
    plan.environment = ["GITHUB_TOKEN": token, "GITHUB_WEBHOOK_SECRET": "secret://keep/github#hook"]
    plan.set("plugins.directory", plugins.path)
    plan.set("plugins.keep.enabled", "true")
    return plan
  }

  @Test("the plugin that keeps them is waited for, and a job runs by them", .timeLimit(.minutes(1)))
  func kept() async throws {
    let plugins = try Self.makePlugins()
    defer { #expect(throws: Never.self) { try FileManager.default.removeItem(at: plugins) } }
    try await House.run(Self.plan(plugins, token: "secret://keep/github#token")) { house in
      let workflow = "on: push\njobs:\n  build:\n    runs-on: [self-hosted, linux]\n    steps: [{ run: 'true' }]\n"
      try await house.push([".github/workflows/ci.yml": workflow])
      try await house.allEnded(1)
      #expect(await house.jobs().first?["conclusion"].string == "success")
      #expect(!house.hub.output.contains(House.token) && !house.hub.output.contains(House.secret))
    }
  }

  @Test("one that it does not have ends the start, and the message names the key", .timeLimit(.minutes(1)))
  func missing() async throws {
    let plugins = try Self.makePlugins()
    defer { #expect(throws: Never.self) { try FileManager.default.removeItem(at: plugins) } }
    var plan = Self.plan(plugins, token: "secret://keep/github#nothing")
    plan.isServed = false
    try await House.run(plan) { house in
      try await house.hub.launch()
      #expect(try await house.hub.exit() != 0)
      #expect(house.hub.output.contains("github.token: secret://keep/github#nothing cannot be read: there is no such field"))
    }
  }
}

extension House {
  fileprivate func plugin(_ name: String) async throws -> String? {
    try await get("/api/v1/plugins").json.array?.first { $0["name"].string == name }?["state"].string
  }
}
