import Foundation
import JSON
import Testing

@Suite("JSON Schema")
struct JSONSchemaTests {
  static func json(_ text: String) throws -> JSONValue { try JSONDecoder().decode(JSONValue.self, from: Data(text.utf8)) }

  private func problems(_ schema: String, _ value: String) throws -> [String] {
    try JSONSchema(Self.json(schema)).problems(in: Self.json(value)).map(\.description)
  }

  @Test(
    "a problem says what is there and what was expected",
    arguments: [
      (#"{"type": "integer", "minimum": 1, "maximum": 65535}"#, "70000", "is 70000, expected a whole number from 1 to 65535"),
      (#"{"type": "integer", "minimum": 1, "maximum": 65535}"#, #""80""#, #"is "80", expected a whole number from 1 to 65535"#),
      (#"{"type": ["string", "null"], "minLength": 1}"#, "{}", "is a mapping of 0, expected a text of at least 1 character or null"),
      (#"{"exclusiveMinimum": 0, "exclusiveMaximum": 1}"#, "1", "is 1, expected a number above 0 and below 1"),
      (#"{"type": "number", "multipleOf": 0.1}"#, "0.25", "is 0.25, expected a number that is a multiple of 0.1"),
      (#"{"type": "string", "maxLength": 3}"#, #""four""#, #"is "four", expected a text of at most 3 characters"#),
      (#"{"pattern": "^(http|smtp)://"}"#, #""ftp://x""#, #"is "ftp://x", expected a text that matches ^(http|smtp)://"#),
      (#"{"format": "date-time"}"#, #""today""#, #"is "today", expected a time such as 2026-01-31T12:00:00Z"#),
      (#"{"enum": ["low", "high", 3]}"#, #""mid""#, #"is "mid", expected one of "low", "high", 3"#),
      (#"{"const": "1"}"#, "1", #"is 1, expected "1""#),
      (#"{"minItems": 1}"#, "[]", "is a list of 0, expected a list of at least 1 item"),
      (#"{"uniqueItems": true}"#, "[1, 2, 1.0]", "/2: is 1 once more, and each item may be there once"),
      (#"{"contains": {"const": 1}}"#, "[2]", "has 0 times 1, expected at least 1"),
      (#"{"required": ["url"]}"#, "{}", "has no 'url'; it is required"),
      (#"{"dependentRequired": {"user": ["password"]}}"#, #"{"user": 1}"#, "has no 'password'; it is required together with 'user'"),
      (#"{"propertyNames": {"maxLength": 2}}"#, #"{"abc": 1}"#, #"/abc: its name is "abc", expected a text of at most 2 characters"#),
      (
        #"{"properties": {"channel": {}}, "additionalProperties": false}"#, #"{"chanel": 1}"#,
        "/chanel: is not known here – did you mean 'channel'?"
      ),
      (
        #"{"properties": {"a": {}, "b": {}}, "additionalProperties": false}"#, #"{"webhook": 1}"#,
        "/webhook: is not known here; known are a, b"
      ),
      (#"{"not": {"type": "string"}}"#, #""x""#, #"is "x", expected anything but a text"#),
      (#"{"items": false}"#, "[1]", "/0: is not allowed here"),
      (#"{"properties": {"a/b": {"items": {"type": "null"}}}}"#, #"{"a/b": [null, 1]}"#, "/a~1b/1: is 1, expected null"),
    ])
  func words(schema: String, value: String, expected: String) throws {
    #expect(try problems(schema, value) == [expected])
  }

  @Test("of several forms, the one that was meant is explained")
  func forms() throws {
    let schema = """
      {"oneOf": [
        {"type": "string", "format": "uri"},
        {"type": "object", "properties": {"kind": {"const": "file"}, "path": {"type": "string"}}, "required": ["kind", "path"]},
        {"type": "object", "properties": {"kind": {"const": "port"}, "port": {"type": "integer"}}, "required": ["kind", "port"]}
      ]}
      """
    #expect(try problems(schema, #"{"kind": "port", "port": 8080}"#) == [])
    #expect(try problems(schema, #"{"kind": "port", "port": "x"}"#).first?.hasPrefix("fits none of 3 forms") == true)
    #expect(try problems(schema, #"{"kind": "file"}"#) == ["has no 'path'; it is required"])
    #expect(try problems(schema, "\"no uri\"") == [#"is "no uri", expected a URI such as https://example.org/path"#])
    #expect(
      try problems(#"{"anyOf": [{"type": "string"}, {"type": "integer"}]}"#, "null") == ["is null, expected a text or a whole number"])
    #expect(try problems(#"{"oneOf": [{"minimum": 1}, {"minimum": 2}]}"#, "3") == ["fits 2 of 2 forms, expected exactly one"])
  }

  @Test("a value that is writeOnly is a secret, and no problem shows it")
  func secrets() throws {
    let schema = try JSONSchema(Self.json(#"{"properties": {"token": {"type": "string", "writeOnly": true, "minLength": 20}}}"#))
    let value = try Self.json(#"{"token": "hunter2"}"#)
    #expect(schema.problems(in: value).map(\.message) == ["is a secret that is not shown, expected a text of at least 20 characters"])
    #expect(schema.secretPlaces(in: value) == ["/token"])
  }

  @Test(
    "a schema that would promise what nothing checks is refused",
    arguments: [
      (#"{"propertes": {}}"#, "unknown keyword 'propertes' – did you mean 'properties'?"),
      (#"{"unevaluatedProperties": false}"#, "'unevaluatedProperties' is not supported: nothing would be checked by it"),
      (#"{"properties": {"a": {"format": "datetime"}}}"#, "/properties/a/format: unknown format 'datetime' – did you mean 'date-time'?"),
      (#"{"type": "text"}"#, #"/type: is "text", expected one of object, array, string, integer, number, boolean, null"#),
      (#"{"minLength": -1}"#, "/minLength: is -1, expected a whole number from 0"),
      (#"{"multipleOf": 0}"#, "/multipleOf: is 0, expected a number above 0"),
      (#"{"pattern": "a(?=b)"}"#, "/pattern: the pattern a(?=b) looks around ('(?=', '(?!', '(?<=', '(?<!'), which is not supported"),
      (##"{"$ref": "#/$defs/none"}"##, "/$ref: refers to '#/$defs/none', which is not there"),
      (##"{"$ref": "other.json"}"##, ##"/$ref: is "other.json", expected a place of this schema, such as #/$defs/name"##),
      (##"{"allOf": [{"$ref": "#"}]}"##, "/allOf/0: refers to itself without going into the value, so that its check would not end"),
      (#"{"then": {}}"#, "has 'then' or 'else' without 'if': nothing would be checked by it"),
      (#"{"items": 3}"#, "/items: a schema is an object, true or false; this is 3"),
      ("[]", "a schema must be an object; this is a list of 0"),
    ])
  func refusals(schema: String, expected: String) throws {
    let refusal = try #require(throws: JSONSchema.Refusal.self) { try JSONSchema(Self.json(schema)) }
    #expect(refusal.description == expected)
  }

  @Test("a schema may refer to itself as deep as the value goes")
  func recursion() throws {
    let tree = ##"{"type": "object", "properties": {"children": {"items": {"$ref": "#"}}}, "additionalProperties": false}"##
    #expect(try problems(tree, #"{"children": [{"children": [{}]}]}"#) == [])
    #expect(
      try problems(tree, #"{"children": [{"children": [{"x": 1}]}]}"#) == [
        "/children/0/children/0/x: is not known here; known are children"
      ])
  }

  @Test("problems are at most a hundred, and the work on a value is bounded: what is not checked is not valid")
  func bounds() throws {
    let schema = try JSONSchema(Self.json(#"{"items": {"type": "string"}}"#))
    #expect(schema.problems(in: .array(Array(repeating: .null, count: 500))).count == 100)

    // Each level asks twice about the next: 2^60 questions.
    var doubling = #"{"type": "integer"}"#
    for _ in 0..<30 {
      doubling = #"{"anyOf": [{"type": "string"}, \#(doubling), \#("{\"not\": {\"type\": \"null\"}, \"type\": \"null\"}")]}"#
    }
    #expect(try JSONSchema(Self.json(doubling)).problems(in: .integer(1)) == [])

    let list =
      ##"{"$defs": {"x": {"anyOf": [{"items": {"$ref": "#/$defs/x"}, "minItems": 9}, {"items": {"$ref": "#/$defs/x"}, "minItems": 9}]}}, "$ref": "#/$defs/x"}"##
    var nested = JSONValue.array([])
    for _ in 0..<60 { nested = .array([nested]) }
    #expect(try JSONSchema(Self.json(list)).problems(in: nested).map(\.message).last == "is too large to be checked against this schema")

    var deep = JSONValue.null
    for _ in 0..<300 { deep = .array([deep]) }
    let recursive = try JSONSchema(Self.json(##"{"items": {"$ref": "#"}}"##))
    #expect(recursive.problems(in: deep).map(\.message) == ["is nested deeper than can be checked"])
  }
}
