import Foundation
import JSON
import Testing

/// For each keyword: values that it allows and values that it does not.
@Suite("Keywords of JSON Schema")
struct KeywordTests {
  struct Row: CustomTestStringConvertible {
    var schema: String
    var valid: [String]
    var invalid: [String]
    var testDescription: String { schema }

    init(_ schema: String, valid: [String] = [], invalid: [String] = []) {
      self.schema = schema
      self.valid = valid
      self.invalid = invalid
    }
  }

  static let rows = [
    // Any value.
    Row("{}", valid: ["null", "true", "1", "1.5", "\"x\"", "[]", "{}"]),
    Row(#"{"type": "integer"}"#, valid: ["1", "-3", "1.0", "1e3"], invalid: ["1.5", "\"1\"", "null", "true", "[]"]),
    Row(#"{"type": "number"}"#, valid: ["1", "1.5", "-1e300"], invalid: ["\"1\"", "true", "null"]),
    Row(#"{"type": "string"}"#, valid: ["\"\"", "\"ü\""], invalid: ["1", "null", "[\"\"]"]),
    Row(#"{"type": "boolean"}"#, valid: ["true", "false"], invalid: ["0", "\"true\"", "null"]),
    Row(#"{"type": "null"}"#, valid: ["null"], invalid: ["0", "false", "\"\"", "{}"]),
    Row(#"{"type": "array"}"#, valid: ["[]", "[[]]"], invalid: ["{}", "\"[]\""]),
    Row(#"{"type": "object"}"#, valid: ["{}"], invalid: ["[]", "null"]),
    Row(#"{"type": ["string", "integer"]}"#, valid: ["\"a\"", "7"], invalid: ["7.5", "null"]),
    Row(
      #"{"enum": [1, "a", null, [2], {"b": 3}]}"#, valid: ["1", "1.0", "\"a\"", "null", "[2.0]", "{\"b\": 3}"],
      invalid: ["true", "2", "[]", "{}"]),
    Row(#"{"enum": [false]}"#, valid: ["false"], invalid: ["0", "null"]),
    Row(#"{"const": {"a": [1]}}"#, valid: ["{\"a\": [1]}"], invalid: ["{\"a\": [1, 1]}", "{}", "{\"a\": [1], \"b\": 2}"]),
    Row(#"{"const": 0}"#, valid: ["0", "0.0", "-0.0"], invalid: ["false", "\"\"", "null"]),

    // Numbers.
    Row(#"{"minimum": 2}"#, valid: ["2", "3", "\"1\""], invalid: ["1", "1.9"]),
    Row(#"{"maximum": 2.5}"#, valid: ["2.5", "-7", "null"], invalid: ["2.6", "3"]),
    Row(#"{"exclusiveMinimum": 0}"#, valid: ["0.001", "1"], invalid: ["0", "-1"]),
    Row(#"{"exclusiveMaximum": 9007199254740993}"#, valid: ["9007199254740992"], invalid: ["9007199254740993", "9007199254740994"]),
    Row(#"{"multipleOf": 3}"#, valid: ["0", "9", "-6", "3.0"], invalid: ["4", "3.5"]),
    Row(#"{"multipleOf": 0.01}"#, valid: ["0.07", "19.99", "4"], invalid: ["0.075"]),
    Row(#"{"multipleOf": 0.5}"#, valid: ["1e308"], invalid: ["0.25"]),

    // Texts.
    Row(#"{"minLength": 2}"#, valid: ["\"ab\"", "\"😀😀\"", "1"], invalid: ["\"a\"", "\"😀\""]),
    Row(#"{"maxLength": 2}"#, valid: ["\"\"", "\"üü\"", "[1, 2, 3]"], invalid: ["\"abc\""]),
    Row(#"{"pattern": "^v[0-9]+(\\.[0-9]+)*$"}"#, valid: ["\"v1\"", "\"v1.20.3\"", "null"], invalid: ["\"1\"", "\"v1.\"", "\"xv1\""]),

    // Lists.
    Row(#"{"minItems": 1, "maxItems": 2}"#, valid: ["[1]", "[1, 2]", "{}"], invalid: ["[]", "[1, 2, 3]"]),
    Row(
      #"{"uniqueItems": true}"#, valid: ["[]", "[1, true]", "[0, false]", "[\"1\", 1]", "[[1], [2]]"],
      invalid: ["[1, 1.0]", "[{\"a\": 1}, {\"a\": 1}]"]),
    Row(#"{"uniqueItems": false}"#, valid: ["[1, 1]"]),
    Row(#"{"items": {"type": "integer"}}"#, valid: ["[]", "[1, 2]", "{\"0\": \"x\"}"], invalid: ["[1, \"x\"]"]),
    Row(#"{"items": false}"#, valid: ["[]"], invalid: ["[null]"]),
    Row(
      #"{"prefixItems": [{"type": "string"}, {"type": "integer"}], "items": {"type": "null"}}"#,
      valid: ["[]", "[\"a\"]", "[\"a\", 1, null]"],
      invalid: ["[1]", "[\"a\", \"b\"]", "[\"a\", 1, 2]"]),
    Row(#"{"contains": {"minimum": 5}}"#, valid: ["[1, 5]", "[9, 9]"], invalid: ["[]", "[1, 2]"]),
    Row(
      #"{"contains": {"const": 1}, "minContains": 2, "maxContains": 3}"#, valid: ["[1, 1]", "[1, 0, 1, 1]"],
      invalid: ["[1]", "[1, 1, 1, 1]"]),
    Row(#"{"contains": {"const": 1}, "minContains": 0}"#, valid: ["[]", "[2]"]),

    // Mappings.
    Row(#"{"required": ["a", "b"]}"#, valid: ["{\"a\": null, \"b\": 1}", "[]"], invalid: ["{}", "{\"a\": 1}"]),
    Row(
      #"{"properties": {"a": {"type": "string"}, "b": false}}"#, valid: ["{}", "{\"a\": \"x\", \"c\": 1}"],
      invalid: ["{\"a\": 1}", "{\"b\": 1}"]),
    Row(
      #"{"properties": {"a": {}}, "patternProperties": {"^x-": {"type": "integer"}}, "additionalProperties": false}"#,
      valid: ["{\"a\": 1}", "{\"x-b\": 1}"], invalid: ["{\"b\": 1}", "{\"x-b\": \"1\"}"]),
    Row(
      #"{"properties": {"a": {}}, "additionalProperties": {"type": "integer"}}"#, valid: ["{\"a\": \"x\", \"b\": 1}"],
      invalid: ["{\"b\": \"x\"}"]),
    Row(
      #"{"patternProperties": {"a": {"minimum": 1}, "b": {"maximum": 3}}}"#, valid: ["{\"ab\": 2}"],
      invalid: ["{\"ab\": 0}", "{\"ab\": 4}"]),
    Row(#"{"propertyNames": {"pattern": "^[a-z]+$"}}"#, valid: ["{\"abc\": 1}", "{}"], invalid: ["{\"A\": 1}"]),
    Row(#"{"minProperties": 1, "maxProperties": 2}"#, valid: ["{\"a\": 1}"], invalid: ["{}", "{\"a\": 1, \"b\": 2, \"c\": 3}"]),
    Row(
      #"{"dependentRequired": {"user": ["password"]}}"#, valid: ["{}", "{\"password\": 1}", "{\"user\": 1, \"password\": 2}"],
      invalid: ["{\"user\": 1}"]),
    Row(
      #"{"dependentSchemas": {"tls": {"properties": {"port": {"const": 443}}}}}"#,
      valid: ["{\"port\": 80}", "{\"tls\": 1, \"port\": 443}"], invalid: ["{\"tls\": 1, \"port\": 80}"]),

    // Several schemas.
    Row(#"{"allOf": [{"minimum": 1}, {"maximum": 3}]}"#, valid: ["2"], invalid: ["0", "4"]),
    Row(#"{"anyOf": [{"type": "string"}, {"minimum": 3}]}"#, valid: ["\"x\"", "3"], invalid: ["2"]),
    Row(#"{"oneOf": [{"multipleOf": 2}, {"multipleOf": 3}]}"#, valid: ["2", "3"], invalid: ["5", "6"]),
    Row(#"{"not": {"required": ["a"]}}"#, valid: ["{}", "{\"b\": 1}"], invalid: ["{\"a\": 1}", "7"]),
    Row(
      #"{"if": {"properties": {"kind": {"const": "file"}}, "required": ["kind"]}, "then": {"required": ["path"]}, "else": {"required": ["url"]}}"#,
      valid: ["{\"kind\": \"file\", \"path\": 1}", "{\"url\": 1}"], invalid: ["{\"kind\": \"file\"}", "{\"kind\": \"web\"}"]),
    Row(#"{"if": {"minimum": 10}, "then": {"multipleOf": 10}}"#, valid: ["3", "20"], invalid: ["13"]),
    Row(
      ##"{"$defs": {"port": {"type": "integer", "maximum": 9}}, "properties": {"a": {"$ref": "#/$defs/port"}}}"##, valid: ["{\"a\": 9}"],
      invalid: ["{\"a\": 10}"]),
    Row(##"{"$defs": {"a/b~c%": {"const": 1}}, "$ref": "#/$defs/a~1b~0c%25", "title": "beside it"}"##, valid: ["1"], invalid: ["2"]),
    Row(##"{"prefixItems": [{"type": "string"}, {"$ref": "#/prefixItems/0"}]}"##, valid: ["[\"a\", \"b\"]"], invalid: ["[\"a\", 1]"]),
    Row(
      #"{"$schema": "https://json-schema.org/draft/2020-12/schema", "$id": "x", "$comment": "", "title": "", "description": "", "default": 1, "examples": [1], "deprecated": true, "readOnly": true, "writeOnly": true}"#,
      valid: ["1", "null"]),
    Row(
      #"{"properties": {"$ref": {"type": "string"}, "type": {"type": "string"}}}"#, valid: [##"{"$ref": "#/nowhere", "type": "x"}"##],
      invalid: [#"{"$ref": 1}"#]),
  ]

  @Test("allows what it says, and nothing else", arguments: rows)
  func keyword(row: Row) throws {
    let schema = try JSONSchema(JSONSchemaTests.json(row.schema))
    for value in row.valid { #expect(schema.problems(in: try JSONSchemaTests.json(value)) == [], "\(value)") }
    for value in row.invalid { #expect(!schema.problems(in: try JSONSchemaTests.json(value)).isEmpty, "\(value)") }
  }

  static let formats: [(format: String, valid: [String], invalid: [String])] = [
    (
      "date-time", ["2026-01-31T12:00:00Z", "2024-02-29t23:59:60.25z", "2026-01-31T12:00:00.123456789+05:30", "1990-12-31T15:59:60-08:00"],
      [
        "2026-01-31", "2026-02-29T12:00:00Z", "2026-01-31T24:00:00Z", "2026-01-31T12:00:00", "2026-01-31 12:00:00Z", "2026-01-31T12:00:60Z",
        "२०२६-01-31T12:00:00Z",
      ]
    ),
    ("date", ["2026-12-31", "2000-02-29"], ["1900-02-29", "2026-13-01", "2026-00-10", "2026-1-1", "26-01-01", ""]),
    ("time", ["12:00:00Z", "23:59:59.9+14:00"], ["12:00Z", "12:00:00", "12:61:00Z", "12:00:00.Z", "12:00:00+25:00"]),
    (
      "email", ["a@b.example", "first.last+tag@sub.example.org", "a@[127.0.0.1]"],
      ["a", "a@", "@b", "a b@c.d", ".a@b.c", "a..b@c.d", "a@b..c", "a@-b.c"]
    ),
    (
      "hostname", ["localhost", "a-b.example", "1.2.3.example"],
      ["", "-a", "a-", "a_b", "a..b", "ü.example", String(repeating: "a", count: 64)]
    ),
    (
      "ipv4", ["127.0.0.1", "0.0.0.0", "255.255.255.255"],
      ["256.0.0.1", "1.2.3", "1.2.3.4.5", "01.2.3.4", "1.2.3.4 ", "0x7f.0.0.1", "१.2.3.4"]
    ),
    (
      "ipv6", ["::", "::1", "fe80::1", "1:2:3:4:5:6:7:8", "::ffff:10.0.0.1", "1::8"],
      ["1", ":::", "1:2:3:4:5:6:7:8:9", "1::2::3", "12345::", "1:2:3:4:5:6:7", "::10.0.0.256", "fe80::1%eth0", ":1:2:3:4:5:6:7"]
    ),
    (
      "uri", ["https://example.org/a?b=c#d", "urn:isbn:1", "mailto:a@b.c", "http://u:p@[::1]:8080/", "file:///etc"],
      ["example.org", "/a", "//example.org", "http://", "http://a b", "http://a/%zz", "1http://a", "http://a:b/", "http:a"]
    ),
    (
      "uuid", ["123e4567-e89b-12d3-a456-426614174000", "123E4567-E89B-12D3-A456-426614174000"],
      ["123e4567e89b12d3a456426614174000", "123e4567-e89b-12d3-a456-42661417400g", ""]
    ),
    ("regex", ["^a+$", "(a|b)"], ["(", "[", "*"]),
    ("json-pointer", ["", "/", "/a/0", "/a~1b~0c"], ["a", "/a~", "/a~2"]),
  ]

  @Test("a format is checked, of texts only", arguments: formats)
  func format(format: String, valid: [String], invalid: [String]) throws {
    let schema = try JSONSchema(.object(["format": .string(format)]))
    for text in valid { #expect(schema.problems(in: .string(text)) == [], "\(text)") }
    for text in invalid { #expect(!schema.problems(in: .string(text)).isEmpty, "\(text)") }
    #expect(schema.problems(in: .integer(1)) == [])
  }

  @Test("a JSON pointer finds its place, and is written as it was read", arguments: ["", "/a", "/a/1", "/~1~0", "/"])
  func pointers(text: String) throws {
    let whole = try JSONSchemaTests.json(#"{"a": [1, 2], "/~": 3, "": 4}"#)
    let pointer = try #require(JSONPointer(text: text))
    #expect(pointer.description == text)
    #expect(pointer.value(in: whole) != nil)
    #expect(JSONPointer(["a", "01"]).value(in: whole) == nil)
    #expect(JSONPointer(["a", "2"]).value(in: whole) == nil)
  }
}
