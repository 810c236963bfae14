import ArgumentParser
import Foundation
import Workflow

/// Workflow and action files on disk.
struct WorkflowSources {
  struct File {
    let path: String
    let text: String

    /// Whether it is the metadata of an action.
    var isAction: Bool { ["action.yml", "action.yaml"].contains(URL(filePath: path).lastPathComponent) }
  }

  /// The files that paths stand for, in order: a file is itself, a folder its `.github/workflows` where it has one, else every YAML file below it.
  static func files(at paths: [String]) throws -> [File] {
    var seen: Set<String> = []
    var files: [File] = []
    for path in try paths.flatMap(Self.expand) where seen.insert(path).inserted { files.append(try read(path)) }
    if files.isEmpty {
      throw ValidationError("no workflow files in \(paths.joined(separator: ", ")): name a .yml file or a folder that has some")
    }
    return files
  }

  static func read(_ path: String) throws -> File {
    do {
      return File(path: path, text: String(decoding: try Data(contentsOf: URL(filePath: path)), as: UTF8.self))
    } catch {
      throw ValidationError("\(path) cannot be read: \(error.localizedDescription)")
    }
  }

  /// The workflows of the same repository that a file calls by `./…`, and those that they call, by reference.
  static func calledWorkflows(from file: File) -> [String: String] {
    guard let root = repositoryRoot(of: file.path) else { return [:] }
    var texts: [String: String] = [:]
    var open = [file.text]
    while let text = open.popLast() {
      let calls = WorkflowFile.parse(text, path: file.path).draft?.calls() ?? []
      for reference in calls where reference.repository == nil && texts[reference.description] == nil {
        // A file that is not there is GitHub's to complain about: it may come with the next commit.
        guard let called = try? read(root.appending(path: reference.path).path) else { continue }
        texts[reference.description] = called.text
        open.append(called.text)
      }
    }
    return texts
  }

  /// What the repository of a file says of its jobs, as it lies there; nil where it says nothing.
  /// - Throws: what is wrong with it, as `workflow check` shows it.
  static func hints(beside file: File) throws -> RepositoryHints? {
    guard let path = repositoryRoot(of: file.path)?.appending(path: RepositoryHints.path).path,
      FileManager.default.fileExists(atPath: path)
    else { return nil }
    let source = try read(path)
    let (hints, findings) = RepositoryHints.parse(source.text, path: path)
    let excerpt = SourceExcerpt(source.text)
    if !findings.isEmpty { throw ValidationError(findings.map(excerpt.text).joined(separator: "\n")) }
    return hints
  }

  /// The folder that has the file's `.github`.
  private static func repositoryRoot(of path: String) -> URL? {
    let parts = URL(filePath: path).standardizedFileURL.pathComponents
    guard let index = parts.lastIndex(of: ".github") else { return nil }
    return URL(filePath: NSString.path(withComponents: Array(parts[..<index])), directoryHint: .isDirectory)
  }

  private static func expand(_ path: String) throws -> [String] {
    var isFolder: ObjCBool = false
    guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) else { throw ValidationError("\(path) does not exist") }
    guard isFolder.boolValue else { return [path] }
    // Reports name files as their repository does.
    let path = path == "." ? "" : path.hasPrefix("./") ? String(path.dropFirst(2)) : path
    let own = (path as NSString).appendingPathComponent(".github/workflows")
    let folder = FileManager.default.fileExists(atPath: own) ? own : path
    let names = FileManager.default.enumerator(atPath: folder.isEmpty ? "." : folder)?.compactMap { $0 as? String } ?? []
    return names.filter { $0.hasSuffix(".yml") || $0.hasSuffix(".yaml") }.sorted().map { (folder as NSString).appendingPathComponent($0) }
  }
}
