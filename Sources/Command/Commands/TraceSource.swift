import ArgumentParser
import Domain
import Foundation
import GitHub
import RunnerHub
import Simulation
import Storage

/// Where a trace can come from: a trace file, kept webhook bodies, or a store.
enum TraceSource {
  /// Jobs read from the store at once.
  private static let page = 1000

  static func read(_ path: String) async throws -> Trace {
    var isFolder: ObjCBool = false
    guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) else {
      throw ValidationError("--trace names \(path): there is no such file or folder")
    }
    if path.hasSuffix(".sqlite") || (isFolder.boolValue && FileManager.default.fileExists(atPath: database(in: path))) {
      return Trace(name: path, jobs: try await jobs(inStore: path, since: nil))
    }
    if isFolder.boolValue { return try archive(path, files: bodies(in: path)) }
    let data = try contents(of: path)
    // A trace file begins with its head; a webhook body does not.
    let head = data.prefix(200)
    guard head.range(of: Data("\"\(TraceFile.format)\"".utf8)) != nil else { return try archive(path, files: [path]) }
    do {
      return try TraceFile.read(data, name: path)
    } catch {
      throw ValidationError(error.description)
    }
  }

  // MARK: - Webhook bodies

  private static func bodies(in folder: String) throws -> [String] {
    guard let walk = FileManager.default.enumerator(atPath: folder) else { throw ValidationError("\(folder) cannot be listed") }
    return walk.compactMap { $0 as? String }.filter { $0.hasSuffix(".json") }.sorted().map { folder + "/" + $0 }
  }

  private static func archive(_ name: String, files: [String]) throws -> Trace {
    var archive = WebhookArchive(decoder: GitHubDeliveryDecoder())
    for file in files { archive.add(try contents(of: file), file: file) }
    let (trace, unfinished) = archive.trace(name: name)
    if unfinished > 0 || !archive.ignored.isEmpty {
      let note =
        "runnerhub  \(name): \(trace.jobs.count) jobs; left out: \(unfinished) without an end, \(archive.ignored.count) other files\n"
      FileHandle.standardError.write(Data(note.utf8))
    }
    if trace.jobs.isEmpty {
      let reason = archive.ignored.first.map { "; \($0.file): \($0.reason)" } ?? ""
      throw ValidationError("\(name) holds no completed workflow_job delivery\(reason)")
    }
    return trace
  }

  private static func contents(of path: String) throws -> Data {
    do {
      return try Data(contentsOf: URL(filePath: path))
    } catch {
      throw ValidationError("\(path) cannot be read: \(error.localizedDescription)")
    }
  }

  // MARK: - Store

  private static func database(in folder: String) -> String { folder + "/runnerhub.sqlite" }

  /// Every job that has ended, and was made since a time.
  static func jobs(inStore path: String, since: Date?) async throws -> [TraceJob] {
    let file = path.hasSuffix(".sqlite") ? path : database(in: path)
    guard FileManager.default.fileExists(atPath: file) else {
      throw ValidationError("there is no store at \(file): name the data directory of a serve by --data")
    }
    let store = try SQLiteStore(reading: file)
    var found: [TraceJob] = []
    var last: Job?
    while true {
      let jobs = try await store.jobs(in: [.completed], receivedBefore: .distantFuture, after: last, limit: page)
      found += jobs.filter { job in since.map { job.createdAt >= $0 } ?? true }.compactMap { TraceJob($0) }
      guard jobs.count == page else { break }
      last = jobs.last
    }
    try store.close()
    return found.sorted { ($0.createdAt, $0.id) < ($1.createdAt, $1.id) }
  }

  /// `90m`, `24h`, `7d`.
  static func seconds(_ text: String) -> Double? {
    guard let unit = text.last, let factor = ["s": 1.0, "m": 60, "h": 3600, "d": 86_400][unit], let number = Double(text.dropLast()),
      number.isFinite, number >= 0
    else { return nil }
    return number * factor
  }
}
