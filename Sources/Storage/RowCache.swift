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

/// Values by identity and version, so that loops which look at the same rows again and again decode only what has changed.
///
/// A version is written once, since each update raises it, so a value that is found under its version is what the row holds. Only what was
/// committed comes in here. Bounded: of the values that were not asked for lately, the older half goes.
final class RowCache<Value: VersionedRow>: Sendable {
  private struct Generations {
    var young: [Value.ID: Value] = [:]
    var old: [Value.ID: Value] = [:]
  }

  /// Values of one generation: a thousand running jobs and the heads of the queue fit into it.
  private let capacity: Int
  private let generations = Mutex(Generations())

  init(capacity: Int = 2048) { self.capacity = max(1, capacity) }

  /// Keeps values as they were committed.
  func keep(_ values: [Value]) {
    if values.isEmpty { return }
    generations.withLock { generations in
      for value in values { add(value, to: &generations) }
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
    if value.version == version { keep([value]) }
    return value
  }

  private func known(_ id: Value.ID, _ version: Int) -> Value? {
    generations.withLock { generations in
      if let value = generations.young[id] { return value.version == version ? value : nil }
      guard let value = generations.old[id], value.version == version else { return nil }
      add(value, to: &generations)
      return value
    }
  }

  private func add(_ value: Value, to generations: inout Generations) {
    // A reader of an older snapshot must not put an older value in the place of a newer one.
    if let present = generations.young[value.id], present.version >= value.version { return }
    if generations.young.count >= capacity { (generations.old, generations.young) = (generations.young, [:]) }
    generations.young[value.id] = value
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
