internal import Foundation

/// A tar archive in the making (POSIX.1-1988 ustar), as Docker takes files: each with its owner and mode.
struct TarArchive {
  private var blocks = Data()
  private var folders: Set<String> = []
  private let modified: Date

  /// - Parameter modified: the time that every entry bears.
  init(modified: Date) { self.modified = modified }

  enum Kind: UInt8 {
    case file = 0x30
    case folder = 0x35
  }

  /// A name or size that the format cannot hold.
  struct Unrepresentable: Error, CustomStringConvertible {
    var description: String
  }

  /// Adds a file, after the folders above it that this archive has not named yet.
  /// - Parameters:
  ///   - path: relative, of at most 100 bytes.
  ///   - mode: permission bits.
  ///   - owner: user and group id.
  mutating func add(file path: String, _ contents: Data, mode: UInt16, owner: Int) throws(Unrepresentable) {
    try addFolders(above: path, owner: owner)
    try header(path, .file, size: contents.count, mode: mode, owner: owner)
    blocks.append(contents)
    blocks.append(Data(count: (512 - contents.count % 512) % 512))
  }

  mutating func add(folder path: String, mode: UInt16, owner: Int) throws(Unrepresentable) {
    guard folders.insert(path).inserted else { return }
    try header(path + "/", .folder, size: 0, mode: mode, owner: owner)
  }

  /// The whole archive.
  var data: Data { blocks + Data(count: 1024) }

  private mutating func addFolders(above path: String, owner: Int) throws(Unrepresentable) {
    let parts = path.split(separator: "/").dropLast()
    for count in parts.indices { try add(folder: parts[...count].joined(separator: "/"), mode: 0o755, owner: owner) }
  }

  private mutating func header(
    _ name: String, _ kind: Kind, size: Int, mode: UInt16, owner: Int, target: String = ""
  ) throws(Unrepresentable) {
    guard name.utf8.count <= 100, target.utf8.count <= 100 else { throw Unrepresentable(description: "'\(name)' is longer than 100 bytes") }
    guard size < 1 << 33, (0..<1 << 21).contains(owner) else {
      throw Unrepresentable(description: "'\(name)': \(size) bytes of user \(owner)")
    }
    var block: [UInt8] = []
    func text(_ value: String, _ width: Int) -> [UInt8] { Array(value.utf8) + Array(repeating: 0, count: width - value.utf8.count) }
    func octal(_ value: Int, _ width: Int) -> [UInt8] {
      let digits = String(value, radix: 8)
      return text(String(repeating: "0", count: max(0, width - 1 - digits.count)) + digits, width)
    }
    block += text(name, 100) + octal(Int(mode), 8) + octal(owner, 8) + octal(owner, 8) + octal(size, 12)
    block += octal(max(0, Int(modified.timeIntervalSince1970)), 12)
    let checksumAt = block.count
    block += Array(repeating: 0x20, count: 8) + [kind.rawValue] + text(target, 100) + text("ustar", 6) + Array("00".utf8)
    block += Array(repeating: 0, count: 512 - block.count)
    let sum = block.reduce(0) { $0 + Int($1) }
    block.replaceSubrange(checksumAt..<checksumAt + 8, with: octal(sum, 7) + [0x20])
    blocks.append(contentsOf: block)
  }
}
