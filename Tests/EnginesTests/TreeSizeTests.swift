import CProcess
import Foundation
import Glibc
import Testing

@Suite("The size of a folder")
struct TreeSizeTests {
  /// Does something as another user of the file system, on this thread alone (setfsuid(2)): root may read everything.
  private func asNobody<Value>(_ body: () -> Value) throws -> Value {
    typealias Switch = @convention(c) (uid_t) -> Int32
    let symbol = try #require(dlsym(nil, "setfsuid"))
    let become = unsafeBitCast(symbol, to: Switch.self)
    let before = geteuid()
    if before == 0 { _ = become(65_534) }
    defer { if before == 0 { _ = become(before) } }
    return body()
  }

  /// Mode 0400: its names may be read, and nothing of what they stand for.
  @Test("counts what it holds, and one that may not be looked into as more than is allowed", arguments: [mode_t(0), 0o400])
  func unreadable(_ mode: mode_t) throws {
    // Whose parents anybody may pass.
    let folder = "/tmp/rh-tree-\(UUID().uuidString)"
    let hidden = folder + "/hidden"
    try FileManager.default.createDirectory(atPath: hidden, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: folder) }
    try Data(count: 10_000).write(to: URL(filePath: hidden + "/file"))
    for path in [folder, hidden] { #expect(chmod(path, 0o755) == 0) }
    let bound: Int64 = 1 << 30
    let seen = try asNobody { rh_tree_size(folder, bound) }
    #expect((10_000...100_000).contains(seen))
    if geteuid() == 0 { #expect(chown(hidden, 65_534, 65_534) == 0) }
    #expect(chmod(hidden, mode) == 0)
    let unseen = try asNobody { rh_tree_size(folder, bound) }
    #expect(chmod(hidden, 0o700) == 0)
    #expect(unseen > bound)
  }
}
