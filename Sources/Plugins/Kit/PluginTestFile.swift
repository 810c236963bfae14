internal import Domain
internal import Foundation
internal import JSON
internal import Workflow

/// `test_NAME.yaml` beside a plugin: what its author says of it and tests (`docs/plugin-protocol/test.yaml.json`).
struct PluginTestFile {
  /// One message of the author's, and what must come of it.
  struct Step {
    var name: String
    var method: String
    var isNotification: Bool
    var parameters: JSONValue
    var result: JSONValue?
    var error: Int?
    var limit: Duration
    var log: String?
  }

  /// Valid; nil: the plugin takes none.
  var configuration: JSONValue?
  var invalid: [JSONValue] = []
  /// A program beside the plugin, such as the service that it talks to.
  var helper: [String]?
  /// Of kind secrets: one that is there.
  var secret: JSONValue?
  /// Of kind engine: what a container is made of.
  var image: String?
  var steps: [Step] = []

  static func name(of plugin: String) -> String { "test_\(plugin).yaml" }

  /// - Returns: without a file: one that says nothing.
  static func read(of plugin: String, in folder: URL) throws(KitFailure) -> PluginTestFile {
    let file = folder.appending(path: name(of: plugin))
    guard FileManager.default.fileExists(atPath: file.path(percentEncoded: false)) else { return PluginTestFile() }
    let text: String
    do {
      text = try String(contentsOf: file, encoding: .utf8)
    } catch {
      throw KitFailure("\(file.relativePath) cannot be read: \(error.localizedDescription)")
    }
    let (root, findings) = YAMLText.read(text, path: file.lastPathComponent)
    guard let root, findings.isEmpty else { throw KitFailure(findings.map { "\($0)" }.joined(separator: "\n")) }
    let value = root.json == .null ? .object([:]) : root.json
    let problems = MessageSchemas.problems(in: value, as: "test.yaml").map { problem in
      let place = root.place(of: problem.pointer)
      return "\(file.lastPathComponent):\(place.line):\(place.column): \(problem)"
    }
    guard problems.isEmpty else { throw KitFailure(problems.joined(separator: "\n")) }
    return PluginTestFile(value)
  }

  private init() {}

  /// - Parameter value: valid under the schema.
  private init(_ value: JSONValue) {
    configuration = value["configuration"]
    invalid = value["invalid"]?.items ?? []
    helper = value["helper"]?["command"]?.items.compactMap(\.string)
    secret = value["secret"]
    image = value["image"]?.string
    steps = (value["tests"]?.items ?? []).map { step in
      Step(
        name: step["name"]?.string ?? "", method: step["call"]?.string ?? step["notify"]?.string ?? "",
        isNotification: step["notify"] != nil,
        parameters: step["with"] ?? .object([:]), result: step["result"], error: step["error"]?.double.map { Int($0) },
        limit: .seconds(step["within"]?.double ?? 10), log: step["log"]?.string)
    }
  }
}

extension JSONValue {
  /// Of a list; nothing of anything else.
  var items: [JSONValue] {
    if case .array(let items) = self { items } else { [] }
  }

  var double: Double? {
    switch self {
    case .integer(let number): Double(number)
    case .number(let number): number
    default: nil
    }
  }

  /// Texts with `${NAME}` in them, the values put in their place. A text that is nothing but the place of a number becomes the number.
  func filled(_ values: [String: String]) -> JSONValue {
    switch self {
    case .string(let text):
      if text == "${port}", let port = values["port"].flatMap(Int64.init) { return .integer(port) }
      return .string(values.reduce(text) { $0.replacing("${\($1.key)}", with: $1.value) })
    case .array(let items): return .array(items.map { $0.filled(values) })
    case .object(let members): return .object(members.mapValues { $0.filled(values) })
    default: return self
    }
  }

  /// Where this is not contained in another value: members may be more, the text `…` stands for anything. Nil: it is.
  func absence(in other: JSONValue, at pointer: JSONPointer = JSONPointer()) -> String? {
    if self == .string("…") { return nil }
    switch (self, other) {
    case (.object(let wanted), .object(let found)):
      for (name, value) in wanted.sorted(by: { $0.key < $1.key }) {
        guard let member = found[name] else { return "\(pointer.appending(name)) is missing" }
        if let absence = value.absence(in: member, at: pointer.appending(name)) { return absence }
      }
      return nil
    case (.array(let wanted), .array(let found)):
      guard wanted.count == found.count else { return "\(pointer) has \(found.count) items, expected \(wanted.count)" }
      for (index, pair) in zip(wanted, found).enumerated() {
        if let absence = pair.0.absence(in: pair.1, at: pointer.appending("\(index)")) { return absence }
      }
      return nil
    default:
      if self == other || (double != nil && double == other.double) { return nil }
      let place = pointer.steps.isEmpty ? "it" : "\(pointer)"
      return "\(place) is \(PluginDialogue.shown(other)), expected \(PluginDialogue.shown(self))"
    }
  }
}
