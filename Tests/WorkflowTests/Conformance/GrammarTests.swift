import Foundation
import Testing

@testable import Workflow

@Suite("GitHub's own grammar")
struct GrammarTests {
  /// Where the service does not follow its published grammar.
  private static let meant = [
    // The grammar names another event here; `on: repository_dispatch` runs.
    "root.on: scalars: only ours 'repository_dispatch', only GitHub's none",
    "root.on[]: scalars: only ours 'repository_dispatch', only GitHub's none",
    // An input without a definition is a text (`on-workflow_dispatch-inputs-null.yml` of the reader cases).
    "root.on.workflow_dispatch.inputs.*: scalars: only ours null, only GitHub's none",
  ]

  @Test(
    "ours says the same as GitHub's at every place",
    arguments: [
      ("workflow-v1.0.json", "workflow-root-strict", WorkflowGrammar.root),
      ("workflow-v1.0.json", "workflow-root", WorkflowGrammar.planning),
      ("action-v1.0.json", "action-root-strict", ActionGrammar.root),
    ])
  func agrees(file: String, definition: String, ours: Grammar) throws {
    let url = Corpora.folder("").deletingLastPathComponent().appendingPathComponent("api/github/\(file)")
    try #require(FileManager.default.fileExists(atPath: url.path), "no grammar at \(url.path)")
    let definitions = try #require(try ExpressionJSON.parse(try Corpora.text(url)).object?["definitions"]?.object)
    var comparison = GrammarComparison(definitions: definitions)
    comparison.compare(ours, definition, at: "root")
    for difference in comparison.differences {
      #expect(Self.meant.contains { difference.hasPrefix($0) }, "\(difference)")
    }
    print("\(file): \(comparison.places) places compared, \(comparison.differences.count) differ")
    #expect(comparison.places > 20)
  }
}

/// Walks both grammars from the root.
private struct GrammarComparison {
  let definitions: ExpressionObject
  private(set) var differences: [String] = []
  private(set) var places = 0
  private var visited: Set<String> = []

  init(definitions: ExpressionObject) { self.definitions = definitions }

  mutating func compare(_ ours: Grammar, _ name: String, at path: String) {
    guard visited.insert("\(name) \(ObjectIdentifier(ours))").inserted else { return }
    places += 1
    let theirs = flattened(name)
    expectSame(Set(ours.scope.words), theirs.scope, "contexts", path)
    expectSame(Set(ours.scalars.flatMap(\.words)), theirs.scalars, "scalars", path)
    expect(ours.item != nil, theirs.item != nil, "whether a sequence may stand", path)
    if let item = ours.item, let theirItem = theirs.item { compare(item.resolve(), theirItem, at: "\(path)[]") }
    expect(ours.mappings.count, theirs.mappings.count, "how many mappings", path)
    for (mapping, theirMapping) in zip(ours.mappings, theirs.mappings) { compare(mapping, theirMapping, at: path) }
  }

  private mutating func compare(_ ours: MappingGrammar, _ theirs: ExpressionObject, at path: String) {
    let properties = theirs["properties"]?.object ?? [:]
    expectSame(Set(ours.properties.keys), Set(properties.entries.map(\.key)), "keys", path)
    let required = properties.entries.filter { $0.value.object?["required"] == true }.map(\.key)
    expectSame(Set(ours.required), Set(required), "required keys", path)
    for entry in properties.entries {
      guard let property = ours.properties[entry.key] else { continue }
      compare(property, entry.value.object?["type"]?.text ?? entry.value.text, at: "\(path).\(entry.key)")
    }
    expect(ours.loose != nil, theirs["loose-key-type"] != nil, "whether other keys may stand", path)
    guard let loose = ours.loose, let key = theirs["loose-key-type"]?.text, let value = theirs["loose-value-type"]?.text else { return }
    expectSame(Set(loose.key.words), flattened(key).scalars, "other keys", path)
    compare(loose.value.resolve(), value, at: "\(path).*")
  }

  private static func shown(_ words: Set<String>) -> String { words.isEmpty ? "none" : words.sorted().joined(separator: ", ") }

  private mutating func expectSame(_ ours: Set<String>, _ theirs: Set<String>, _ what: String, _ path: String) {
    if ours == theirs { return }
    differences.append(
      "\(path): \(what): only ours \(Self.shown(ours.subtracting(theirs))), only GitHub's \(Self.shown(theirs.subtracting(ours)))")
  }

  private mutating func expect<Value: Equatable>(_ ours: Value, _ theirs: Value, _ what: String, _ path: String) {
    if ours != theirs { differences.append("\(path): \(what): ours \(ours), GitHub's \(theirs)") }
  }

  private struct Flat {
    var scope: Set<String> = []
    var scalars: Set<String> = []
    var item: String?
    var mappings: [ExpressionObject] = []
  }

  private func flattened(_ name: String) -> Flat {
    var flat = Flat()
    switch name {
    case "any":
      return Flat(
        scalars: ["null", "boolean", "number", "string"], item: "any",
        mappings: [["loose-key-type": "string", "loose-value-type": "any"]])
    case "sequence": return Flat(item: "any")
    case "mapping": return Flat(mappings: [["loose-key-type": "string", "loose-value-type": "any"]])
    case "null", "boolean", "number", "string": return Flat(scalars: [name])
    default: break
    }
    guard let definition = definitions[name]?.object else { return flat }
    for entry in definition.entries {
      switch entry.key {
      case "context": flat.scope = Set((entry.value.items ?? []).map(\.text))
      case "null", "boolean", "number": flat.scalars.insert(entry.key)
      case "string":
        let rule = entry.value.object ?? [:]
        flat.scalars.insert(rule["constant"].map { "'\($0.text)'" } ?? (rule["require-non-empty"] == true ? "non-empty" : "string"))
      case "allowed-values": flat.scalars.formUnion((entry.value.items ?? []).map { "'\($0.text)'" })
      case "sequence": flat.item = entry.value.object?["item-type"]?.text
      case "mapping": flat.mappings.append(entry.value.object ?? [:])
      case "one-of":
        for choice in (entry.value.items ?? []).map({ flattened($0.text) }) {
          flat.scope.formUnion(choice.scope)
          flat.scalars.formUnion(choice.scalars)
          flat.item = flat.item ?? choice.item
          flat.mappings += choice.mappings
        }
      default: break
      }
    }
    return flat
  }
}

extension Grammar.Scalar {
  fileprivate var words: [String] {
    switch self {
    case .null: ["null"]
    case .boolean: ["boolean"]
    case .number: ["number"]
    case .string: ["string"]
    case .nonEmptyString: ["non-empty"]
    case .constants(let values): values.map { "'\($0)'" }
    }
  }
}

extension ExpressionScope {
  /// As GitHub's grammar writes them.
  fileprivate var words: [String] {
    var words = Self.contexts.filter { contains($0.scope) }.map(\.name)
    if contains(.hashFiles) { words.append("hashFiles(1,255)") }
    if contains(.jobStatus) { words += ["always(0,0)", "failure(0,MAX)", "cancelled(0,0)", "success(0,MAX)"] }
    if contains(.stepStatus) { words += ["always(0,0)", "failure(0,0)", "cancelled(0,0)", "success(0,0)"] }
    return words
  }
}
