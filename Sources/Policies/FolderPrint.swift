internal import Foundation

/// Names, sizes, times and identities of a bundle's files: what changes when one is written, replaced or removed. Cheaper than reading them.
package struct FolderPrint: Hashable, Sendable {
  private let files: [String]

  package init(_ path: String) {
    // A folder that cannot be listed looks empty here; reading it then says why.
    let names = (try? PolicyBundle.paths(in: path)) ?? []
    files = names.map { name in
      let file = URL(filePath: path + "/" + name).resolvingSymlinksInPath().path(percentEncoded: false)
      // One that went away meanwhile is seen at the next look.
      let facts = (try? FileManager.default.attributesOfItem(atPath: file)) ?? [:]
      let time = (facts[.modificationDate] as? Date)?.timeIntervalSince1970 ?? 0
      return "\(file) \(name) \(time) \(facts[.size] ?? 0) \(facts[.systemFileNumber] ?? 0)"
    }
  }
}
