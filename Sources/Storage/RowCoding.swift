import Foundation
import GRDB
import RunnerHub

/// JSON in columns. Times in it are exact (seconds since 2001, as Foundation keeps them); the columns beside it hold them readable.
enum RowCoding {
  static func json(_ value: some Encodable) throws(StoreError) -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    encoder.nonConformingFloatEncodingStrategy = .convertToString(positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
    do {
      return String(decoding: try encoder.encode(value), as: UTF8.self)
    } catch {
      throw .damaged("a \(type(of: value)) cannot be written as JSON; this is a defect: \(error)")
    }
  }

  static func value<Value: Decodable>(_ type: Value.Type, _ json: String, of row: String) throws(StoreError) -> Value {
    let decoder = JSONDecoder()
    decoder.nonConformingFloatDecodingStrategy = .convertFromString(positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
    do {
      return try decoder.decode(type, from: Data(json.utf8))
    } catch {
      throw damage(row, "its JSON is not a \(type): \(error)")
    }
  }

  /// The error for a row that cannot be read.
  static func damage(_ row: String, _ why: String) -> StoreError {
    .damaged("\(row) cannot be read: \(why). Stop RunnerHub, then restore the database from a backup or remove the row.")
  }
}

extension Row {
  /// The value of a column as a type, checked: GRDB's own subscript traps on a value of another type.
  func read<Value: DatabaseValueConvertible>(_ column: String, _ row: @autoclosure () -> String) throws(StoreError) -> Value {
    let stored: DatabaseValue = self[column]
    guard let value = Value.fromDatabaseValue(stored) else {
      throw RowCoding.damage(row(), "column \(column) holds \(stored)")
    }
    return value
  }

  /// The same by place, which spares the search for the name.
  func read<Value: DatabaseValueConvertible>(at index: Int, _ row: @autoclosure () -> String) throws(StoreError) -> Value {
    let stored: DatabaseValue = self[index]
    guard let value = Value.fromDatabaseValue(stored) else {
      throw RowCoding.damage(row(), "column \(columnNames.dropFirst(index).first ?? "\(index)") holds \(stored)")
    }
    return value
  }

  /// The same for a column that may be null.
  func readOptional<Value: DatabaseValueConvertible>(_ column: String, _ row: @autoclosure () -> String) throws(StoreError) -> Value? {
    let stored: DatabaseValue = self[column]
    if stored.isNull { return nil }
    return try read(column, row()) as Value
  }

  /// A time that `Timestamp` wrote.
  func readTime(_ column: String, _ row: @autoclosure () -> String) throws(StoreError) -> Date {
    let text: String = try read(column, row())
    guard let date = Timestamp.date(text) else { throw RowCoding.damage(row(), "column \(column) holds `\(text)`, which is no time") }
    return date
  }
}

extension Database {
  /// Runs a statement that is prepared once a connection.
  func run(_ sql: String, _ arguments: [(any DatabaseValueConvertible)?]) throws {
    try cachedStatement(sql: sql).execute(arguments: StatementArguments(arguments))
  }

  func rows(_ sql: String, _ arguments: [(any DatabaseValueConvertible)?] = []) throws -> [Row] {
    try Row.fetchAll(cachedStatement(sql: sql), arguments: StatementArguments(arguments))
  }

  func row(_ sql: String, _ arguments: [(any DatabaseValueConvertible)?] = []) throws -> Row? {
    try Row.fetchOne(cachedStatement(sql: sql), arguments: StatementArguments(arguments))
  }
}
