import Crypto
package import Foundation
import GRDB
package import RunnerHub

extension SQLiteStore {
  package func input(of content: DecisionInput.Content, at now: Date) throws(StoreError) -> DecisionInput {
    let (kind, json) = try content.json
    // 128 bits of a SHA-256: no two contents meet by chance or by will.
    let digest = SHA256.hash(data: Data("\(kind):".utf8) + json).prefix(16).map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    return DecisionInput(
      digest: digest, content: content, at: now, encoded: try Compressed.pack(json, of: "decision input \(digest)"))
  }

  package func decisionInput(_ digest: String) async throws(StoreError) -> DecisionInput? {
    try await read { db in
      try db.row("SELECT * FROM decision_inputs WHERE digest = ?", [digest]).map(DecisionInput.init(row:))
    }
  }

  package func forgetDecisions(before time: Date, keeping: Int, limit: Int) async throws(StoreError) -> ForgottenDecisions {
    try await write { db in
      let total: Int = try db.row("SELECT total FROM row_counts WHERE subject = 'decisions'")?.read("total", "row_counts of decisions") ?? 0
      try db.run(
        "DELETE FROM decisions WHERE id IN (SELECT id FROM decisions WHERE at < ? ORDER BY at LIMIT ?)", [Timestamp.text(time), limit])
      var forgotten = db.changesCount
      let excess = min(limit - forgotten, total - forgotten - max(0, keeping))
      if excess > 0 {
        try db.run("DELETE FROM decisions WHERE id IN (SELECT id FROM decisions ORDER BY at LIMIT ?)", [excess])
        forgotten += db.changesCount
      }
      // An input's time is that of its last decision: older than all decisions, none needs it.
      try db.run(
        """
        DELETE FROM decision_inputs WHERE digest IN (
          SELECT digest FROM decision_inputs WHERE at < COALESCE((SELECT MIN(at) FROM decisions), '9999-12-31T23:59:59.999Z') ORDER BY at LIMIT ?)
        """, [limit])
      return ForgottenDecisions(decisions: forgotten, inputs: db.changesCount)
    }
  }
}

extension DecisionInput {
  fileprivate init(row: Row) throws {
    let digest: String = try row.read("digest", "a row of decision_inputs")
    let place = "decision input \(digest)"
    let kind: String = try row.read("kind", place)
    let packed: Data = try row.read("content", place)
    let json = String(decoding: try Compressed.unpack(packed, of: place), as: UTF8.self)
    let content: Content
    switch kind {
    case "job": content = .job(try RowCoding.value(PolicyJob.self, json, of: place))
    case "fleet": content = .fleet(try RowCoding.value(FleetSnapshot.self, json, of: place))
    default: throw RowCoding.damage(place, "no kind `\(kind)` is known")
    }
    self.init(digest: digest, content: content, at: try row.readTime("at", place))
  }

  /// One that is stored already keeps its row, with the later of both times.
  func store(in db: Database) throws {
    let packed: Data
    if let encoded { packed = encoded } else { packed = try Compressed.pack(try content.json.data, of: "decision input \(digest)") }
    try db.run(
      """
      INSERT INTO decision_inputs (digest, kind, content, at) VALUES (?, ?, ?, ?)
      ON CONFLICT (digest) DO UPDATE SET at = excluded.at WHERE excluded.at > at
      """, [digest, content.kind, packed, Timestamp.text(at)])
  }
}

extension DecisionInput.Content {
  fileprivate var kind: String {
    switch self {
    case .job: "job"
    case .fleet: "fleet"
    }
  }

  /// Keys are in order, so equal contents are equal bytes.
  fileprivate var json: (kind: String, data: Data) {
    get throws(StoreError) {
      switch self {
      case .job(let job): (kind, Data(try RowCoding.json(job).utf8))
      case .fleet(let fleet): (kind, Data(try RowCoding.json(fleet).utf8))
      }
    }
  }
}
