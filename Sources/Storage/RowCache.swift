import Domain
import Foundation
import GRDB
import RunnerHub
import Synchronization

/// A row whose column `metadata` holds the whole value as JSON, and whose version rises with each change.
protocol VersionedRow: Decodable, Sendable, Identifiable where ID: TextIdentifier {
  /// `job`, for messages.
  static var noun: String { get }
  var version: Int { get }
}

extension Job: VersionedRow { static var noun: String { "job" } }
extension Assignment: VersionedRow { static var noun: String { "assignment" } }
extension Container: VersionedRow { static var noun: String { "container" } }

/// Rows that were decoded, or committed by this store, so that loops which look at the same rows again and again decode only what has changed.
///
/// - By identity and version: a version is written once, since each update raises it, so a value that is found under its version is what the
///   row holds.
/// - By identity alone: only a value that this store committed last, since no other process writes to the file (`StoreLock`) and rows are never
///   deleted. What was merely read may come from an older snapshot and does not count.
///
/// Bounded: of the values that were not asked for lately, the older half goes.
final class RowCache<Value: VersionedRow>: Sendable {
  private struct Entry {
    var value: Value
    var isNewest: Bool
  }
  private struct Generations {
    var young: [Value.ID: Entry] = [:]
    var old: [Value.ID: Entry] = [:]

    func entry(_ id: Value.ID) -> Entry? { young[id] ?? old[id] }

    mutating func add(_ entry: Entry, capacity: Int) {
      let id = entry.value.id
      // A reader of an older snapshot must not put an older value in the place of a newer one.
      if let present = self.entry(id), present.value.version > entry.value.version { return }
      if young.count >= capacity, young[id] == nil { (old, young) = (young, [:]) }
      young[id] = entry
    }
  }

  /// Values of one generation: a thousand running jobs and the heads of the queue fit into it.
  private let capacity: Int
  private let generations = Mutex(Generations())

  init(capacity: Int = 2048) { self.capacity = max(1, capacity) }

  /// Keeps values as they were committed. Called in the order of the commits.
  func committed(_ values: [Value]) {
    if values.isEmpty { return }
    generations.withLock { generations in
      for value in values { generations.add(Entry(value: value, isNewest: true), capacity: capacity) }
    }
  }

  /// Forgets the one of these rows that a conflict names.
  func forget(_ ids: [Value.ID], called name: String) {
    guard let id = ids.first(where: { "\(Value.noun) \($0)" == name }) else { return }
    generations.withLock { generations in
      generations.young[id] = nil
      generations.old[id] = nil
    }
  }

  /// What the row holds now, where that is known without asking.
  func newest(_ id: Value.ID) -> Value? {
    generations.withLock { generations in
      guard let entry = generations.entry(id), entry.isNewest else { return nil }
      return entry.value
    }
  }

  /// The value of a row with the columns identity, version and metadata, in this order.
  fileprivate func value(of row: Row) throws(StoreError) -> Value {
    let id = Value.ID(rawValue: try row.read(at: 0, "a row of \(Value.noun)s"))
    let version: Int = try row.read(at: 1, "\(Value.noun) \(id)")
    if let known = known(id, version) { return known }
    let json: String = try row.read(at: 2, "\(Value.noun) \(id)")
    let value = try RowCoding.value(Value.self, json, of: "\(Value.noun) \(id)")
    // A row whose two versions differ was changed by hand, and is not what a version stands for.
    if value.version == version, value.id == id { read(value) }
    return value
  }

  /// Keeps a value as it was read.
  func read(_ value: Value) {
    generations.withLock { $0.add(Entry(value: value, isNewest: false), capacity: capacity) }
  }

  private func known(_ id: Value.ID, _ version: Int) -> Value? {
    generations.withLock { generations in
      guard let entry = generations.entry(id), entry.value.version == version else { return nil }
      if generations.young[id] == nil { generations.add(entry, capacity: capacity) }
      return entry.value
    }
  }
}

extension Database {
  /// Values of a statement that selects identity, version and metadata, in this order.
  func values<Value>(_ cache: RowCache<Value>, _ sql: String, _ arguments: [(any DatabaseValueConvertible)?] = []) throws -> [Value] {
    let rows = try Row.fetchCursor(try cachedStatement(sql: sql), arguments: StatementArguments(arguments))
    var values: [Value] = []
    while let row = try rows.next() { values.append(try cache.value(of: row)) }
    return values
  }

  func value<Value>(_ cache: RowCache<Value>, _ sql: String, _ arguments: [(any DatabaseValueConvertible)?]) throws -> Value? {
    try Row.fetchOne(try cachedStatement(sql: sql), arguments: StatementArguments(arguments)).map(cache.value(of:))
  }
}
