import Domain
import Foundation

/// Joins file, environment and flags by the schema: a flag overrides the environment, which overrides the file. Collects every problem.
struct ConfigurationReader {
  /// What was found, right or wrong.
  struct Reading {
    /// By full path, defaults filled in.
    var values: [String: SettledValue] = [:]
    /// Names of the operator's own by section, in the order in which they first appear.
    var names: [String: [String]] = [:]
    /// Where sections with such names begin, by path: `plugins.slack`.
    var sections: [String: SettledValue.Place] = [:]
    /// Where the parts of a tree stand, by its path and then by JSON pointer.
    var trees: [String: [String: SettledValue.Place]] = [:]
    var problems: [String] = []
    /// Paths that were given, but not so that they can be used.
    var rejected: Set<String> = []
    /// The file could not be read, so that nothing can be said about what is missing.
    var isIncomplete = false
  }

  var reading = Reading()
  let readFile: (String) throws -> String

  /// - Parameters:
  ///   - file: path of `runnerhub.yaml`; nil where there is none.
  ///   - environment: all variables.
  ///   - flags: `--orchestrator.max-tries 3`, `--github.report=false`.
  static func read(
    file: String?, environment: [String: String], flags: [String], readFile: @escaping (String) throws -> String = ConfigurationFile.text
  ) -> Reading {
    var reader = ConfigurationReader(readFile: readFile)
    if let file { reader.readYAML(file) }
    reader.readEnvironment(environment)
    reader.readFlags(flags)
    reader.readSecretFiles()
    reader.fillDefaults()
    return reader.reading
  }

  // MARK: - Environment and flags

  private mutating func readEnvironment(_ environment: [String: String]) {
    let names = Dictionary(
      ConfigurationSchema.keys.compactMap { key in key.environment.map { ($0, key) } }, uniquingKeysWith: { first, _ in first })
    for (name, value) in environment.sorted(by: { $0.key < $1.key }) {
      // An empty variable is how shells and compose files say "not set".
      if value.isEmpty, names[name] != nil || name.hasSuffix("_FILE") { continue }
      if let key = names[name] {
        set(key.path, value, .environment(name))
      } else if name.hasSuffix("_FILE"), let key = names[String(name.dropLast(5))] {
        if key.isSecret {
          set(key.path + "-file", value, .environment(name))
        } else {
          complain("unknown environment variable \(name): only secrets are read from files – did you mean \(name.dropLast(5))?")
        }
      } else if name.hasPrefix("ORCHESTRATOR_") {
        let hint = Suggestion.nearest(to: name, among: names.keys).map { " – did you mean \($0)?" } ?? ""
        complain("unknown environment variable \(name)\(hint)")
      }
    }
  }

  private mutating func readFlags(_ flags: [String]) {
    var rest = flags[...]
    while let flag = rest.popFirst() {
      guard flag.hasPrefix("--"), flag.count > 2 else {
        complain("unexpected argument \"\(flag)\": settings are flags such as --orchestrator.max-tries 3")
        continue
      }
      let parts = flag.dropFirst(2).split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
      // What looks like a flag is none's value: `--x=--y` says that it is one.
      let value = parts.count == 2 ? parts[1] : rest.first.flatMap { $0.hasPrefix("--") ? nil : $0 }
      if parts.count == 1, value != nil { rest.removeFirst() }
      guard ConfigurationSchema.key(for: parts[0]) != nil else {
        let words = ConfigurationSchema.keys.map(\.path) + ["config"]
        let path = parts[0].components(separatedBy: ".")
        let near =
          Suggestion.nearest(to: parts[0], among: words)
          ?? ConfigurationSchema.suggestion(for: path).map { (path.dropLast() + [$0]).joined(separator: ".") }
        complain("unknown flag --\(parts[0])\(near.map { " – did you mean --\($0)?" } ?? "")")
        continue
      }
      guard let value else {
        complain("flag --\(parts[0]) has no value")
        reading.rejected.insert(parts[0])
        continue
      }
      set(parts[0], value, .flag("--\(parts[0])"))
    }
  }

  // MARK: - Values

  mutating func complain(_ problem: String) { reading.problems.append(problem) }

  /// Remembers a name of the operator's own.
  mutating func note(_ path: [String]) {
    // `plugins.directory` is a key beside the names.
    guard path.count > 1, ConfigurationSchema.key(for: path.prefix(2).joined(separator: ".")) == nil,
      ConfigurationSchema.takesNames(below: [path[0]]), reading.names[path[0]]?.contains(path[1]) != true
    else {
      return
    }
    reading.names[path[0], default: []].append(path[1])
  }

  mutating func set(_ path: String, _ text: String, _ place: SettledValue.Place) {
    guard let key = ConfigurationSchema.key(for: path) else { return complain("unknown key \(path) (\(place))") }
    note(path.components(separatedBy: "."))
    if case .file(_, let line, let column) = reading.values[path]?.place, case .file = place {
      return complain("\(path) is set twice (\(place)): it is already set in line \(line), column \(column)")
    }
    if !key.accepts(text) { return reject(path, key.isSecret ? "not usable" : "\"\(Disclosure.value(text, of: key))\"", place) }
    // The stronger place wins over a weaker one of the other spelling too; two of the same strength leave open which is meant.
    let twin = path.hasSuffix("-file") ? String(path.dropLast(5)) : path + "-file"
    if let other = reading.values.removeValue(forKey: twin), other.place.rank == place.rank {
      complain("\(twin) (\(other.place)) and \(path) (\(place)) are both set: choose one")
    }
    reading.values[path] = SettledValue(text: text, place: place)
  }

  mutating func reject(_ path: String, _ found: String, _ place: SettledValue.Place) {
    reading.rejected.insert(path.hasSuffix("-file") ? String(path.dropLast(5)) : path)
    complain("\(path) is \(found) (\(place)): expected \(ConfigurationSchema.key(for: path)?.kind.expectation ?? "another value")")
  }

  /// Of a key in a section with names of the operator's own, one for each name.
  private func paths(of key: ConfigurationKey) -> [String] {
    guard key.path.contains("*") else { return [key.path] }
    return (reading.names[String(key.path.prefix { $0 != "." })] ?? []).map { key.path.replacing("*", with: $0) }
  }

  private mutating func readSecretFiles() {
    for key in ConfigurationSchema.keys.filter(\.isSecret).flatMap(paths(of:)) {
      guard let path = reading.values.removeValue(forKey: key + "-file") else { continue }
      reading.rejected.insert(key)
      do {
        let secret = try readFile(path.text).trimmingCharacters(in: .newlines)
        if secret.isEmpty {
          complain("\(key)-file is \"\(path.text)\" (\(path.place)): the file is empty")
        } else {
          reading.values[key] = SettledValue(text: secret, place: .secretFile(path.text))
          reading.rejected.remove(key)
        }
      } catch {
        complain("\(key)-file is \"\(path.text)\" (\(path.place)): \(error)")
      }
    }
  }

  /// Also in sections that the operator named. Where no pool is named there is one, `default`.
  private mutating func fillDefaults() {
    if reading.names["pools", default: []].isEmpty { reading.names["pools"] = ["default"] }
    for word in ["large-runner", "xlarge-runner"] { note(["sizes", word]) }
    for key in ConfigurationSchema.keys {
      guard let standard = key.standard else { continue }
      for path in paths(of: key) where reading.values[path] == nil { reading.values[path] = SettledValue(text: standard, place: .standard) }
    }
  }
}
