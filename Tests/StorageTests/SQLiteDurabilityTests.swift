import Domain
import Foundation
import GRDB
import RunnerHub
import Testing

@testable import Storage

@Suite("SQLiteStore in a file")
struct SQLiteDurabilityTests {
  private let folder: TemporaryFolder
  private var path: String { folder.path("data/store.sqlite") }

  init() throws {
    folder = try TemporaryFolder()
  }

  private func delivery(_ guid: String) -> Delivery {
    Delivery(guid: guid, hookID: "7", event: "ping", body: Data("{}".utf8), receivedAt: Date(timeIntervalSince1970: 1_777_000_000))
  }

  private func job(_ id: Int64) -> Job {
    Job(
      id: JobID(forgeID: id, attempt: 1), forgeID: id, runID: 1, runAttempt: 1,
      repository: Repository(id: 1, fullName: "acme/storefront", isPrivate: false, defaultBranch: nil), name: "build", labels: [],
      headSHA: "abc", createdAt: .distantPast, receivedAt: .distantPast)
  }

  @Test("the writer syncs each commit and keeps a write-ahead log of bounded length")
  func pragmas() async throws {
    let store = try SQLiteStore(path: path)
    let values = try await store.write { db in
      try ["synchronous", "journal_mode", "wal_autocheckpoint", "foreign_keys"].map { try String.fetchOne(db, sql: "PRAGMA \($0)") }
    }
    #expect(values == ["2", "wal", "1000", "1"])
  }

  @Test("opened for reading, a file is seen beside its writer and not changed, and one of an older version is refused")
  func reading() async throws {
    let writer = try SQLiteStore(path: path)
    #expect(try await writer.append(delivery("a")) == .stored)
    let reader = try SQLiteStore(reading: path)
    #expect(try await reader.pendingDeliveries(limit: 10).map(\.delivery.guid) == ["a"])
    try await writer.write { db in
      try db.execute(sql: "DELETE FROM schema_migrations WHERE number = (SELECT max(number) FROM schema_migrations)")
    }
    await expect(.unavailable, saying: "older version", "runnerhub serve") { _ = try SQLiteStore(reading: path) }
    let count = try await writer.read { db in try Int.fetchOne(db, sql: "SELECT count(*) FROM schema_migrations") }
    #expect(count == Migration.all.count - 1)
    let absent = folder.path("absent.sqlite")
    await expect(.unavailable) { _ = try SQLiteStore(reading: absent) }
    #expect(!FileManager.default.fileExists(atPath: absent))
  }

  @Test("what was answered is there when the file is opened beside a store that was never closed")
  func reopening() async throws {
    let abandoned = try SQLiteStore(path: path)
    #expect(try await abandoned.append(delivery("a")) == .stored)
    var changes = Changes()
    changes.jobs = [job(1)]
    try await abandoned.commit(changes, at: .deliveriesApplied)
    let again = try SQLiteStore(path: path)
    #expect(try await again.pendingDeliveries(limit: 10).map(\.delivery.guid) == ["a"])
    #expect(try await again.append(delivery("a")) == .duplicate)
    #expect(try await again.job(JobID(rawValue: "1"))?.version == 1)
    #expect(try await abandoned.deliveryCounts() == [.pending: 1])
  }

  @Test("the files as a killed process leaves them open with all that was answered, and nothing of a transaction that was open")
  func copyOfLiveFiles() async throws {
    let store = try SQLiteStore(path: path)
    #expect(try await store.append(delivery("a")) == .stored)
    let copy = folder.path("copy.sqlite")
    let (path, folder) = (path, folder)
    await expect(.unavailable, saying: "killed") {
      try await store.write { db in
        try db.execute(sql: "INSERT INTO memory VALUES ('half', 'done')")
        for suffix in ["", "-wal"] { try FileManager.default.copyItem(atPath: path + suffix, toPath: folder.path("copy.sqlite") + suffix) }
        throw StoreError.unavailable("killed")
      }
    }
    let again = try SQLiteStore(path: copy)
    #expect(try await again.pendingDeliveries(limit: 10).map(\.delivery.guid) == ["a"])
    #expect(try await again.value(forKey: "half") == nil)
  }

  @Test("a row that SQLite refuses fails alone in its batch")
  func poisonedRow() async throws {
    let store = try SQLiteStore(path: path)
    try await store.write { db in
      try db.execute(
        sql: """
          CREATE TRIGGER poison BEFORE INSERT ON deliveries WHEN NEW.guid LIKE 'bad%' BEGIN SELECT RAISE(ABORT, 'refused'); END
          """)
    }
    let answers = await outcomes(of: (0..<200).map { $0 % 10 == 3 ? "bad\($0)" : "good\($0)" }, in: store)
    for (guid, answer) in answers {
      if guid.hasPrefix("bad") {
        guard case .failure(.damaged(let why)) = answer else {
          Issue.record("\(guid) was answered \(answer)")
          continue
        }
        #expect(why.contains("refused"))
      } else {
        guard case .success(.stored) = answer else {
          Issue.record("\(guid) was answered \(answer)")
          continue
        }
      }
    }
    #expect(try await store.deliveryCounts() == [.pending: 180])
  }

  @Test("a full disk is told to every caller as unavailable, nothing of the batch is stored, and room made is used")
  func fullDisk() async throws {
    let store = try SQLiteStore(path: path)
    try await store.write { db in
      let pages = try Int.fetchOne(db, sql: "PRAGMA page_count") ?? 0
      try db.execute(sql: "PRAGMA max_page_count = \(pages)")
    }
    let guids = (0..<50).map { "\($0)" + String(repeating: "x", count: 20_000) }
    for (_, answer) in await outcomes(of: guids, in: store) {
      guard case .failure(.unavailable(let why)) = answer else {
        Issue.record("answered \(answer)")
        continue
      }
      #expect(why.contains("make room"))
    }
    #expect(try await store.deliveryCounts() == [:])
    try await store.write { db in try db.execute(sql: "PRAGMA max_page_count = 1000000") }
    #expect(try await store.append(delivery("a")) == .stored)
  }

  private func outcomes(of guids: [String], in store: SQLiteStore) async -> [String: Result<DeliveryReceipt, StoreError>] {
    await withTaskGroup(of: (String, Result<DeliveryReceipt, StoreError>).self) { group in
      for guid in guids {
        group.addTask {
          do throws(StoreError) {
            return (guid, .success(try await store.append(delivery(guid))))
          } catch {
            return (guid, .failure(error))
          }
        }
      }
      return await group.reduce(into: [:]) { $0[$1.0] = $1.1 }
    }
  }

  @Test("a row that was spoilt is reported as damaged with its name and what to do", arguments: ["garbage", "{}", "[1", "\u{0}", ""])
  func damagedJSON(text: String) async throws {
    let store = try SQLiteStore(path: path)
    var changes = Changes()
    changes.jobs = [job(1)]
    try await store.commit(changes, at: .deliveriesApplied)
    try await store.write { db in try db.execute(sql: "UPDATE orchestrator_jobs SET metadata = ?", arguments: [text]) }
    // What it committed itself, a store need not read again.
    try store.close()
    let next = try SQLiteStore(path: path)
    await expect(.damaged, saying: "job 1", "restore") {
      _ = try await next.job(JobID(rawValue: "1"))
    }
  }

  @Test("columns that hold another type or another word are damage, and no trap")
  func damagedColumns() async throws {
    let store = try SQLiteStore(path: path)
    #expect(try await store.append(delivery("a")) == .stored)
    for sql in ["received_at = 'yesterday'", "received_at = x'ff'", "status = 'lost'", "guid = x'fffe'"] {
      try await store.write { db in try db.execute(sql: "UPDATE deliveries SET \(sql)") }
      await expect(.damaged, saying: "delivery 1") {
        _ = try await store.recentDeliveries(limit: 1)
      }
    }
  }

  @Test("a file that is no database is damaged, a folder that cannot be made unavailable")
  func noDatabase() async throws {
    let file = folder.path("text.sqlite")
    try Data(String(repeating: "no database. ", count: 1000).utf8).write(to: URL(fileURLWithPath: file))
    await expect(.damaged, saying: "backup") {
      _ = try SQLiteStore(path: file)
    }
    await expect(.unavailable, saying: "folder") {
      _ = try SQLiteStore(path: file + "/below/store.sqlite")
    }
  }

  @Test("a closed store answers unavailable")
  func closed() async throws {
    let store = try SQLiteStore(path: path)
    try store.close()
    for action in [{ _ = try await store.append(delivery("a")) }, { _ = try await store.jobCounts() }] as [() async throws -> Void] {
      await expect(.unavailable, saying: "closed") {
        try await action()
      }
    }
  }

  @Test("migrations run once, are recorded, and a step under a foreign name is damage")
  func migrations() async throws {
    do { _ = try SQLiteStore(path: path) }
    let store = try SQLiteStore(path: path)
    let names = try await store.read { db in try String.fetchAll(db, sql: "SELECT name FROM schema_migrations ORDER BY number") }
    #expect(names == Migration.all.map(\.name))
    #expect(Migration.all.map(\.number) == Array(1...Migration.all.count))
    try await store.write { db in try db.execute(sql: "INSERT INTO schema_migrations VALUES (9999, 'of a newer version', '')") }
    _ = try SQLiteStore(path: path)
    try await store.write { db in try db.execute(sql: "UPDATE schema_migrations SET name = 'else' WHERE number = 1") }
    #expect(throws: StoreError.self) { try SQLiteStore(path: path) }
  }

  @Test("a file of before transitions keeps its deliveries, and new ones are recognised by both keys")
  func migrationOfTransitions() async throws {
    do {
      try FileManager.default.createDirectory(atPath: folder.path("data"), withIntermediateDirectories: true)
      let old = try DatabaseQueue(path: path)
      try Migration.apply(Migration.all.filter { $0.number < 5 }, to: old)
      try await old.write { db in
        for guid in ["a", "b"] {
          try db.execute(
            sql: "INSERT INTO deliveries (guid, hook_id, event, body, received_at) VALUES (?, '7', 'ping', x'7b7d', ?)",
            arguments: [guid, Timestamp.text(Date(timeIntervalSince1970: 1_777_000_000))])
        }
      }
      try old.close()
    }
    let store = try SQLiteStore(path: path)
    #expect(try await store.pendingDeliveries(limit: 10).map(\.delivery) == [delivery("a"), delivery("b")])
    var (first, again) = (delivery("c"), delivery("d"))
    first.transition = "1.1/queued/queued"
    again.transition = first.transition
    #expect(try await store.append(delivery("a")) == .duplicate)
    #expect(try await store.append(first) == .stored)
    #expect(try await store.append(again) == .repeated)
    #expect(try await store.deliveryCounts() == [.pending: 3])
  }

  @Test("effects of before ranks get theirs from what they are")
  func migrationOfRanks() async throws {
    func status(_ id: String, _ status: StatusUpdate.Status) -> OutboxEffect {
      .status(
        StatusUpdate(
          jobID: JobID(rawValue: id), repository: "acme/storefront", installationID: nil, headSHA: "abc", name: "n", status: status,
          conclusion: nil, title: "t", summary: "s", detailsURL: nil, startedAt: nil, completedAt: nil),
        dueAt: Date(timeIntervalSince1970: 1_777_000_000))
    }
    let cancel = OutboxEffect(
      key: "cancel/4", kind: .cancelRun(jobID: JobID(rawValue: "4"), repository: "acme/storefront", runID: 1),
      dueAt: Date(timeIntervalSince1970: 1_777_000_000))
    let effects = [status("1", .queued), status("2", .inProgress), status("3", .completed), cancel]
    do {
      try FileManager.default.createDirectory(atPath: folder.path("data"), withIntermediateDirectories: true)
      let old = try DatabaseQueue(path: path)
      try Migration.apply(Migration.all.filter { $0.number < 6 }, to: old)
      try await old.write { db in
        for effect in effects {
          try db.execute(
            sql: "INSERT INTO outbox (key, kind, due_at, tries, revision) VALUES (?, ?, ?, 0, 1)",
            arguments: [effect.key, try RowCoding.json(effect.kind), Timestamp.text(effect.dueAt)])
        }
      }
      try old.close()
    }
    let store = try SQLiteStore(path: path)
    for rank in OutboxEffect.Rank.allCases {
      let found = try await store.dueEffects(rank, to: nil, at: Date(), limit: 10)
      #expect(Set(found.map(\.key)) == Set(effects.filter { $0.rank == rank }.map(\.key)))
    }
  }

  @Test("the seed's tables have every column of the seed")
  func seedColumns() async throws {
    let store = try SQLiteStore()
    let wanted = [
      "orchestrator_jobs": [
        "id", "repository", "workflow", "status", "created_at", "started_at", "completed_at", "container_id", "metadata",
      ],
      "container_assignments": ["id", "job_id", "container_id", "assigned_at", "released_at", "priority"],
      "container_registry": [
        "id", "name", "image", "status", "labels", "resources", "health_status", "created_at", "last_heartbeat",
      ],
    ]
    for (table, columns) in wanted {
      let present = try await store.read { db in try db.columns(in: table) }
      #expect(Set(columns).isSubset(of: present.map(\.name)))
      if table == "container_assignments" { #expect(present.first { $0.name == "priority" }?.defaultValueSQL == "3") }
    }
  }
}
