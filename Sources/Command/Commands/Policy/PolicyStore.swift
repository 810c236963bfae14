import ArgumentParser
import Domain
import Foundation
import Policies
import RunnerHub
import Storage

/// The recorded decisions and stored bundles of a data directory.
///
/// Read from its database, beside a `serve` that may be running: SQLite's write-ahead log lets readers of other processes in. Nothing is
/// written: the schema of an older version is refused, since only `serve` brings it up to date.
struct PolicyStore: ParsableArguments {
  @Option(help: "The data directory, in which decisions and bundles are kept.", completion: .directory) var data = "data"

  func open() throws -> SQLiteStore {
    let path = URL(filePath: data, directoryHint: .isDirectory).appending(path: "runnerhub.sqlite").path(percentEncoded: false)
    guard FileManager.default.fileExists(atPath: path) else {
      throw ValidationError("no decisions are kept in \(data): \(path) is not there; name the data directory of serve by --data FOLDER")
    }
    return try SQLiteStore(reading: path)
  }

  /// A folder of policies, or a bundle that the store has by this digest.
  func bundle(_ name: String) async throws -> PolicyBundle {
    var isDirectory = ObjCBool(false)
    if FileManager.default.fileExists(atPath: name, isDirectory: &isDirectory), isDirectory.boolValue {
      do {
        return try PolicyBundle(folder: name)
      } catch {
        throw ValidationError(error.description)
      }
    }
    guard name.count == 12, name.utf8.allSatisfy({ 48...57 ~= $0 || 97...102 ~= $0 }) else {
      throw ValidationError("no folder \(name), and no digest of a bundle, which has 12 hexadecimal digits")
    }
    guard let stored = try await open().bundle(name) else {
      throw ValidationError("no bundle \(name) is kept in \(data): runnerhub policy history lists those that are")
    }
    do {
      return try PolicyBundle(files: stored.files.mapValues { Array($0) })
    } catch {
      throw ValidationError("bundle \(name): \(error.description)")
    }
  }

  /// Every decision since a time with its inputs, oldest first.
  func forEachDecision(
    since: Date, _ body: (DecisionRecord, PolicyJob?, FleetSnapshot?) throws -> Void
  ) async throws {
    let log = try open()
    // Jobs and fleets are shared by the decisions of a turn: the last ones are likely asked for again.
    var jobs: [String: PolicyJob] = [:]
    var snapshot: (digest: String, value: FleetSnapshot)?
    var last: Int64 = 0
    while true {
      let page = try await log.decisions(since: since, after: last, limit: 500)
      guard let end = page.last?.id else { return }
      last = end
      for (_, record) in page {
        if let digest = record.input, jobs[digest] == nil, case .job(let job)? = try await log.decisionInput(digest)?.content {
          if jobs.count > 20_000 { jobs.removeAll() }
          jobs[digest] = job
        }
        if let digest = record.snapshot, snapshot?.digest != digest {
          snapshot = nil
          if case .fleet(let fleet)? = try await log.decisionInput(digest)?.content { snapshot = (digest, fleet) }
        }
        try body(record, record.input.flatMap { jobs[$0] }, record.snapshot == snapshot?.digest ? snapshot?.value : nil)
      }
    }
  }

  /// `24h`, `90m`, `7d`, `30s`.
  static func span(_ text: String) throws -> TimeInterval {
    let units: [Character: Double] = ["s": 1, "m": 60, "h": 3600, "d": 86_400]
    guard let unit = text.last.flatMap({ units[$0] }), let number = Double(text.dropLast()), number > 0, number * unit <= 366 * 86_400
    else {
      throw ValidationError("--since is \"\(text)\": expected a time such as 90m, 24h or 7d")
    }
    return number * unit
  }
}
