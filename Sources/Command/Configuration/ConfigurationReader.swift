import Domain
import Foundation
import Yams

/// One value, and where it was written.
struct SettledValue: Hashable, Sendable {
  /// Lists are joined with `, `.
  var text: String
  var place: Place

  enum Place: Hashable, Sendable, CustomStringConvertible {
    case standard
    case file(String, line: Int, column: Int)
    case environment(String)
    case flag(String)
    /// The file that a secret was read from.
    case secretFile(String)

    var description: String {
      switch self {
      case .standard: "default"
      case .file(let name, let line, let column): "\(name):\(line):\(column)"
      case .environment(let name): "environment variable \(name)"
      case .flag(let flag): "flag \(flag)"
      case .secretFile(let path): "file \(path)"
      }
    }
  }
}

/// What is wrong with a configuration: each with its place and, where there is one, the nearest valid thing.
struct ConfigurationError: Error, CustomStringConvertible, Hashable {
  var problems: [String]
  var description: String { problems.map { "configuration: \($0)" }.joined(separator: "\n") }
}

/// Joins file, environment and flags by the schema: a flag overrides the environment, which overrides the file. Collects every problem.
struct ConfigurationReader {
  private let schema = ConfigurationSchema.keys
  private var values: [String: SettledValue] = [:]
  private var problems: [String] = []
  private let readFile: (String) throws -> String

  init(readFile: @escaping (String) throws -> String = { try String(contentsOfFile: $0, encoding: .utf8) }) {
    self.readFile = readFile
  }

  /// - Parameters:
  ///   - file: path of `runnerhub.yaml`; nil where there is none.
  ///   - environment: all variables.
  ///   - flags: `--orchestrator.max-tries 3`, `--github.report=false`.
  /// - Throws: `ConfigurationError` with every problem found.
  /// - Returns: values by full path; defaults are not filled in for sections that the operator names.
  static func read(
    file: String?, environment: [String: String], flags: [String], readFile: @escaping (String) throws -> String = { try String(contentsOfFile: $0, encoding: .utf8) }
  ) throws -> [String: SettledValue] {
    var reader = ConfigurationReader(readFile: readFile)
    if let file { reader.readYAML(file) }
    reader.readEnvironment(environment)
    reader.readFlags(flags)
    reader.readSecretFiles()
    reader.fillDefaults()
    if !reader.problems.isEmpty { throw ConfigurationError(problems: reader.problems) }
    return reader.values
  }

  // MARK: - File

  private mutating func readYAML(_ path: String) {
    let name = URL(filePath: path).lastPathComponent
    do {
      guard let node = try Yams.compose(yaml: try readFile(path)) else { return }
      guard case .mapping = node else { return problems.append("\(name): expected keys and values at the top level") }
      walk(node, path: [], file: name)
    } catch let error as YamlError {
      problems.append("\(name): \(error)")
    } catch {
      problems.append("\(name) cannot be read: \(error.localizedDescription)")
    }
  }

  private mutating func walk(_ node: Node, path: [String], file: String) {
    guard case .mapping(let mapping) = node else { return settle(node, path: path, file: file) }
    if !path.isEmpty, key(for: path.joined(separator: ".")) != nil { return settle(node, path: path, file: file) }
    var seen: Set<String> = []
    for (keyNode, value) in mapping {
      guard let word = keyNode.scalar?.string else {
        problems.append("a key is not a word (\(place(of: keyNode, in: file)))")
        continue
      }
      if !seen.insert(word).inserted { problems.append("\((path + [word]).joined(separator: ".")) is set twice (\(place(of: keyNode, in: file)))") }
      let full = path + [word]
      guard isKnown(full) else {
        let siblings = Set(schema.compactMap { sibling(of: $0.path, below: path) })
        let hint = Suggestion.nearest(to: word, among: siblings).map { " – did you mean '\($0)'?" } ?? ""
        problems.append("unknown key \(full.joined(separator: ".")) (\(place(of: keyNode, in: file)))\(hint)")
        continue
      }
      if case .mapping = value {} else if key(for: full.joined(separator: ".")) == nil {
        problems.append("\(full.joined(separator: ".")) is a section (\(place(of: value, in: file))): expected keys and values below it")
        continue
      }
      walk(value, path: full, file: file)
    }
  }

  private mutating func settle(_ node: Node, path: [String], file: String) {
    let full = path.joined(separator: ".")
    let place = place(of: node, in: file)
    switch node {
    case .scalar(let scalar): set(full, scalar.string, place)
    case .sequence(let items):
      guard let key = key(for: full), case .list = key.kind else { return reject(full, "a list", place) }
      let words = items.compactMap { $0.scalar?.string }
      if words.count != items.count { return reject(full, "a list of lists", place) }
      set(full, words.joined(separator: ", "), place)
    case .mapping: reject(full, "a mapping", place)
    case .alias: reject(full, "an alias", place)
    }
  }

  private func place(of node: Node, in file: String) -> SettledValue.Place {
    .file(file, line: node.mark?.line ?? 1, column: node.mark?.column ?? 1)
  }

  // MARK: - Environment and flags

  private mutating func readEnvironment(_ environment: [String: String]) {
    let names = Dictionary(schema.compactMap { key in key.environment.map { ($0, key) } }, uniquingKeysWith: { first, _ in first })
    for (name, value) in environment.sorted(by: { $0.key < $1.key }) {
      if let key = names[name] {
        // An empty variable is how shells and compose files say "not set".
        if !value.isEmpty { set(key.path, value, .environment(name)) }
      } else if name.hasSuffix("_FILE"), let key = names[String(name.dropLast(5))], key.isSecret {
        if !value.isEmpty { set(key.path + "-file", value, .environment(name)) }
      } else if name.hasPrefix("ORCHESTRATOR_") {
        let hint = Suggestion.nearest(to: name, among: names.keys).map { " – did you mean \($0)?" } ?? ""
        problems.append("unknown environment variable \(name)\(hint)")
      }
    }
  }

  private mutating func readFlags(_ flags: [String]) {
    var rest = flags[...]
    while let flag = rest.popFirst() {
      guard flag.hasPrefix("--") else {
        problems.append("unexpected argument \"\(flag)\": settings are flags such as --orchestrator.max-tries 3")
        continue
      }
      let parts = flag.dropFirst(2).split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
      guard isKnown(parts[0].components(separatedBy: ".")), key(for: parts[0]) != nil else {
        let hint = Suggestion.nearest(to: parts[0], among: schema.map(\.path)).map { " – did you mean --\($0)?" } ?? ""
        problems.append("unknown flag --\(parts[0])\(hint)")
        // Its value must not be taken for a flag of its own.
        if parts.count == 1, let next = rest.first, !next.hasPrefix("--") { rest.removeFirst() }
        continue
      }
      if parts.count == 2 {
        set(parts[0], parts[1], .flag("--\(parts[0])"))
      } else if let value = rest.popFirst() {
        set(parts[0], value, .flag("--\(parts[0])"))
      } else {
        problems.append("flag --\(parts[0]) has no value")
      }
    }
  }

  // MARK: - Values

  private mutating func set(_ path: String, _ text: String, _ place: SettledValue.Place) {
    guard let key = key(for: path) else { return problems.append("unknown key \(path) (\(place))") }
    if !key.accepts(text) { return reject(path, key.isSecret ? "not usable" : "\"\(text)\"", place) }
    values[path] = SettledValue(text: text, place: place)
    // The stronger place wins over a weaker one of the other spelling too.
    if path.hasSuffix("-file") { values[String(path.dropLast(5))] = nil } else { values[path + "-file"] = nil }
  }

  private mutating func reject(_ path: String, _ found: String, _ place: SettledValue.Place) {
    problems.append("\(path) is \(found) (\(place)): expected \(key(for: path)?.kind.expectation ?? "another value")")
  }

  private mutating func readSecretFiles() {
    for key in schema where key.isSecret {
      guard let path = values.removeValue(forKey: key.path + "-file") else { continue }
      do {
        let secret = try readFile(path.text).trimmingCharacters(in: .newlines)
        if secret.isEmpty {
          problems.append("\(key.path)-file: \(path.text) is empty (\(path.place))")
        } else {
          values[key.path] = SettledValue(text: secret, place: .secretFile(path.text))
        }
      } catch {
        problems.append("\(key.path)-file: \(path.text) cannot be read (\(path.place)): \(error.localizedDescription)")
      }
    }
  }

  private mutating func fillDefaults() {
    for key in schema where !key.path.contains("*") && values[key.path] == nil {
      if let standard = key.standard { values[key.path] = SettledValue(text: standard, place: .standard) }
    }
  }

  // MARK: - Schema

  /// The schema's key for a full path; a name of the operator's own matches `*`.
  private func key(for path: String) -> ConfigurationKey? {
    let parts = path.components(separatedBy: ".")
    for key in schema {
      if Self.matches(key.path.components(separatedBy: "."), parts) { return key }
      if key.isSecret, Self.matches((key.path + "-file").components(separatedBy: "."), parts) {
        return ConfigurationKey(path: key.path + "-file", kind: .nonEmpty, summary: "File that holds \(key.path).")
      }
    }
    return nil
  }

  /// Whether a path is a key or the beginning of one.
  private func isKnown(_ path: [String]) -> Bool {
    if key(for: path.joined(separator: ".")) != nil { return true }
    return schema.contains { key in
      let parts = key.path.components(separatedBy: ".")
      return parts.count > path.count && Self.matches(Array(parts.prefix(path.count)), path)
    }
  }

  private func sibling(of path: String, below parents: [String]) -> String? {
    let parts = path.components(separatedBy: ".")
    guard parts.count > parents.count, Self.matches(Array(parts.prefix(parents.count)), parents), parts[parents.count] != "*" else { return nil }
    return parts[parents.count]
  }

  private static func matches(_ pattern: [String], _ path: [String]) -> Bool {
    pattern.count == path.count && zip(pattern, path).allSatisfy { $0 == $1 || ($0 == "*" && isName($1)) }
  }

  /// A name of the operator's own: it becomes part of container names.
  private static func isName(_ word: String) -> Bool {
    (1...32).contains(word.count) && word.allSatisfy { $0.isASCII && ($0.isLowercase || $0.isNumber || $0 == "-") }
  }
}
