import Foundation
import Testing

@testable import Web

@Suite("Well-formedness of JSON")
struct JSONScannerTests {
  private func fault(_ data: Data) -> JSONScanner.Fault? { data.withUnsafeBytes(JSONScanner.fault(in:)) }

  @Test(
    "an object of RFC 8259 is well-formed",
    arguments: [
      "{}", " \t\r\n{ } ", #"{"a":1}"#, #"{"a":[],"b":{},"c":[1,[2,{"d":null}]],"e":true,"f":false}"#, #"{"":-0.5e+10}"#, #"{"a":0}"#,
      #"{"a":"\u00e9\n\"\\\/"}"#, #"{"a":"é☕🧡"}"#, #"{"a":1E5,"a":2}"#,
    ])
  func wellFormed(text: String) { #expect(fault(Data(text.utf8)) == nil) }

  @Test(
    "anything else is a fault",
    arguments: [
      "", " ", "[]", "1", #""a""#, "null", "{", "}", "{]", "[}", "{,}", #"{"a"}"#, #"{"a":}"#, #"{"a":1,}"#, #"{"a":1 "b":2}"#, #"{a:1}"#,
      #"{'a':1}"#,
      #"{"a":01}"#, #"{"a":+1}"#, #"{"a":1.}"#, #"{"a":.5}"#, #"{"a":1e}"#, #"{"a":-}"#, #"{"a":tru}"#, #"{"a":truex}"#, #"{"a":NaN}"#,
      #"{"a":[1,]}"#,
      #"{"a":[1 2]}"#, #"{"a":"\x"}"#, #"{"a":"\u12g4"}"#, #"{"a":"b}"#, "{\"a\":\"\n\"}", "{}{}", "{} x", "\u{FEFF}{}", #"{"a":1}]"#,
      "{\"a\":1\0}",
    ])
  func faults(text: String) { #expect(fault(Data(text.utf8)) != nil) }

  @Test("bytes that are not UTF-8 are a fault", arguments: [[0xFF], [0xC3], [0xC0, 0x80], [0xED, 0xA0, 0x80]] as [[UInt8]])
  func encoding(bytes: [UInt8]) {
    #expect(fault(Data(#"{"a":""#.utf8) + bytes + Data(#""}"#.utf8)) != nil)
  }

  @Test("depth is bounded, and hostile depth costs no stack")
  func depth() {
    func nested(_ depth: Int) -> Data {
      Data(#"{"a":"#.utf8) + Data(repeating: UInt8(ascii: "["), count: depth) + Data(repeating: UInt8(ascii: "]"), count: depth)
        + Data("}".utf8)
    }
    #expect(fault(nested(JSONScanner.maximumDepth - 1)) == nil)
    #expect(fault(nested(JSONScanner.maximumDepth))?.problem.contains("deeper") == true)
    #expect(fault(Data(repeating: UInt8(ascii: "["), count: 1_000_000)) != nil)
  }

  @Test("a fault says what is wrong and where")
  func place() {
    #expect(fault(Data(#"{"a":1,}"#.utf8))?.description == "expected a name in quotes at byte 7")
  }

  @Test("every delivery of GitHub's examples is well-formed, and none of them cut short is")
  func corpus() throws {
    for (name, data) in try WebhookCorpus.files() {
      #expect(fault(data) == nil, "\(name)")
      let end = try #require(data.lastIndex(of: UInt8(ascii: "}")))
      for cut in stride(from: 0, to: end, by: max(1, end / 50)) { #expect(fault(data.prefix(cut)) != nil, "\(name) cut at \(cut)") }
    }
  }
}
