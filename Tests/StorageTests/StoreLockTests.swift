import Foundation
import RunnerHub
import Storage
import Testing

@Suite("StoreLock")
struct StoreLockTests {
  @Test("a second holder is refused with the process that has it, until the first lets go")
  func exclusion() throws {
    let folder = try TemporaryFolder()
    let path = folder.path("store.sqlite")
    let first = try StoreLock(databasePath: path)
    withExtendedLifetime(first) {
      #expect(refusal(path)?.contains("process \(ProcessInfo.processInfo.processIdentifier)") == true)
      #expect(refusal(folder.path("other.sqlite")) == nil)
    }
  }

  @Test("the lock is free again when its holder is gone")
  func release() throws {
    let folder = try TemporaryFolder()
    let path = folder.path("store.sqlite")
    do {
      let first = try StoreLock(databasePath: path)
      withExtendedLifetime(first) { #expect(refusal(path) != nil) }
    }
    #expect(refusal(path) == nil)
  }

  /// Why the lock is not given, or nil where it is.
  private func refusal(_ path: String) -> String? {
    do {
      _ = try StoreLock(databasePath: path)
      return nil
    } catch {
      return error.description
    }
  }

  @Test("a lock file that cannot be made is an error with its path")
  func missingFolder() async throws {
    let folder = try TemporaryFolder()
    await expect(.unavailable, saying: "store.sqlite.lock") {
      _ = try StoreLock(databasePath: folder.path("missing/store.sqlite"))
    }
  }
}
