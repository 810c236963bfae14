import Contracts
import Domain
import Foundation
import Testing

@testable import Engines

/// PID 1 as it stands in a container of another engine: no log folder, everything on standard output.
@Suite("init.sh")
struct InitScriptTests {
  static let script = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../../Sources/Engines/init.sh")
    .standardizedFileURL

  /// Runs it with a marker that is there already, and gives what it wrote and how it ended.
  func run(_ runScript: String, environment: [String: String] = [:]) async throws -> (output: String, status: Int32, state: [String]) {
    let folder = FileManager.default.temporaryDirectory.appending(path: "runnerhub-init-\(RandomIdentitySource().token(digits: 12))")
    defer { #expect(throws: Never.self) { try FileManager.default.removeItem(at: folder) } }
    for name in ["home", "state"] {
      try FileManager.default.createDirectory(at: folder.appending(path: name), withIntermediateDirectories: true)
    }
    let run = folder.appending(path: "home/run.sh")
    try Data("#!/bin/sh\n\(runScript)\n".utf8).write(to: run)
    try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: run.path(percentEncoded: false))
    try Data("4\n".utf8).write(to: folder.appending(path: "home/.runnerhub-go"))
    let path = folder.path(percentEncoded: false)
    let process = DetachedProcess(
      // Standard error apart: there a shell says "Killed" of its children.
      path: "/bin/sh", arguments: ["-c", "exec /bin/sh \"$0\" 2>\"$HOME/errors\"", Self.script.path(percentEncoded: false)],
      environment: ["PATH": "/usr/bin:/bin", "HOME": "\(path)/home", "RUNNERHUB_STATE": "\(path)/state"]
        .merging(environment) { _, given in given },
      folder: "/", output: "\(path)/output", limits: [])
    var who: ProcessIdentity?
    _ = try process.start { identity in
      who = identity
      return true
    }
    let identity = try #require(who)
    _ = try await eventually("the end of init.sh") { try ProcessTable.read().living(identity) == nil ? true : nil }
    let status = try String(contentsOfFile: "\(path)/state/exit", encoding: .utf8).trimmingCharacters(in: .newlines)
    let names = try FileManager.default.contentsOfDirectory(atPath: "\(path)/state")
    return (try String(contentsOfFile: "\(path)/output", encoding: .utf8), try #require(Int32(status)), names.sorted())
  }

  @Test("without a log folder it writes to standard output, between lines that name the use")
  func standardOutput() async throws {
    let result = try await run("echo hello; mkdir -p _diag/pages; echo step >_diag/pages/1.log; exit 5")
    #expect(result.output == "##[runnerhub use 4]\nhello\nstep\n\n##[runnerhub end 4]\n")
    #expect(result.status == 5)
    #expect(result.state == ["ended", "exit", "exit.4", "use"])
  }

  @Test("a run.sh that does not end on SIGTERM is killed when its time is over", .timeLimit(.minutes(1)))
  func grace() async throws {
    let result = try await run("trap 'echo no' TERM; kill -TERM $PPID; while :; do sleep 0.1; done", environment: ["RUNNERHUB_GRACE": "1"])
    #expect(result.output == "##[runnerhub use 4]\nno\n\n##[runnerhub end 4]\n")
    #expect(result.status == 137)
  }
}
