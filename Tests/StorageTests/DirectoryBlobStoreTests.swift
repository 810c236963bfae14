import Foundation
import RunnerHub
import Storage
import Testing

@Suite("DirectoryBlobStore")
struct DirectoryBlobStoreTests {
  private let folder: TemporaryFolder
  private let blobs: DirectoryBlobStore
  private let name = "logs/29679449526.log"

  init() throws {
    folder = try TemporaryFolder()
    blobs = try DirectoryBlobStore(root: folder.url.appendingPathComponent("blobs"))
  }

  @Test("appended bytes are read back from any offset, at most the limit")
  func reading() async throws {
    try await blobs.append(Data("hello ".utf8), to: name, at: 0)
    try await blobs.append(Data("world".utf8), to: name, at: 6)
    #expect(try await blobs.size(of: name) == 11)
    #expect(try await blobs.read(name, from: 0, limit: 100) == Data("hello world".utf8))
    #expect(try await blobs.read(name, from: 4, limit: 3) == Data("o w".utf8))
    for (offset, limit) in [(11, 5), (99, 5), (.max, .max), (0, 0), (0, -1)] as [(Int64, Int)] {
      #expect(try await blobs.read(name, from: offset, limit: limit).isEmpty)
    }
  }

  @Test("a blob that is not there is empty")
  func missing() async throws {
    #expect(try await blobs.size(of: name) == 0)
    #expect(try await blobs.read(name, from: 0, limit: 10).isEmpty)
  }

  @Test("bytes that are there already are not written twice")
  func repetition() async throws {
    try await blobs.append(Data("abc".utf8), to: name, at: 0)
    try await blobs.append(Data("abc".utf8), to: name, at: 0)
    try await blobs.append(Data("XXcde".utf8), to: name, at: 0)
    try await blobs.append(Data("q".utf8), to: name, at: 1)
    #expect(try await blobs.read(name, from: 0, limit: 10) == Data("abcde".utf8).prefix(2) + Data("cde".utf8))
  }

  @Test("a gap is a conflict that names the end, and writes nothing")
  func gap() async throws {
    try await blobs.append(Data("abc".utf8), to: name, at: 0)
    await expect(.conflict, saying: "ends at 3") {
      try await blobs.append(Data("z".utf8), to: name, at: 4)
    }
    #expect(try await blobs.size(of: name) == 3)
  }

  @Test(
    "a name that could leave the folder is refused everywhere",
    arguments: [
      "", "/etc/passwd", "../x", "a/../b", "a//b", "a/", ".", "a/./b", "a b", "ä", "a\u{0}b", "a\\b", String(repeating: "a", count: 201),
    ])
  func names(name: String) async throws {
    for action in [
      { try await blobs.append(Data("x".utf8), to: name, at: 0) }, { _ = try await blobs.size(of: name) },
      { _ = try await blobs.read(name, from: 0, limit: 1) },
    ] as [() async throws -> Void] {
      await expect(.damaged, saying: "no name") {
        try await action()
      }
    }
  }

  @Test("writers of overlapping pieces at once leave each byte once")
  func concurrency() async throws {
    let bytes = Data((0..<10_000).map { UInt8($0 % 251) })
    try await withThrowingTaskGroup(of: Void.self) { group in
      for _ in 0..<8 {
        group.addTask { () async throws in
          for offset in stride(from: 0, to: bytes.count, by: 500) {
            try await blobs.append(bytes.dropFirst(offset).prefix(700), to: name, at: Int64(offset))
          }
        }
      }
      try await group.waitForAll()
    }
    #expect(try await blobs.read(name, from: 0, limit: 1 << 20) == bytes)
  }

  @Test("a link in place of a blob is not followed")
  func links() async throws {
    let target = folder.path("secret")
    try Data("secret".utf8).write(to: URL(fileURLWithPath: target))
    try FileManager.default.createSymbolicLink(atPath: folder.path("blobs/link"), withDestinationPath: target)
    await expect(.unavailable, saying: "link") {
      _ = try await blobs.read("link", from: 0, limit: 10)
    }
  }

  @Test(
    "a compressed blob reads as before from every place, takes less, and grows no more",
    arguments: [0, 1, 262_143, 262_144, 262_145, 900_001])
  func compressed(_ size: Int) async throws {
    let raw = Data((0..<size).map { UInt8(truncatingIfNeeded: $0 / 97 &* 31) })
    if size > 0 { try await blobs.append(raw, to: name, at: 0) } else { try await blobs.append(Data(), to: name, at: 0) }
    try await blobs.compress(name)
    try await blobs.compress(name)
    #expect(try await blobs.size(of: name) == Int64(size))
    for (offset, limit) in [(0, size + 10), (0, 10), (size / 2, 1000), (262_140, 10), (max(0, size - 3), 10), (size, 10), (size + 5, 10)] {
      let expected = Data(raw.dropFirst(offset).prefix(limit))
      #expect(try await blobs.read(name, from: Int64(offset), limit: limit) == expected, "\(limit) from \(offset)")
    }
    let entry = try #require(try await blobs.list("logs").first)
    #expect(entry.isCompressed && entry.name == name)
    if size > 1000 { #expect(entry.bytes < Int64(size) / 4) }
    await #expect(throws: StoreError.self) { try await blobs.append(Data("x".utf8), to: name, at: Int64(size)) }
    try await blobs.remove(name)
    try await blobs.remove(name)
    #expect(try await blobs.size(of: name) == 0)
    #expect(try await blobs.list("logs").isEmpty)
  }

  @Test("a compressed blob that was tampered with is an error that names it, wherever it is broken")
  func broken() async throws {
    let raw = Data((0..<600_000).map { UInt8(truncatingIfNeeded: $0 / 97 &* 31) })
    try await blobs.append(raw, to: name, at: 0)
    try await blobs.compress(name)
    let path = folder.url.appendingPathComponent("blobs/\(name).rhz")
    let whole = try Data(contentsOf: path)
    var places = [0, 5, whole.count / 2, whole.count - 1, whole.count - 9, whole.count - 20]
    places += stride(from: 0, to: whole.count, by: max(1, whole.count / 40))
    for place in places {
      var bad = whole
      bad[place] ^= 0xff
      try bad.write(to: path)
      do {
        // What lies behind a broken byte of no meaning may still be whole.
        #expect(try await blobs.read(name, from: 0, limit: raw.count) == raw, "byte \(place)")
      } catch {
        #expect("\(error)".contains(name), "\(error)")
      }
    }
    for length in [0, 3, 19, whole.count - 1] {
      try whole.prefix(length).write(to: path)
      await #expect(throws: StoreError.self) { _ = try await blobs.read(name, from: 0, limit: 10) }
    }
  }
}
