import Foundation
import JSON
import Testing

@testable import Plugins

/// The host's own writer and reader of messages, held against Foundation's.
@Suite("Messages as JSON")
struct MessageCodingTests {
  private enum Colour: String, Codable { case red, green }
  private struct Inner: Codable, Hashable {
    var small: Int8
    var great: UInt64
    var isSo: Bool
    var lists: [[String]]
    var colour: Colour
  }
  private struct Outer: Codable, Hashable {
    var numbers: [Int]
    var table: [String: Double]
    var when: Date
    var data: Data
    var address: URL?
    var missing: String?
    var inner: Inner?
    var any: JSONValue
  }

  private static let sample = Outer(
    numbers: [0, -1, .max, .min], table: ["é\"\\\u{1}\n\u{7f}": 1.5, "": -2, "tiny": 1e-9, "great": 1e300],
    when: Date(timeIntervalSince1970: 1_764_148_442.25), data: Data([0, 1, 255]), address: URL(string: "https://a.example/b?c=d#e"),
    missing: nil, inner: Inner(small: -128, great: .max, isSo: true, lists: [[], ["a", "😀\u{0}"]], colour: .green),
    any: .object(["a": .array([.null, .bool(false), .integer(3), .number(0.5), .string("x/y")]), "b": .object([:])]))

  @Test("what one writes the other reads, both ways")
  func roundTrips() throws {
    var line: [UInt8] = []
    try MessageWriter.append(Self.sample, to: &line)
    #expect(try PluginJSON.decoder.decode(Outer.self, from: Data(line)) == Self.sample)
    #expect(try MessageReader.read(Outer.self, from: line) == Self.sample)
    #expect(try MessageReader.read(Outer.self, from: Array(try PluginJSON.encoder.encode(Self.sample))) == Self.sample)
    #expect(!line.contains(0x0A))
  }

  @Test(
    "texts are written and read whatever stands in them",
    arguments: ["", "\"", "\\", "1234567\"", "12345678\\n", "a\u{8}\u{9}\u{a}\u{b}\u{c}\u{d}\u{1f}\u{20}z", "\u{2028}é漢😀", "</x>"])
  func texts(text: String) throws {
    for length in 0..<20 {
      let text = String(repeating: "x", count: length) + text + String(repeating: "y", count: length)
      var line: [UInt8] = []
      try MessageWriter.append(text, to: &line)
      #expect(try PluginJSON.decoder.decode(String.self, from: Data(line)) == text)
      #expect(try MessageReader.read(String.self, from: line) == text)
    }
  }

  /// Goes back into a container that it has left, as a streamed text cannot.
  private struct Crossing: Encodable {
    enum Key: CodingKey { case a, b, c }
    func encode(to encoder: any Encoder) throws {
      var outer = encoder.container(keyedBy: Key.self)
      var inner = outer.nestedContainer(keyedBy: Key.self, forKey: .a)
      try inner.encode(1, forKey: .a)
      try outer.encode(2, forKey: .b)
      try inner.encode(3, forKey: .c)
    }
  }

  @Test("what cannot be streamed is written all the same, and what is no JSON is refused and leaves the line as it was")
  func unsuited() throws {
    var line = Array("x".utf8)
    try MessageWriter.append(Crossing(), to: &line)
    let written = try PluginJSON.decoder.decode(JSONValue.self, from: Data(line.dropFirst()))
    #expect(written == .object(["a": .object(["a": .integer(1), "c": .integer(3)]), "b": .integer(2)]))
    line = Array("x".utf8)
    #expect(throws: EncodingError.self) { try MessageWriter.append(["a": [1, Double.infinity]], to: &line) }
    #expect(line == Array("x".utf8))
  }

  @Test(
    "what is no JSON is refused, also where nobody asks for it",
    arguments: [
      "", " ", "{", "}", "[", "[1,]", "[,1]", "{\"a\"}", "{\"a\":}", "{\"a\":1,}", "{a:1}", "{'a':1}", "[1 2]", "tru", "nul", "truex", "01",
      "-",
      "1.", ".5", "1e", "1e+", "+1", "0x1", "NaN", "\"", "\"\\\"", "\"\\x\"", "\"\\u12\"", "\"\\u12g4\"", "\"\\ud800\"",
      "\"\\ud800\\u0041\"",
      "\"\\udc00\"", "\"a\nb\"", "[1]]", "1 2", "{\"a\":1}x", "[\"\\", "{\"x\":[tru]}", "{\"payload\":\"x\",\"y\":01}",
    ])
  func faults(text: String) {
    #expect(throws: DecodingError.self) { try MessageReader.read(JSONValue.self, from: Array(text.utf8)) }
    #expect(throws: MessageTree.Fault.self) { try MessageTree(Array(text.utf8)) }
  }

  @Test("bytes that are not UTF-8 are refused")
  func utf8() {
    for bytes: [UInt8] in [[0x22, 0xFF, 0x22], [0x22, 0xC3, 0x22], [0x22, 0xED, 0xA0, 0x80, 0x22], [0xFF]] {
      #expect(throws: MessageTree.Fault.self) { try MessageTree(bytes) }
    }
  }

  @Test("depth is bounded, and what is below the bound is read")
  func depth() throws {
    func nested(_ depth: Int) -> [UInt8] { Array((String(repeating: "[", count: depth) + String(repeating: "]", count: depth)).utf8) }
    #expect(try MessageTree(nested(MessageTree.maximumDepth)).nodes.count == MessageTree.maximumDepth)
    #expect(throws: MessageTree.Fault.self) { try MessageTree(nested(MessageTree.maximumDepth + 1)) }
    #expect(throws: MessageTree.Fault.self) { try MessageTree(Array(String(repeating: "{\"a\":", count: 100_000).utf8)) }
  }

  @Test("an object with as many members as a message holds is read in a time linear in it, and of two of one name the last counts")
  func wide() throws {
    let members = (0..<100_000).map { "\"k\($0)\":\($0)" }.joined(separator: ",")
    let read = try MessageReader.read([String: Int].self, from: Array("{\(members),\"k7\":-7}".utf8))
    #expect(read.count == 100_000)
    #expect(read["k99999"] == 99_999)
    #expect(read["k7"] == -7)
    #expect(try MessageReader.read([String: Int].self, from: Array(#"{"a":1,"\u0061":2}"#.utf8)) == ["a": 2])
  }

  @Test("numbers are taken as they fit")
  func numbers() throws {
    func read<Value: Decodable>(_ text: String) throws -> Value { try MessageReader.read(Value.self, from: Array(text.utf8)) }
    #expect(try read("1e3") == 1000)
    #expect(try read("-0") == 0)
    #expect(try read("2.0") == Int8(2))
    #expect(try read("2.5") == 2.5)
    for text in ["2.5", "300", "-129", "1e400", "\"1\"", "true", "null"] {
      #expect(throws: DecodingError.self) { let _: Int8 = try read(text) }
    }
    #expect(throws: DecodingError.self) { let _: Double = try read("1e400") }
  }

  @Test("what is missing or of another type is said with its place")
  func reasons() {
    func reason(_ text: String) -> String {
      do {
        _ = try MessageReader.read(Outer.self, from: Array(text.utf8))
        return "none"
      } catch {
        return DecodingReason.text(error)
      }
    }
    #expect(reason("{}") == "'numbers' is missing")
    #expect(reason(#"{"numbers":[1,"2"]}"#) == "'numbers.1' is of another type")
    #expect(reason(#"{"numbers":{}}"#) == "'numbers' is of another type")
    #expect(reason("[]") == "the whole is of another type")
    #expect(reason(#"{"numbers":[],"table":{},"when":"yesterday"}"#) == "'when': expected a time such as 2026-11-26T09:14:02Z")
  }
}
