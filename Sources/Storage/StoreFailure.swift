import GRDB
import RunnerHub

/// What a failure of SQLite, or of reading a row, means to the caller of a store.
enum StoreFailure {
  /// The error of the port for any error that came out of a transaction.
  static func error(_ error: any Error) -> StoreError {
    switch error {
    case let error as StoreError: error
    case let error as DatabaseError: storeError(error)
    default: .damaged("\(error)")
    }
  }

  private static func storeError(_ error: DatabaseError) -> StoreError {
    let said = "SQLite says: \(error.message ?? "no reason") (\(error.extendedResultCode))"
    switch error.resultCode {
    case .SQLITE_FULL:
      return .unavailable("the disk is full; make room. \(said)")
    case .SQLITE_BUSY, .SQLITE_LOCKED:
      return .unavailable("another program holds the database; end it or wait. \(said)")
    case .SQLITE_READONLY, .SQLITE_PERM, .SQLITE_AUTH:
      return .unavailable("the database may not be written; check the rights of its file and folder. \(said)")
    case .SQLITE_CANTOPEN:
      return .unavailable("the database cannot be opened; check that its folder exists and may be written. \(said)")
    case .SQLITE_IOERR, .SQLITE_NOMEM, .SQLITE_INTERRUPT, .SQLITE_ABORT, .SQLITE_PROTOCOL, .SQLITE_NOLFS:
      return .unavailable("reading or writing the database failed; check the disk. \(said)")
    case .SQLITE_MISUSE:
      return .unavailable("the store is closed. \(said)")
    case .SQLITE_CORRUPT, .SQLITE_NOTADB:
      return .damaged("the database file is damaged; stop RunnerHub and restore the file from a backup. \(said)")
    default:
      return .damaged("a statement failed; this is a defect, or the tables were changed by hand. \(said)")
    }
  }

  /// Whether only the row of the statement is refused, and its transaction can go on: SQLite has undone the statement alone.
  static func concernsOneRow(_ error: any Error) -> Bool {
    guard let error = error as? DatabaseError else { return true }
    return [.SQLITE_CONSTRAINT, .SQLITE_TOOBIG, .SQLITE_MISMATCH].contains(error.resultCode)
  }
}
