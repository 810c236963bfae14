internal import Domain
internal import Foundation
internal import JSON

/// Takes a configuration apart and gathers everything that is wrong with it.
struct GarmSettingsReader {
  private let value: JSONValue
  private let place: String
  private(set) var problems: [String] = []

  init(_ value: JSONValue, place: String = "configuration") {
    self.value = value
    self.place = place
    if case .object = value { return }
    problems.append("\(place): expected keys and values")
  }

  mutating func expectOnly(_ known: [String]) {
    guard case .object(let members) = value else { return }
    for name in members.keys.sorted() where !known.contains(name) {
      let near = Suggestion.nearest(to: name, among: Set(known)).map { "; did you mean \($0)?" } ?? ""
      problems.append("\(place).\(name) is not known\(near)")
    }
  }

  mutating func word(_ key: String) -> String? {
    guard let text = text(key) else { return nil }
    guard !text.isEmpty, !text.contains(where: { $0.isWhitespace || $0 == "'" || $0 == "\"" }) else {
      problems.append("\(place).\(key) is \"\(PrintableText.line(text))\": expected one word without quotation marks")
      return nil
    }
    return text
  }

  mutating func path(_ key: String) -> String? {
    guard let text = text(key) else { return nil }
    guard text.hasPrefix("/"), !text.utf8.contains(0), !text.contains("'"), !text.contains("\n") else {
      problems.append("\(place).\(key) is \"\(PrintableText.line(text))\": expected an absolute path")
      return nil
    }
    return text
  }

  mutating func texts(_ key: String) -> [String]? {
    guard let value = value[key], value != .null else { return nil }
    if case .array(let parts) = value, parts.count <= 100, parts.allSatisfy({ $0.string?.isEmpty == false }) {
      return parts.compactMap(\.string)
    }
    problems.append("\(place).\(key): expected a list of texts, none of them empty")
    return nil
  }

  mutating func boolean(_ key: String) -> Bool? {
    switch value[key] {
    case nil, .null: return nil
    case .bool(let value): return value
    default:
      problems.append("\(place).\(key): expected true or false")
      return nil
    }
  }

  mutating func seconds(_ key: String, _ range: ClosedRange<Double>) -> Duration? {
    let number: Double
    switch value[key] {
    case nil, .null: return nil
    case .integer(let value): number = Double(value)
    case .number(let value): number = value
    default: number = .nan
    }
    guard range.contains(number) else {
      problems.append("\(place).\(key): expected a number of seconds, \(Int(range.lowerBound)) to \(Int(range.upperBound))")
      return nil
    }
    return .seconds(number)
  }

  mutating func choice<Word: RawRepresentable<String> & CaseIterable>(_ key: String, _ type: Word.Type, besides nothing: String) -> Word? {
    guard let text = text(key), text != nothing else { return nil }
    if let word = Word(rawValue: text) { return word }
    let words = [nothing] + Word.allCases.map(\.rawValue)
    problems.append("\(place).\(key) is \"\(PrintableText.line(text))\": expected \(words.joined(separator: ", "))")
    return nil
  }

  mutating func machine() -> GarmSettings.Machine {
    var machine = GarmSettings.Machine(flavor: text("flavor"), image: text("image"), architecture: text("arch"), extraSpecs: nil)
    if let arch = machine.architecture, !["amd64", "arm64", "arm", "i386"].contains(arch) {
      problems.append("\(place).arch is \"\(PrintableText.line(arch))\": expected amd64, arm64, arm or i386")
    }
    switch value["extra-specs"] {
    case nil, .null: break
    case .object(let members): machine.extraSpecs = .object(members)
    default: problems.append("\(place).extra-specs: expected an object")
    }
    return machine
  }

  mutating func pools() -> [String: GarmSettings.Machine] {
    switch value["pools"] {
    case nil, .null: return [:]
    case .object(let members):
      var pools: [String: GarmSettings.Machine] = [:]
      for (name, value) in members {
        var reader = GarmSettingsReader(value, place: "\(place).pools.\(name)")
        reader.expectOnly(GarmSettings.machineKeys)
        pools[name] = reader.machine()
        problems += reader.problems
      }
      return pools
    default:
      problems.append("\(place).pools: expected an object of pools")
      return [:]
    }
  }

  private mutating func text(_ key: String) -> String? {
    guard let value = value[key], value != .null else { return nil }
    guard let text = value.string, text.utf8.count <= 4096 else {
      problems.append("\(place).\(key): expected a text")
      return nil
    }
    return text
  }
}
