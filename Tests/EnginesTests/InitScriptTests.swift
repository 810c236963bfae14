import Domain
import Foundation
import Testing

/// PID 1 as it stands in a container of another engine: no log folder, everything on standard output.
@Suite("init.sh")
struct InitScriptTests {
  static let script = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../../Sources/Engines/init.sh")
    .standardizedFileURL

  /// Runs it with a marker that is there already, and gives what it wrote and how it ended.
  func run(_ runScript: String, environment: [String: String] = [:]) throws -> (output: String, status: Int32, state: [String]) {
    let folder = FileManager.default.temporaryDirectory.appending(path: "runnerhub-init-\(RandomIdentitySource().token(digits: 12))")
    defer { #expect(throws: Never.self) { try FileManager.default.removeItem(at: folder) } }
    for name in ["home", "state"] {
      try FileManager.default.createDirectory(at: folder.appending(path: name), withIntermediateDirectories: true)
    }
    let run = folder.appending(path: "home/run.sh")
    try Data("#!/bin/sh\n\(runScript)\n".utf8).write(to: run)
    try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: run.path(percentEncoded: false))
    try Data("4\n".utf8).write(to: folder.appending(path: "home/.runnerhub-go"))
    let process = Process()
    process.executableURL = URL(filePath: "/bin/sh")
    process.arguments = [Self.script.path(percentEncoded: false)]
    process.environment = [
      "PATH": "/usr/bin:/bin", "HOME": folder.appending(path: "home").path(percentEncoded: false),
      "RUNNERHUB_STATE": folder.appending(path: "state").path(percentEncoded: false),
    ].merging(environment) { _, given in given }
    let output = Pipe()
    process.standardOutput = output
    try process.run()
    let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    process.waitUntilExit()
    let names = try FileManager.default.contentsOfDirectory(atPath: folder.appending(path: "state").path(percentEncoded: false))
    return (text, process.terminationStatus, names.sorted())
  }

  @Test("without a log folder it writes to standard output, between lines that name the use")
  func standardOutput() throws {
    let result = try run("echo hello; mkdir -p _diag/pages; echo step >_diag/pages/1.log; exit 5")
    #expect(result.output == "##[runnerhub use 4]\nhello\nstep\n##[runnerhub use 4 ended with 5]\n")
    #expect(result.status == 5)
    #expect(result.state == ["exit", "exit.4"])
  }

  @Test("a run.sh that does not end on SIGTERM is killed when its time is over", .timeLimit(.minutes(1)))
  func grace() throws {
    let result = try run("trap 'echo no' TERM; kill -TERM $PPID; while :; do sleep 0.1; done", environment: ["RUNNERHUB_GRACE": "1"])
    #expect(result.output == "##[runnerhub use 4]\nno\n##[runnerhub use 4 ended with 137]\n")
    #expect(result.status == 137)
  }
}
