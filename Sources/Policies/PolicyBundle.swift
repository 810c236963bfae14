internal import Crypto
internal import Foundation

/// The policy files that RunnerHub asks, and what each must offer.
package enum PolicyFile: String, Sendable, CaseIterable {
  case routing, priority, affinity, scaling

  package var fileName: String { rawValue + ".lua" }
  package var testName: String { rawValue + "_test.lua" }
  /// Functions that the file must have.
  package var functions: [String] {
    switch self {
    case .routing: ["route"]
    case .priority: ["prioritise"]
    case .affinity: ["score"]
    case .scaling: ["scale"]
    }
  }
}

/// Why a folder or a set of files is not a bundle.
package struct BundleError: Error, Hashable, Sendable, CustomStringConvertible {
  package var description: String
  package init(_ description: String) { self.description = description }
}

/// One consistent revision of the policies folder: a value, read as a whole.
package struct PolicyBundle: Hashable, Sendable {
  /// Most bytes of one file, of all files, and most files.
  package static let limits = (file: 128 << 10, total: 1 << 20, count: 128)

  /// Contents by path below the folder: `routing.lua`, `routing_test.lua`, `lib/words.lua`, `data/teams.yaml`.
  package let files: [String: [UInt8]]
  /// First 12 hexadecimal digits of the SHA-256 over the sorted names and contents.
  package let digest: String
  /// What `data/*.yaml` hold, and what is wrong with them.
  package let data: PolicyData

  /// - Throws: where a name is not one of a bundle, or a limit is passed.
  package init(files: [String: [UInt8]]) throws(BundleError) {
    guard files.count <= Self.limits.count else { throw BundleError("\(files.count) files; a bundle has \(Self.limits.count) at most") }
    var total = 0
    for (path, text) in files.sorted(by: { $0.key < $1.key }) {
      try Self.check(path)
      guard text.count <= Self.limits.file else {
        throw BundleError("\(path) has \(text.count) bytes; \(Self.limits.file) are taken at most")
      }
      total += text.count
    }
    guard total <= Self.limits.total else { throw BundleError("the files have \(total) bytes; \(Self.limits.total) are taken at most") }
    self.files = files
    data = PolicyData(files: files)
    digest = Self.digest(of: files)
  }

  /// Where a bundle's files lie below its folder, and how their names end; nothing else is read or need be watched.
  package static let watchedFolders: [(path: String, suffixes: [String])] = [
    ("", [".lua"]), ("lib/", [".lua"]), (PolicyData.folder, [".yaml", ".yml"]),
  ]

  /// Reads a folder: its `*.lua`, those of `lib/`, and `data/*.yaml`. Other files and folders (`types/`, `examples/`, `README.md`) are no
  /// part of the bundle.
  /// A symbolic link that leads out of the folder is refused; one within it, as Kubernetes makes them, is followed.
  package init(folder: String) throws(BundleError) {
    var files: [String: [UInt8]] = [:]
    for path in try Self.paths(in: folder) { files[path] = try Self.read(path, in: folder) }
    if !files.keys.contains(where: { $0.hasSuffix(".lua") }) { throw BundleError("no policy files in \(folder)") }
    try self.init(files: files)
  }

  package func has(_ file: PolicyFile) -> Bool { files[file.fileName] != nil }

  /// Module name, path and text of all that can be required from a policy file.
  var libraries: [(module: String, path: String, text: [UInt8])] {
    files.filter { $0.key.hasPrefix("lib/") && !$0.key.hasSuffix("_test.lua") }.sorted { $0.key < $1.key }
      .map { (Self.module(of: $0.key), $0.key, $0.value) }
  }

  /// `lib.words` of `lib/words.lua`.
  static func module(of path: String) -> String {
    String(path.dropLast(".lua".count).replacing("/", with: "."))
  }

  /// A fresh state that knows one policy file and the libraries. Nothing is loaded yet.
  func makeRuntime(for file: PolicyFile, limits: LuaLimits) throws(LuaFailure) -> LuaRuntime {
    if let problem = data.problems.first { throw LuaFailure(kind: .host, message: problem.description) }
    let runtime = try LuaRuntime(limits: limits, kinds: PolicyInput.fieldTypes)
    try runtime.setData(data.tables)
    for library in libraries { try runtime.addSource(module: library.module, file: library.path, text: library.text) }
    if let text = files[file.fileName] { try runtime.addSource(module: file.rawValue, file: file.fileName, text: text) }
    return runtime
  }

  // MARK: Names and digest

  private static func check(_ path: String) throws(BundleError) {
    if path.hasPrefix(PolicyData.folder) { return try checkData(path) }
    let isInLibrary = path.hasPrefix("lib/")
    let name = isInLibrary ? String(path.dropFirst("lib/".count)) : path
    let stem = name.hasSuffix(".lua") ? name.dropLast(".lua".count) : ""
    guard isPlain(stem) else {
      throw BundleError("\(path) is no name of a policy file: use lower-case letters, digits and '_', and '.lua'")
    }
    if isInLibrary { return }
    let known = PolicyFile.allCases.flatMap { [$0.fileName, $0.testName] }
    if known.contains(path) { return }
    throw BundleError(
      "\(path) is not asked by anything: policy files are \(PolicyFile.allCases.map(\.fileName).joined(separator: ", ")) "
        + "and their _test.lua; what they share goes into lib/")
  }

  private static func isPlain(_ stem: some StringProtocol) -> Bool {
    !stem.isEmpty && stem.utf8.allSatisfy { 97...122 ~= $0 || 48...57 ~= $0 || $0 == 95 }
  }

  /// The name is that of a field in Lua: `data.teams`.
  private static func checkData(_ path: String) throws(BundleError) {
    let name = path.dropFirst(PolicyData.folder.count)
    let suffix = PolicyData.isSchema(path) ? ".schema.yaml" : ".yaml"
    guard name.hasSuffix(suffix), isPlain(name.dropLast(suffix.count)), name.first.map({ !$0.isNumber }) == true else {
      throw BundleError("\(path) is no name of a data file: use lower-case letters, digits and '_', and '.yaml' or '.schema.yaml'")
    }
  }

  /// Lengths stand before names and contents, so that no two bundles look alike.
  private static func digest(of files: [String: [UInt8]]) -> String {
    var hash = SHA256()
    for (path, text) in files.sorted(by: { $0.key < $1.key }) {
      hash.update(data: Array("\(path.utf8.count):\(path):\(text.count):".utf8))
      hash.update(data: text)
    }
    return hash.finalize().prefix(6).map { byte in (byte < 16 ? "0" : "") + String(byte, radix: 16) }.joined()
  }

  // MARK: Reading

  /// Paths below a folder of all files that belong to its bundle, sorted. A folder without `lib/` or `data/` is fine.
  package static func paths(in folder: String) throws(BundleError) -> [String] {
    var paths: [String] = []
    for watched in watchedFolders { paths += try files(in: folder, below: watched.path, suffixes: watched.suffixes) }
    return paths
  }

  private static func files(in folder: String, below part: String, suffixes: [String]) throws(BundleError) -> [String] {
    let place = folder + "/" + part
    var isDirectory = ObjCBool(false)
    guard FileManager.default.fileExists(atPath: place, isDirectory: &isDirectory), isDirectory.boolValue else {
      if part.isEmpty { throw BundleError("no policies folder at \(folder)") }
      return []
    }
    let names: [String]
    do {
      names = try FileManager.default.contentsOfDirectory(atPath: place)
    } catch {
      throw BundleError("\(place) cannot be listed: \(error)")
    }
    let visible = names.filter { !$0.hasPrefix(".") }
    if !part.isEmpty, let folder = visible.sorted().first(where: { isFolder(place + $0) }) {
      throw BundleError(
        "\(part)\(folder) is a folder: files of \(part) lie directly in it, so that their names are those of modules or tables")
    }
    return visible.filter { name in suffixes.contains { name.hasSuffix($0) } }.sorted().map { part + $0 }
  }

  private static func isFolder(_ path: String) -> Bool {
    var isDirectory = ObjCBool(false)
    return FileManager.default.fileExists(atPath: path, isDirectory: &isDirectory) && isDirectory.boolValue
  }

  private static func read(_ path: String, in folder: String) throws(BundleError) -> [UInt8] {
    let root = URL(filePath: folder).resolvingSymlinksInPath().path(percentEncoded: false)
    let real = URL(filePath: folder + "/" + path).resolvingSymlinksInPath().path(percentEncoded: false)
    guard real.hasPrefix(root.hasSuffix("/") ? root : root + "/") else {
      throw BundleError("\(path) is a link that leads out of the policies folder: put the file itself there")
    }
    do {
      let attributes = try FileManager.default.attributesOfItem(atPath: real)
      // Opening a pipe or a device could wait for ever.
      guard attributes[.type] as? FileAttributeType == .typeRegular else { throw BundleError("\(path) is not a regular file") }
      let size = (attributes[.size] as? NSNumber)?.intValue ?? 0
      guard size <= limits.file else { throw BundleError("\(path) has \(size) bytes; \(limits.file) are taken at most") }
      return Array(try Data(contentsOf: URL(filePath: real)))
    } catch let error as BundleError {
      throw error
    } catch {
      throw BundleError("\(path) cannot be read: \(error)")
    }
  }
}
