import Domain
import Foundation
import GRDB
import RunnerHub
import Testing

@testable import Storage

@Suite("The memory of decoded rows")
struct RowCacheTests {
  private let folder: TemporaryFolder
  private var path: String { folder.path("store.sqlite") }

  init() throws { folder = try TemporaryFolder() }

  private func job(_ id: Int64) -> Job {
    Job(
      id: JobID(forgeID: id, attempt: 1), forgeID: id, runID: 1, runAttempt: 1,
      repository: Repository(id: 1, fullName: "acme/storefront", isPrivate: false, defaultBranch: nil), name: "build \(id)",
      labels: ["linux"], headSHA: "abc", createdAt: Date(timeIntervalSince1970: 1.25), receivedAt: Date())
  }

  private func commit(_ store: SQLiteStore, _ change: (inout Changes) -> Void) async throws -> Changes {
    var changes = Changes()
    change(&changes)
    return try await store.commit(changes, at: .deliveriesApplied)
  }

  @Test("a value that is remembered is the one that the file holds")
  func sameAsStored() async throws {
    let store = try SQLiteStore(path: path)
    var changed = try await commit(store) { $0.jobs = [job(1)] }.jobs[0]
    changed.queuedAt = Date()
    changed.orderKey = .infinity
    changed.placementReason = "pool p is at its maximum of 1"
    let stored = try await commit(store) { $0.jobs = [changed] }.jobs[0]
    #expect(try await store.job(stored.id) == stored)
    try store.close()
    let again = try SQLiteStore(path: path)
    #expect(try await again.job(stored.id) == stored)
    #expect(try await again.job(stored.id) == stored)
  }

  @Test("what a conflict has undone is not remembered")
  func undone() async throws {
    let store = try SQLiteStore(path: path)
    let first = try await commit(store) { $0.jobs = [job(1)] }.jobs[0]
    var changed = first
    changed.name = "never committed"
    let undone = changed
    await #expect(throws: StoreError.self) {
      // The second row is new under a version that says that it was read before.
      var stranger = job(2)
      stranger.version = 7
      var changes = Changes()
      changes.jobs = [undone, stranger]
      try await store.commit(changes, at: .deliveriesApplied)
    }
    #expect(try await store.job(first.id) == first)
    // Somebody else's change under the version that was undone.
    var other = first
    other.name = "committed"
    let stored = try await commit(store) { $0.jobs = [other] }.jobs[0]
    #expect(try await store.job(first.id) == stored)
  }

  @Test("a row that was changed by hand is read again once a conflict has named it")
  func byHand() async throws {
    let store = try SQLiteStore()
    let first = try #require(try await commit(store) { $0.jobs = [job(1), job(2)] }.jobs.first)
    var other = first
    other.version += 1
    let text = try RowCoding.json(other)
    try await store.write { db in
      try db.execute(
        sql: "UPDATE orchestrator_jobs SET version = version + 1, metadata = ? WHERE id = ?", arguments: [text, first.id.rawValue])
    }
    await #expect(throws: StoreError.self) { try await commit(store) { $0.jobs = [first] } }
    #expect(try await store.job(first.id)?.version == other.version)
    #expect(try await commit(store) { $0.jobs = [other] }.jobs.first?.version == other.version + 1)
  }

  @Test("more rows than are remembered are read as they are")
  func bounded() async throws {
    let cache = RowCache<Job>(capacity: 3)
    let store = try SQLiteStore(path: path)
    let stored = try await commit(store) { $0.jobs = (1...10).map { job($0) } }.jobs
    for _ in 0..<2 {
      let read = try await store.read { db in
        try db.values(cache, "SELECT id, version, metadata FROM orchestrator_jobs ORDER BY run_id, rowid")
      }
      #expect(read == stored)
    }
  }

  @Test("a reader of an older snapshot does not bring an older value back")
  func olderSnapshot() async throws {
    let store = try SQLiteStore(path: path)
    let old = try await commit(store) { $0.jobs = [job(1)] }.jobs[0]
    var changed = old
    changed.name = "newer"
    let new = try await commit(store) { $0.jobs = [changed] }.jobs[0]
    store.jobs.read(old)
    #expect(try await store.job(old.id) == new)
  }

  @Test("what was only read is never taken for the newest, though what was newer is forgotten")
  func forgotten() async throws {
    let cache = RowCache<Job>(capacity: 2)
    var (old, new) = (job(1), job(1))
    (old.version, new.version) = (1, 2)
    cache.committed([new])
    #expect(cache.newest(new.id) == new)
    for id in 2...6 { cache.read(job(Int64(id))) }
    cache.read(old)
    #expect(cache.newest(new.id) == nil)
    cache.committed([new])
    cache.read(old)
    #expect(cache.newest(new.id) == new)
  }

  @Test("each caller sees what it has committed, whoever else commits at the same time")
  func concurrent() async throws {
    let store = try SQLiteStore(path: path)
    try await withThrowingTaskGroup(of: Void.self) { group in
      for id in 1...16 {
        group.addTask {
          var row = try await commit(store) { $0.jobs = [job(Int64(id))] }.jobs[0]
          for step in 1...20 {
            row.placementReason = "step \(step)"
            let changed = row
            row = try await commit(store) { $0.jobs = [changed] }.jobs[0]
            #expect(try await store.job(row.id) == row)
            #expect(try await store.jobs(in: [.received], limit: 100).contains(row))
          }
        }
      }
      try await group.waitForAll()
    }
  }
}
