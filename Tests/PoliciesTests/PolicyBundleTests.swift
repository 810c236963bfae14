import Domain
import Foundation
import Policies
import RunnerHub
import Testing

/// A folder that is removed at the end of its test.
final class ScratchFolder: Sendable {
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

/// A routing policy that says this.
func routing(_ reason: String) -> String {
  "return { api = 1, route = function(job, fleet) return 'traditional', '\(reason)' end }"
}

/// What a source's routing says now.
func reason(_ source: some PolicySource) -> String {
  source.makeEngine().route(PolicySamples.job, fleet: PolicySamples.fleet).reason
}

@Suite("The policies folder")
struct PolicyBundleTests {
  @Test(
    "a folder within lib or data is refused: what lies in it would be read by nobody", arguments: ["lib/deep/x.lua", "data/deep/x.yaml"])
  func deepFolder(path: String) throws {
    let folder = try ScratchFolder()
    try folder.write("routing.lua", routing("inside"))
    try folder.write(path, "return {}")
    let refused = #expect(throws: BundleError.self) { try PolicyBundle(folder: folder.path) }
    #expect(refused?.description.contains("\(path.split(separator: "/")[0])/deep is a folder") == true)
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
