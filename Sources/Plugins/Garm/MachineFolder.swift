internal import Domain
internal import Foundation
internal import Glibc
internal import RunnerHub

/// Where the machines of one engine are written down, so that a restart loses none.
///
/// ```
/// ROOT/key                  for tokens
///      ID/machine.json      the record
///         files.json        what a job's runner needs; secret, 0600, removed when the job is over
///         use.log           what the machine has sent of the use's output
/// ```
struct MachineFolder: Sendable {
  let root: String

  /// A file of a runner as it is kept.
  struct KeptFile: Codable {
    var path: String
    var contents: Data
    var mode: UInt16
  }

  /// Makes the folder, the owner's only, and the key at the first time.
  func prepare() throws(EngineError) -> SymmetricKeyBytes {
    try make(root)
    let path = "\(root)/key"
    if let known = FileManager.default.contents(atPath: path), known.count == 32 { return SymmetricKeyBytes(known) }
    let key = SymmetricKeyBytes.random()
    try write(key, to: path)
    return SymmetricKeyBytes(key)
  }

  /// All records; what cannot be read is named, and stays.
  func machines() -> (found: [GarmMachine], unreadable: [String]) {
    var found: [GarmMachine] = []
    var unreadable: [String] = []
    for name in ((try? FileManager.default.contentsOfDirectory(atPath: root)) ?? []).sorted() where MachineName.isName(name) {
      guard let data = FileManager.default.contents(atPath: "\(root)/\(name)/machine.json") else { continue }
      if let machine = try? JSONDecoder().decode(GarmMachine.self, from: data), machine.id.rawValue == name {
        found.append(machine)
      } else {
        unreadable.append(name)
      }
    }
    return (found, unreadable)
  }

  func write(_ machine: GarmMachine) throws(EngineError) {
    try make(path(machine.id))
    try write(try encode(machine), to: "\(path(machine.id))/machine.json")
  }

  func write(_ files: [RunnerFile], of id: ContainerID) throws(EngineError) {
    let kept = files.map { KeptFile(path: $0.path, contents: $0.contents, mode: $0.mode) }
    try write(try encode(kept), to: "\(path(id))/files.json")
  }

  /// Empty where there are none.
  func files(of id: ContainerID) throws(EngineError) -> [RunnerFile] {
    guard let data = FileManager.default.contents(atPath: "\(path(id))/files.json") else { return [] }
    do {
      return try JSONDecoder().decode([KeptFile].self, from: data).map { RunnerFile(path: $0.path, contents: $0.contents, mode: $0.mode) }
    } catch {
      throw .unavailable("\(path(id))/files.json cannot be read: \(error)")
    }
  }

  func forgetFiles(of id: ContainerID) throws(EngineError) {
    let file = "\(path(id))/files.json"
    guard unlink(file) == 0 || errno == ENOENT else { throw .unavailable("\(file) cannot be removed: \(systemText(errno))") }
  }

  /// The secrets first.
  func remove(_ id: ContainerID) throws(EngineError) {
    try forgetFiles(of: id)
    do {
      try FileManager.default.removeItem(atPath: path(id))
    } catch CocoaError.fileNoSuchFile {
      return
    } catch {
      throw .unavailable("\(path(id)) cannot be removed: \(error)")
    }
  }

  // MARK: - The log of the use

  func logSize(of id: ContainerID) -> Int64 {
    var facts = stat()
    return stat("\(path(id))/use.log", &facts) == 0 ? Int64(facts.st_size) : 0
  }

  func append(_ bytes: Data, toLogOf id: ContainerID) throws(EngineError) {
    let descriptor = open("\(path(id))/use.log", O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else { throw .unavailable("the log of \(id) cannot be opened: \(systemText(errno))") }
    defer { close(descriptor) }
    try Self.write(bytes, to: descriptor, named: "the log of \(id)")
  }

  func log(of id: ContainerID, from offset: Int64, most: Int) throws(EngineError) -> Data {
    let descriptor = open("\(path(id))/use.log", O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else {
      if errno == ENOENT { return Data() }
      throw .unavailable("the log of \(id) cannot be opened: \(systemText(errno))")
    }
    defer { close(descriptor) }
    var bytes = Data(count: most)
    let count = bytes.withUnsafeMutableBytes { pread(descriptor, $0.baseAddress, $0.count, off_t(offset)) }
    guard count >= 0 else { throw .unavailable("the log of \(id) cannot be read: \(systemText(errno))") }
    return bytes.prefix(count)
  }

  // MARK: - Parts

  private func path(_ id: ContainerID) -> String { "\(root)/\(id)" }

  private func encode(_ value: some Encodable) throws(EngineError) -> Data {
    do {
      return try JSONEncoder().encode(value)
    } catch {
      throw .invalid("a machine's record cannot be written as JSON: \(error)")
    }
  }

  private func make(_ folder: String) throws(EngineError) {
    do {
      try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
    } catch {
      throw .unavailable("\(folder) cannot be made: \(error)")
    }
  }

  /// Whole or not at all, for the owner's eyes, and on disk when it returns.
  private func write(_ data: Data, to path: String) throws(EngineError) {
    let fresh = "\(path).new"
    let descriptor = open(fresh, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else { throw .unavailable("\(fresh) cannot be made: \(systemText(errno))") }
    defer { close(descriptor) }
    try Self.write(data, to: descriptor, named: fresh)
    guard fsync(descriptor) == 0, rename(fresh, path) == 0 else { throw .unavailable("\(path) cannot be written: \(systemText(errno))") }
  }

  private static func write(_ data: Data, to descriptor: Int32, named name: String) throws(EngineError) {
    let problem: Int32? = data.withUnsafeBytes { bytes in
      var done = 0
      while done < bytes.count {
        let count = Glibc.write(descriptor, bytes.baseAddress?.advanced(by: done), bytes.count - done)
        if count < 0 && errno == EINTR { continue }
        if count <= 0 { return errno }
        done += count
      }
      return nil
    }
    if let problem { throw .unavailable("\(name) cannot be written: \(systemText(problem))") }
  }
}

/// What a machine, and a container of a plugin's engine, may be called.
enum MachineName {
  static func isName(_ text: String) -> Bool {
    let isWord = text.utf8.allSatisfy { (97...122).contains($0) || (48...57).contains($0) || $0 == 45 }
    return (2...63).contains(text.utf8.count) && isWord
  }

  /// - Throws: `invalid`.
  static func check(_ id: ContainerID) throws(EngineError) {
    guard isName(id.rawValue) else { throw .invalid("'\(id)' is no container's name: 2 to 63 characters of a-z, 0-9 and -") }
  }

  /// - Throws: `invalid` for a path that is not plainly one below the runner's home.
  static func checkPath(_ path: String) throws(EngineError) {
    let parts = path.split(separator: "/", omittingEmptySubsequences: false)
    guard parts.allSatisfy({ !$0.isEmpty && $0 != "." && $0 != ".." && !$0.utf8.contains(0) && !$0.utf8.contains(10) }) else {
      throw .invalid("'\(path)' is not a relative path below the runner's home")
    }
  }
}

func systemText(_ number: Int32) -> String { "\(String(cString: strerror(number))) (\(number))" }
