internal import Domain
package import Foundation
internal import JSON
internal import Workflow

/// What keeps a manifest from being used: each problem with its place.
package struct ManifestError: Error, Hashable, Sendable, CustomStringConvertible {
  /// `plugins/pager/plugin.yaml:4:7: …`
  package var problems: [String]
  package var description: String { problems.joined(separator: "\n") }

  package init(problems: [String]) { self.problems = problems }
}

extension PluginManifest {
  package static let file = "plugin.yaml"
  /// Bytes; far beyond any real one.
  private static let limit = 256 << 10

  /// Reads `plugin.yaml` of a folder, whose name is the plugin's.
  package static func read(folder: URL) throws(ManifestError) -> PluginManifest {
    let path = folder.appending(path: file)
    let shown = path.relativePath
    guard let handle = FileHandle(forReadingAtPath: path.path(percentEncoded: false)) else {
      throw ManifestError(problems: ["\(shown) cannot be opened: \(String(cString: strerror(errno)))"])
    }
    defer { handle.closeFile() }
    let data: Data
    do {
      data = try handle.read(upToCount: limit + 1) ?? Data()
    } catch {
      throw ManifestError(problems: ["\(shown) cannot be read: \(error)"])
    }
    guard data.count <= limit else { throw ManifestError(problems: ["\(shown) is larger than \(limit >> 10) KiB"]) }
    guard let text = String(validating: data, as: UTF8.self) else { throw ManifestError(problems: ["\(shown) is not UTF-8 text"]) }
    return try read(text, name: folder.lastPathComponent, path: shown)
  }

  /// - Parameters:
  ///   - name: of the folder.
  ///   - path: what messages call the file.
  package static func read(_ text: String, name: String, path: String) throws(ManifestError) -> PluginManifest {
    let (root, findings) = YAMLText.read(text, path: path)
    guard let root, findings.isEmpty else { throw ManifestError(problems: findings.map { "\($0)" }) }
    var reader = ManifestReader(path: path)
    let manifest = reader.manifest(root, name: name)
    guard let manifest, reader.problems.isEmpty else { throw ManifestError(problems: reader.problems) }
    return manifest
  }

  /// 1 to 32 lower-case letters, digits and `-`.
  package static func isName(_ text: String) -> Bool {
    (1...32).contains(text.count) && text.allSatisfy { $0.isASCII && ($0.isLowercase || $0.isNumber || $0 == "-") } && text.first != "-"
  }
}

/// Reads the members of a manifest, and gathers everything that is wrong with them.
private struct ManifestReader {
  private static let keys = ["name", "version", "kind", "summary", "command", "configuration", "abilities", "concurrency"]

  let path: String
  private(set) var problems: [String] = []

  init(path: String) { self.path = path }

  private mutating func refuse(_ message: String, at place: (line: Int, column: Int)) {
    problems.append("\(path):\(place.line):\(place.column): \(message)")
  }

  private mutating func refuse(_ message: String, at node: YAMLNode) { refuse(message, at: (node.line, node.column)) }

  mutating func manifest(_ root: YAMLNode, name folder: String) -> PluginManifest? {
    guard case .mapping(let entries) = root.content else {
      refuse("expected the members of a manifest: \(Self.keys.joined(separator: ", "))", at: root)
      return nil
    }
    for entry in entries where !Self.keys.contains(entry.key) {
      let hint = Suggestion.nearest(to: entry.key, among: Self.keys).map { "; did you mean '\($0)'?" } ?? ""
      refuse("unknown key '\(PluginText.line(entry.key, limit: 80))'\(hint)", at: (entry.line, entry.column))
    }
    let members = Dictionary(entries.map { ($0.key, $0.value) }, uniquingKeysWith: { first, _ in first })
    let name = text(members["name"], "name", of: root)
    if let name, let node = members["name"] {
      if !PluginManifest.isName(name) {
        refuse("name is '\(name)': expected 1 to 32 lower-case letters, digits and -", at: node)
      } else if name != folder {
        refuse("name is '\(name)', and the folder is called '\(folder)': both must be the same", at: node)
      }
    }
    let version = text(members["version"], "version", of: root)
    let summary = text(members["summary"], "summary", of: root)
    let kind = choice(members["kind"], of: root)
    let command = command(members["command"], of: root)
    let configuration = schema(members["configuration"])
    let abilities = abilities(members["abilities"])
    let concurrency = number(members["concurrency"])
    guard let name, let version, let summary, let kind, let command else { return nil }
    return PluginManifest(
      name: name, version: version, kind: kind, summary: summary, command: command, configuration: configuration, abilities: abilities,
      concurrency: concurrency)
  }

  /// One line that must be there.
  private mutating func text(_ node: YAMLNode?, _ key: String, of root: YAMLNode) -> String? {
    guard let node else {
      refuse("'\(key)' is missing", at: root)
      return nil
    }
    guard case .string(let text) = node.json, !text.isEmpty, text.count <= 200, text == PrintableText.line(text) else {
      let hint = key == "version" ? " in quotes, such as \"1.2.0\"" : ""
      refuse("\(key) must be a text of 1 to 200 characters\(hint)", at: node)
      return nil
    }
    return text
  }

  private mutating func choice(_ node: YAMLNode?, of root: YAMLNode) -> PluginKind? {
    let words = PluginKind.allCases.map(\.rawValue)
    guard let node else {
      refuse("'kind' is missing: expected one of \(words.joined(separator: ", "))", at: root)
      return nil
    }
    guard case .string(let word) = node.json, let kind = PluginKind(rawValue: word) else {
      let hint = node.json.string.flatMap { Suggestion.nearest(to: $0, among: words) }.map { "; did you mean '\($0)'?" } ?? ""
      refuse("kind must be one of \(words.joined(separator: ", "))\(hint)", at: node)
      return nil
    }
    return kind
  }

  private mutating func command(_ node: YAMLNode?, of root: YAMLNode) -> [String]? {
    guard let node else {
      refuse("'command' is missing: expected a list such as [python3, ./plugin.py]", at: root)
      return nil
    }
    guard case .array(let items) = node.json, case let words = items.compactMap(\.string), words.count == items.count,
      (1...64).contains(words.count),
      words.allSatisfy({ $0.utf8.count <= 1000 && !$0.contains("\0") }), words.first?.isEmpty == false
    else {
      refuse("command must be a list of texts such as [python3, ./plugin.py]", at: node)
      return nil
    }
    return words
  }

  private mutating func schema(_ node: YAMLNode?) -> JSONValue? {
    guard let node, case let value = node.json, value != .null else { return nil }
    do throws(JSONSchema.Refusal) {
      _ = try JSONSchema(value)
      return value
    } catch {
      refuse("configuration is no JSON Schema that is understood here: \(error.message)", at: node.place(of: error.pointer))
      return nil
    }
  }

  private mutating func abilities(_ node: YAMLNode?) -> Set<PluginAbility> {
    guard let node, node.json != .null else { return [] }
    guard case .sequence(let items) = node.content, items.count <= 64 else {
      refuse("abilities must be a list such as [network, events:job]", at: node)
      return []
    }
    var abilities: Set<PluginAbility> = []
    for item in items {
      guard let text = item.json.string else {
        refuse("an ability must be a text such as network", at: item)
        continue
      }
      do {
        abilities.insert(try PluginAbility(text: text))
      } catch {
        refuse(error.description, at: item)
      }
    }
    return abilities
  }

  private mutating func number(_ node: YAMLNode?) -> Int {
    guard let node, node.json != .null else { return 8 }
    guard case .integer(let number) = node.json, (1...64).contains(number) else {
      refuse("concurrency must be a whole number from 1 to 64", at: node)
      return 8
    }
    return Int(number)
  }
}
