import Domain
import Foundation
import Policies
import RunnerHub
import Testing

/// A folder that is removed at the end of its test.
final class ScratchFolder {
  let path: String
  init() throws {
    let url = FileManager.default.temporaryDirectory.appending(path: "policies-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: url.appending(path: "lib"), withIntermediateDirectories: true)
    path = url.path(percentEncoded: false)
  }
  deinit {
    do { try FileManager.default.removeItem(atPath: path) } catch { Issue.record("the scratch folder stays: \(error)") }
  }
  func write(_ name: String, _ text: String) throws {
    let file = URL(filePath: path + "/" + name)
    try FileManager.default.createDirectory(at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
    try Data(text.utf8).write(to: file)
  }
  func remove(_ name: String) throws { try FileManager.default.removeItem(atPath: path + "/" + name) }
}

@Suite("The policies folder")
struct PolicyFolderTests {
  private func routing(_ reason: String) -> String {
    "return { api = 1, route = function(job, fleet) return 'traditional', '\(reason)' end }"
  }
  private func reason(_ source: PolicyFolder) -> String {
    source.makeEngine().route(PolicySamples.job, fleet: PolicySamples.fleet).reason
  }

  @Test("a good change becomes active as a whole, and engines made before keep their bundle")
  func swap() throws {
    let folder = try ScratchFolder()
    try folder.write("routing.lua", routing("one"))
    let source = PolicyFolder(path: folder.path)
    let first = source.activeBundle
    let old = source.makeEngine()
    try folder.write("routing.lua", routing("two"))
    #expect(source.reload())
    #expect(source.activeBundle != first)
    #expect(source.status.reloads == 2)
    #expect(reason(source) == "two")
    #expect(old.route(PolicySamples.job, fleet: PolicySamples.fleet).reason == "one")
    #expect(!source.reload())
  }

  @Test(
    "a broken change is refused with its place, and the last good bundle stays",
    arguments: [
      ("return {", "routing.lua:1:"), ("return { api = 1 }", "no function 'routing.route'"),
      ("return { api = 3, route = print }", "api = 3"),
    ])
  func broken(source text: String, refusal: String) throws {
    let folder = try ScratchFolder()
    try folder.write("routing.lua", routing("one"))
    let source = PolicyFolder(path: folder.path)
    let first = source.activeBundle
    try folder.write("routing.lua", text)
    #expect(!source.reload())
    #expect(source.activeBundle == first)
    #expect(source.status.refusal?.contains(refusal) == true)
    #expect(reason(source) == "one")
    try folder.write("routing.lua", routing("three"))
    #expect(source.reload())
    #expect(source.status.refusal == nil)
    #expect(reason(source) == "three")
  }

  @Test("a change whose tests fail is refused with the test's name")
  func failingTests() throws {
    let folder = try ScratchFolder()
    try folder.write("routing.lua", routing("one"))
    let source = PolicyFolder(path: folder.path)
    try folder.write(
      "routing_test.lua",
      "local r = require('routing')\ntest('goes', function()\n  expect((r.route(job(), fleet()))).equals('orchestrator')\nend)")
    #expect(!source.reload())
    #expect(source.status.refusal == "routing_test.lua:3: goes: expected \"orchestrator\", got \"traditional\"")
    try folder.remove("routing_test.lua")
    #expect(!source.reload())
    #expect(source.status.refusal == nil)
  }

  @Test("a folder that is broken or missing at the start leaves the built-in rule, and recovers")
  func brokenAtStart() throws {
    let folder = try ScratchFolder()
    let source = PolicyFolder(path: folder.path)
    #expect(source.activeBundle == "built-in")
    #expect(source.status.refusal?.contains("no policy files") == true)
    let verdict = source.makeEngine().route(PolicySamples.job, fleet: PolicySamples.fleet)
    #expect(verdict.value == .orchestrator)
    #expect(verdict.fallbackCause?.contains("no policy files") == true)
    try folder.write("routing.lua", routing("now"))
    #expect(source.reload())
    #expect(reason(source) == "now")
    #expect(PolicyFolder(path: folder.path + "/nowhere").status.refusal?.contains("no policies folder") == true)
  }

  @Test("a policy that is deleted is answered by the built-in rule, and says so")
  func deleted() throws {
    let folder = try ScratchFolder()
    try folder.write("routing.lua", routing("one"))
    try folder.write("scaling.lua", "return { api = 1, scale = function() return 3, 'three' end }")
    let source = PolicyFolder(path: folder.path)
    try folder.remove("routing.lua")
    #expect(source.reload())
    let engine = source.makeEngine()
    let verdict = engine.route(PolicySamples.job, fleet: PolicySamples.fleet)
    #expect(verdict.value == .orchestrator)
    #expect(verdict.fallbackCause?.contains("missing") == true)
    #expect(engine.scale(PolicySamples.pool, fleet: PolicySamples.fleet).reason == "three")
    try folder.remove("scaling.lua")
    #expect(!source.reload())
    #expect(source.status.refusal?.contains("no policy files") == true)
  }

  @Test("the watcher loads a change by itself and ends when cancelled")
  func watch() async throws {
    let folder = try ScratchFolder()
    try folder.write("routing.lua", routing("one"))
    let source = PolicyFolder(path: folder.path, interval: .milliseconds(20))
    let first = source.activeBundle
    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask { try await source.run() }
      // Sizes differ, so that a change is seen whatever the file system's clock does.
      try folder.write("routing.lua", routing("one and a half"))
      let deadline = ContinuousClock.now + .seconds(10)
      var turn = 0
      while source.activeBundle == first && ContinuousClock.now < deadline {
        turn += 1
        // The watcher may have begun after the write: a change that it has seen before its start is none. Write again, differently.
        if turn % 20 == 0 { try folder.write("routing.lua", routing("turn \(turn)")) }
        try await Task.sleep(for: .milliseconds(10))
      }
      #expect(source.activeBundle != first)
      group.cancelAll()
      try await group.waitForAll()
    }
  }

  @Test("links that lead out of the folder and names that nothing asks for are refused")
  func tricks() throws {
    let folder = try ScratchFolder()
    let outside = try ScratchFolder()
    try outside.write("routing.lua", routing("outside"))
    try FileManager.default.createSymbolicLink(atPath: folder.path + "/routing.lua", withDestinationPath: outside.path + "/routing.lua")
    #expect(throws: BundleError.self) { try PolicyBundle(folder: folder.path) }
    try folder.remove("routing.lua")
    try folder.write("real.txt", routing("inside"))
    try FileManager.default.createSymbolicLink(atPath: folder.path + "/routing.lua", withDestinationPath: folder.path + "/real.txt")
    #expect(try PolicyBundle(folder: folder.path).has(.routing))
    try folder.write("routnig.lua", "return {}")
    #expect(throws: BundleError.self) { try PolicyBundle(folder: folder.path) }
    for name in ["../routing.lua", "lib/../routing.lua", "lib/a/b.lua", "lib/A.lua", "/routing.lua", "lib/.lua", "routing"] {
      #expect(throws: BundleError.self) { try PolicyBundle(files: [name: []]) }
    }
    #expect(throws: BundleError.self) { try PolicyBundle(files: ["lib/big.lua": Array(repeating: 32, count: 200_000)]) }
  }

  @Test("the digest depends on names and contents, and on nothing else")
  func digest() throws {
    let one = try PolicyBundle(files: ["routing.lua": [1, 2], "lib/a.lua": [3]])
    #expect(one.digest == (try PolicyBundle(files: ["lib/a.lua": [3], "routing.lua": [1, 2]])).digest)
    #expect(one.digest != (try PolicyBundle(files: ["routing.lua": [1], "lib/a.lua": [2, 3]])).digest)
    #expect(one.digest != (try PolicyBundle(files: ["routing.lua": [1, 2], "lib/b.lua": [3]])).digest)
  }
}
