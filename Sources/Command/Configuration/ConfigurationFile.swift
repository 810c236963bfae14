import Domain
import Foundation
import Yams

/// The configuration file as text, and what is wrong with it as YAML.
enum ConfigurationFile {
  /// Bytes; far beyond any real one.
  static let limit = 1 << 20

  struct Failure: Error, CustomStringConvertible {
    var description: String
  }

  /// A whole small file: the configuration, or one secret.
  static func text(_ path: String) throws -> String {
    var isFolder: ObjCBool = false
    guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) else { throw Failure(description: "there is no such file") }
    guard !isFolder.boolValue else { throw Failure(description: "it is a folder") }
    guard let handle = FileHandle(forReadingAtPath: path) else {
      throw Failure(description: "it cannot be opened: \(String(cString: strerror(errno)))")
    }
    defer { handle.closeFile() }
    let data = try handle.read(upToCount: limit + 1) ?? Data()
    guard data.count <= limit else { throw Failure(description: "it is larger than 1 MiB") }
    guard let text = String(data: data, encoding: .utf8) else { throw Failure(description: "it is not UTF-8 text") }
    return text
  }

  /// A YAML error in one line. The library's own words show lines of the file, or all of it, and with them secrets.
  static func problem(_ error: YamlError, in name: String) -> String {
    func tell(_ mark: Mark, _ problem: String, _ yaml: String) -> String {
      let line = yaml.split(separator: "\n", omittingEmptySubsequences: false).dropFirst(mark.line - 1).first ?? ""
      let hint = line.prefix { $0 == " " || $0 == "\t" }.contains("\t") ? " (YAML is indented with blanks, never with tabs)" : ""
      return "\(name):\(mark.line):\(mark.column): \(problem)\(hint)"
    }
    switch error {
    case .scanner(_, let problem, let mark, let yaml), .parser(_, let problem, let mark, let yaml),
      .composer(_, let problem, let mark, let yaml):
      return tell(mark, problem, yaml)
    case .reader(let problem, let offset, _, let yaml):
      let before = yaml.prefix(offset ?? 0)
      let line = before.count { $0.isNewline } + 1
      return "\(name):\(line): \(problem)"
    case .duplicatedKeysInMapping(let keys, let context):
      return "\(name):\(context.mark.line):\(context.mark.column): \(keys.map { "\($0) is set twice" }.joined(separator: ", "))"
    case .writer, .emitter, .representer, .memory, .no, .dataCouldNotBeDecoded: return "\(name): cannot be read as YAML"
    }
  }
}

extension ConfigurationReader {
  mutating func readYAML(_ path: String) {
    do {
      guard let node = try Yams.compose(yaml: try readFile(path)) else { return }
      guard case .mapping = node else { return complain("\(path): expected keys and values at the top level") }
      walk(node, path: [], file: path)
    } catch let error as YamlError {
      reading.isIncomplete = true
      complain(ConfigurationFile.problem(error, in: path))
    } catch {
      reading.isIncomplete = true
      complain("\(path) cannot be read: \(error)")
    }
  }

  /// A key may be written in levels (`pools: { linux: … }`) or at once (`pools.linux.maximum: 4`).
  private mutating func walk(_ node: Node, path: [String], file: String) {
    guard case .mapping(let mapping) = node else { return settle(node, path: path, file: file) }
    if ConfigurationSchema.key(for: path.joined(separator: ".")) != nil { return settle(node, path: path, file: file) }
    for (keyNode, value) in mapping {
      guard let word = keyNode.scalar?.string else {
        complain("a key is not a word (\(place(of: keyNode, in: file)))")
        continue
      }
      let full = path + word.components(separatedBy: ".")
      if ConfigurationSchema.isKnown(full) {
        if case .mapping = value {
        } else if ConfigurationSchema.key(for: full.joined(separator: ".")) == nil {
          let what = isNull(value) ? "empty" : "a section"
          complain("\(full.joined(separator: ".")) is \(what) (\(place(of: value, in: file))): expected keys and values below it")
          continue
        }
        note(full)
        if full.count == 2, reading.sections[full.joined(separator: ".")] == nil {
          reading.sections[full.joined(separator: ".")] = place(of: keyNode, in: file)
        }
        walk(value, path: full, file: file)
      } else if full.count == 2, ConfigurationSchema.takesNames(below: [full[0]]) {
        complain(
          "\"\(full[1])\" is no name for one of \(full[0]) (\(place(of: keyNode, in: file))): expected \(ConfigurationSchema.expectedName(in: full[0]))"
        )
      } else {
        let hint = ConfigurationSchema.suggestion(for: full).map { " – did you mean '\($0)'?" } ?? ""
        complain("unknown key \(full.joined(separator: ".")) (\(place(of: keyNode, in: file)))\(hint)")
      }
    }
  }

  private mutating func settle(_ node: Node, path: [String], file: String) {
    let full = path.joined(separator: ".")
    let place = place(of: node, in: file)
    if case .tree = ConfigurationSchema.key(for: full)?.kind {
      guard case .mapping = node else { return reject(full, isNull(node) ? "empty" : "no mapping", place) }
      let tree = ConfigurationTree(node)
      reading.trees[full] = tree.marks.mapValues { .file(file, line: $0.line, column: $0.column) }
      return set(full, tree.text, place)
    }
    switch node {
    case _ where isNull(node): reject(full, "empty", place)
    case .scalar(let scalar): set(full, scalar.string, place)
    case .sequence(let items):
      guard case .list = ConfigurationSchema.key(for: full)?.kind else { return reject(full, "a list", place) }
      let words = items.compactMap { $0.scalar?.string }
      if words.count != items.count { return reject(full, "a list of more than words", place) }
      set(full, words.joined(separator: ", "), place)
    case .mapping: reject(full, "a mapping", place)
    case .alias: reject(full, "an alias", place)
    }
  }

  private func isNull(_ node: Node) -> Bool { ConfigurationTree.isNull(node) }

  private func place(of node: Node, in file: String) -> SettledValue.Place {
    .file(file, line: node.mark?.line ?? 1, column: node.mark?.column ?? 1)
  }
}
