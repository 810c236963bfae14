internal import CProcess
internal import Domain
internal import Foundation
internal import Glibc
internal import RunnerHub

/// The folder of one container under the engine's root: all that the process engine remembers of it.
///
/// ```
/// ROOT/ID/spec.json           what was asked for
///         home/               the runner's home
///         tmp/                its TMPDIR
///         log/use-N.log       output of use N
///         state/init.json     who PID 1 is; written before it runs, once for ever
///         state/exit.N        how run.sh of use N ended
///         state/exit          how PID 1 ended
///         state/ready         PID 1 waits for the marker
/// ROOT/.making, ROOT/.trash   what is not a container yet, or any more
/// ```
struct ContainerFolder: Sendable {
  let root: String
  let id: ContainerID

  /// What was asked for, and of which installation.
  struct Request: Codable, Equatable {
    var installation: String
    var spec: ContainerSpec
  }

  /// PID 1, and when it was started.
  struct Start: Codable {
    var process: ProcessIdentity
    var at: Date
  }

  /// - Throws: `invalid` for a name that is not one of a container (and so could lead out of the root).
  init(root: String, id: ContainerID) throws(EngineError) {
    try ContainerName.check(id)
    self.root = root
    self.id = id
  }

  var path: String { "\(root)/\(id)" }
  var home: String { "\(path)/home" }
  var temporary: String { "\(path)/tmp" }
  var state: String { "\(path)/state" }
  var logs: String { "\(path)/log" }
  var exists: Bool { access(path, F_OK) == 0 }

  /// - Throws: `notFound`.
  func mustExist() throws(EngineError) {
    guard exists else { throw .notFound("container \(id)") }
  }

  func request() throws(EngineError) -> Request { try decode(Request.self, "spec.json") }

  /// Nil where it was never started.
  func start() throws(EngineError) -> Start? {
    access("\(state)/init.json", F_OK) == 0 ? try decode(Start.self, "state/init.json") : nil
  }

  /// Writes down who PID 1 is. False where another has been written down before.
  func record(_ start: Start, token: String) throws(EngineError) -> Bool {
    let fresh = "\(state)/init.\(token)"
    try perform("write", fresh) { try JSONEncoder().encode(start).write(to: URL(filePath: fresh)) }
    defer { unlink(fresh) }
    if link(fresh, "\(state)/init.json") == 0 { return true }
    if errno == EEXIST { return false }
    throw .unavailable("cannot write \(state)/init.json: \(systemError(errno))")
  }

  var isWaiting: Bool { access("\(state)/ready", F_OK) == 0 }

  /// The exit status of PID 1, where it could still write it.
  var exitCode: Int32? { number(in: "exit") }

  /// The last use that ended, and how.
  func lastUse() -> (use: Int, exit: Int32)? {
    guard let folder = opendir(state) else { return nil }
    defer { closedir(folder) }
    var last: Int?
    while let entry = readdir(folder) {
      let name = withUnsafeBytes(of: &entry.pointee.d_name) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
      guard name.hasPrefix("exit."), let use = Int(name.dropFirst(5)) else { continue }
      last = max(last ?? use, use)
    }
    guard let last, let exit = number(in: "exit.\(last)") else { return nil }
    return (last, exit)
  }

  /// Takes things of this container, whatever they are, out of it and deletes them without following a link or entering a mount.
  /// - Parameter names: of entries of `folder`; empty means the container's whole folder.
  func discard(_ names: [String], token: String) throws(EngineError) {
    let trash = "\(root)/.trash/\(id).\(token)"
    try makeFolder(trash)
    if names.isEmpty {
      try move(path, to: "\(trash)/container")
    } else {
      for name in names { try move("\(path)/\(name)", to: "\(trash)/\(name)") }
    }
    try Self.delete(trash)
  }

  /// Deletes what an interrupted call has left under this container's name outside its folder.
  func sweep() throws(EngineError) {
    for place in ["\(root)/.making", "\(root)/.trash"] {
      let names = (try? FileManager.default.contentsOfDirectory(atPath: place)) ?? []
      for name in names where name.hasPrefix("\(id).") { try Self.delete("\(place)/\(name)") }
    }
  }

  func makeFolder(_ path: String) throws(EngineError) {
    try perform("make", path) {
      try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
    }
  }

  static func delete(_ path: String) throws(EngineError) {
    var failure = rh_failure()
    guard rh_remove_tree(path, &failure) == 0 else {
      throw .unavailable("cannot delete \(path): \(String(cString: failure.call)): \(systemError(failure.error))")
    }
  }

  private func move(_ source: String, to target: String) throws(EngineError) {
    guard rename(source, target) < 0, errno != ENOENT else { return }
    throw .unavailable("cannot move \(source) away: \(systemError(errno))")
  }

  private func number(in name: String) -> Int32? {
    guard let text = try? String(contentsOfFile: "\(state)/\(name)", encoding: .utf8) else { return nil }
    return Int32(text.trimmingCharacters(in: .whitespacesAndNewlines))
  }

  private func decode<Value: Decodable>(_ type: Value.Type, _ name: String) throws(EngineError) -> Value {
    try perform("read", "\(path)/\(name)") {
      try JSONDecoder().decode(type, from: Data(contentsOf: URL(filePath: "\(path)/\(name)")))
    }
  }
}

/// Does something with a file whose failure is the engine's: `unavailable`, with what and where.
func perform<Result>(_ verb: String, _ path: String, _ body: () throws -> Result) throws(EngineError) -> Result {
  do {
    return try body()
  } catch let error as EngineError {
    throw error
  } catch {
    throw .unavailable("cannot \(verb) \(path): \(error)")
  }
}
