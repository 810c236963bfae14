import Foundation
import Testing

@Suite("The main job", .serialized) struct DemoTests {
  @Test("runnerhub demo without a terminal tells of all 13 jobs, exits with 0 and leaves nothing") func demonstration() async throws {
    let folder = FileManager.default.temporaryDirectory.appending(
      path: "runnerhub-demo-test-\(UUID().uuidString)", directoryHint: .isDirectory)
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    // Its folders are made in a place of this test's own, so that what is left can be seen.
    let demo = HubProcess(folder: folder, arguments: ["demo"], environment: ["TMPDIR": folder.path(percentEncoded: false)])
    do {
      try await demo.launch()
      let status = try await demo.exit(within: .seconds(90))
      #expect(status == 0, "\(demo.output)")
    } catch {
      Issue.record("\(error)\n\(demo.output)")
    }
    let lines = demo.output.split(separator: "\n").map(String.init)
    /// The last line of a job's row.
    func last(_ name: String) -> String { lines.last { $0.hasPrefix("  \(name) ") && !$0.contains(" | ") } ?? "" }
    for name in ["lint", "integration-tests", "documentation", "deploy"] {
      #expect(last(name).contains("completed ✓"), "\(name): \(last(name))")
    }
    for os in ["ubuntu", "debian", "alpine"] {
      for profile in ["debug", "release"] { #expect(last("build (\(os), \(profile))").contains("completed ✓"), "\(os) \(profile)") }
    }
    #expect(last("unit-tests").contains("completed ✗"), "\(last("unit-tests"))")
    #expect(last("installer").contains("traditional"), "\(last("installer"))")
    #expect(last("scan").contains("refused"), "\(last("scan"))")
    #expect(lines.contains { $0.hasPrefix("  unit-tests | ") && $0.contains("completed with result") })
    #expect(lines.contains { $0.hasPrefix("13 jobs in ") && $0.contains("wait p50") && $0.contains("deploy overtook") })
    #expect(lines.contains { $0.hasPrefix("Status page http://127.0.0.1:") })

    let processes = Processes.of(folder)
    #expect(processes.isEmpty, "\(Processes.describe(processes))")
    let left = try FileManager.default.contentsOfDirectory(atPath: folder.path(percentEncoded: false)).filter {
      $0.hasPrefix("runnerhub-demo-")
    }
    #expect(left.isEmpty)
    try await demo.remove()
  }
}
