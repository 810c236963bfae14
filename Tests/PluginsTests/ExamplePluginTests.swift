import Foundation
import Testing

/// The example plugins beside emulators and a real SMTP server: `Tests/PluginExamples/`, in Python, since most of them are.
@Suite("Example plugins", .timeLimit(.minutes(2)))
struct ExamplePluginTests {
  @Test("does what its README says", arguments: ["slack", "email", "vault", "json_lines"])
  func example(name: String) async throws {
    let folder = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent().appending(path: "PluginExamples")
    let process = Process()
    // Debian's own, which has Debian's packages.
    process.executableURL = URL(filePath: "/usr/bin/python3")
    process.arguments = ["-W", "ignore", "-B", "-m", "unittest", "-q", "test_\(name)"]
    process.currentDirectoryURL = folder
    process.environment = ["PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8"]
    let pipe = Pipe()
    process.standardInput = FileHandle.nullDevice
    process.standardOutput = pipe
    process.standardError = pipe
    try process.run()
    let output = try pipe.fileHandleForReading.readToEnd() ?? Data()
    process.waitUntilExit()
    let text = String(decoding: output, as: UTF8.self)
    #expect(process.terminationStatus == 0 && text.contains("\nOK"), "\(text)")
  }
}
