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
