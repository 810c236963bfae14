import Foundation

/// The conformance cases that tests are judged by.
enum Corpora {
  static func folder(_ name: String) -> URL {
    if let root = ProcessInfo.processInfo.environment["RUNNERHUB_CORPORA"] {
      return URL(fileURLWithPath: root, isDirectory: true).appendingPathComponent(name)
    }
    let package = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    return package.deletingLastPathComponent().appendingPathComponent("shared/corpora").appendingPathComponent(name)
  }

  static func text(_ url: URL) throws -> String { String(decoding: try Data(contentsOf: url), as: UTF8.self) }

  /// Every file below a corpus with this extension, in order of path.
  static func files(in name: String, withExtension ending: String) throws -> [URL] {
    let root = folder(name)
    guard let paths = FileManager.default.enumerator(atPath: root.path) else { throw CocoaError(.fileNoSuchFile) }
    return paths.compactMap { $0 as? String }.filter { $0.hasSuffix(".\(ending)") }.sorted().map { root.appendingPathComponent($0) }
  }
}
