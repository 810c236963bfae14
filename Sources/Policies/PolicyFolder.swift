internal import Foundation

/// What the policies folder holds.
enum FolderReading: Sendable {
  case bundle(PolicyBundle)
  case unreadable(String)

  init(_ path: String) {
    do {
      self = .bundle(try PolicyBundle(folder: path))
    } catch {
      self = .unreadable("\(error)")
    }
  }

  /// By which one content is told from another: a bundle's digest, or why there is none.
  var mark: String {
    switch self {
    case .bundle(let bundle): bundle.digest
    case .unreadable(let problem): problem
    }
  }
}

/// Names, sizes, times and identities of a policies folder's files: what changes when one is written, replaced or removed. Cheaper than reading them.
struct FolderPrint: Hashable, Sendable {
  private let files: [String]

  /// Folders of a bundle, below its own.
  static let parts = ["", "lib", "data"]

  init(_ path: String) {
    files = Self.parts.flatMap { part -> [String] in
      let folder = part.isEmpty ? path : path + "/" + part
      // A folder that cannot be listed looks empty here; reading it then says why.
      let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
      return names.filter { $0.hasSuffix(".lua") || $0.hasSuffix(".yaml") || $0.hasSuffix(".yml") }.sorted().map { name in
        let file = URL(filePath: folder + "/" + name).resolvingSymlinksInPath().path(percentEncoded: false)
        let facts = (try? FileManager.default.attributesOfItem(atPath: file)) ?? [:]
        let time = (facts[.modificationDate] as? Date)?.timeIntervalSince1970 ?? 0
        return "\(file) \(name) \(time) \(facts[.size] ?? 0) \(facts[.systemFileNumber] ?? 0)"
      }
    }
  }
}
