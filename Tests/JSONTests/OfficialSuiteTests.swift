import Foundation
import JSON
import Testing

/// The cases of https://github.com/json-schema-org/JSON-Schema-Test-Suite (commit 44401e0c) for draft 2020-12 that concern our keywords, as they are there.
@Suite("The official test suite of JSON Schema")
struct OfficialSuiteTests {
  private struct Group: Decodable {
    struct Case: Decodable {
      var description: String
      var data: JSONValue
      var valid: Bool
    }
    var description: String
    var schema: JSONValue
    var tests: [Case]
  }

  /// They use what the room's README says is refused.
  private static let refused: Set = [
    "boolean_schema: boolean schema 'true'",
    "boolean_schema: boolean schema 'false'",
    "ecmascript-regex: patterns always use unicode semantics with pattern",
    "ecmascript-regex: pattern with non-ASCII digits",
    "ecmascript-regex: patterns always use unicode semantics with patternProperties",
    "ecmascript-regex: patternProperties with non-ASCII digits",
    "enum: empty enum",
    "if-then-else: ignore then without if",
    "if-then-else: ignore else without if",
    "if-then-else: non-interference across combined schemas",
    "maxContains: maxContains without contains is ignored",
    "minContains: minContains without contains is ignored",
    "not: collect annotations inside a 'not', even if collection is disabled",
    "pattern: pattern with Unicode property escape requires unicode mode",
    "patternProperties: patternProperties with Unicode property escape",
    "ref: remote ref, containing refs itself",
    "ref: Recursive references between schemas",
    "ref: ref creates new scope when adjacent to keywords",
    "ref: refs with relative uris and defs",
    "ref: relative refs with absolute uris and defs",
    "ref: $id must be resolved against nearest parent, not just immediate parent",
    "ref: order of evaluation: $id and $ref",
    "ref: order of evaluation: $id and $anchor and $ref",
    "ref: order of evaluation: $id and $ref on nested schema",
    "ref: simple URN base URI with $ref via the URN",
    "ref: URN base URI with URN and JSON pointer ref",
    "ref: URN base URI with URN and anchor ref",
    "ref: URN ref with nested pointer ref",
    "ref: ref to if",
    "ref: ref to then",
    "ref: ref to else",
    "ref: ref with absolute-path-reference",
  ]

  /// Texts are equal as Swift says, which holds a letter and its composition for one; addresses with quotation marks are not taken.
  private static let judgedOtherwise: Set = [
    "const: characters with the same visual representation, but different number of codepoints: character looks the same but uses combining marks",
    "format-email: validation of e-mail addresses: a quoted string with a space in the local part is valid",
    "format-email: validation of e-mail addresses: a quoted string with a double dot in the local part is valid",
    "format-email: validation of e-mail addresses: a quoted string with a @ in the local part is valid",
    "format-email: validation of e-mail addresses: an IPv6-address-literal after the @ is valid",
  ]

  @Test("each of its cases is judged as it says, apart from those that are listed")
  func cases() throws {
    let folder = try #require(Bundle.module.url(forResource: "Suite", withExtension: nil))
    let files = try FileManager.default.contentsOfDirectory(at: folder, includingPropertiesForKeys: nil).filter {
      $0.pathExtension == "json"
    }
    var judged = 0
    var refused: Set<String> = []
    var otherwise: Set<String> = []
    for file in files {
      for group in try JSONDecoder().decode([Group].self, from: Data(contentsOf: file)) {
        let name = "\(file.deletingPathExtension().lastPathComponent): \(group.description)"
        guard let schema = try? JSONSchema(group.schema) else {
          refused.insert(name)
          continue
        }
        for test in group.tests {
          judged += 1
          if schema.problems(in: test.data).isEmpty != test.valid { otherwise.insert("\(name): \(test.description)") }
        }
      }
    }
    #expect(judged > 1200)
    #expect(refused == Self.refused)
    #expect(otherwise == Self.judgedOtherwise)
  }
}
