internal import Foundation

/// Names, sizes, times and identities of a plugin's files: what changes when one is written, replaced or removed.
struct PluginFiles: Hashable, Sendable {
  /// Files that are looked at; the others are not seen to change.
  private static let limit = 2000
  private let files: [String]

  init(folder: URL) {
    let keys: [URLResourceKey] = [.contentModificationDateKey, .fileSizeKey, .isDirectoryKey]
    // A folder that cannot be listed looks empty here; the check then says why.
    let walk = FileManager.default.enumerator(
      at: folder.resolvingSymlinksInPath(), includingPropertiesForKeys: keys, options: [.skipsHiddenFiles])
    var files: [String] = []
    while files.count < Self.limit, let file = walk?.nextObject() as? URL {
      // Interpreters leave what they compiled beside what they run.
      if file.lastPathComponent == "__pycache__" {
        walk?.skipDescendants()
        continue
      }
      let facts = (try? FileManager.default.attributesOfItem(atPath: file.path(percentEncoded: false))) ?? [:]
      if facts[.type] as? FileAttributeType == .typeDirectory { continue }
      let time = (facts[.modificationDate] as? Date)?.timeIntervalSince1970 ?? 0
      files.append("\(file.path) \(time) \(facts[.size] ?? 0) \(facts[.systemFileNumber] ?? 0) \(facts[.posixPermissions] ?? 0)")
    }
    self.files = files.sorted()
  }
}
