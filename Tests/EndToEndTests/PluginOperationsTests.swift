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

extension House {
  fileprivate func plugin(_ name: String) async throws -> String? {
    try await get("/api/v1/plugins").json.array?.first { $0["name"].string == name }?["state"].string
  }
}
