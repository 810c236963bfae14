import Foundation
import Testing

@testable import Plugins

@Suite("Tokens of machines") struct MachineTokenTests {
  private let key = SymmetricKeyBytes(Data(repeating: 7, count: 32))
  private let token = MachineToken(engine: "aws", machine: "rh-1", attempt: 2, expiry: Date(timeIntervalSince1970: 1_800_000_000))

  @Test("a token is what was signed") func sound() {
    let text = token.signed(with: key)
    #expect(MachineToken(text, key: key) == token)
    #expect(MachineToken.claimedEngine(text) == "aws")
  }

  @Test("no other key, no other payload and no other algorithm is believed")
  func forged() throws {
    let text = token.signed(with: key)
    #expect(MachineToken(text, key: SymmetricKeyBytes(Data(repeating: 8, count: 32))) == nil)
    let parts = text.split(separator: ".").map(String.init)
    func coded(_ json: String) -> String {
      Data(json.utf8).base64EncodedString().replacing("+", with: "-").replacing("/", with: "_").replacing("=", with: "")
    }
    let other = coded(#"{"iss":"aws","sub":"rh-2","create_attempt":2,"exp":1800000000}"#)
    #expect(MachineToken("\(parts[0]).\(other).\(parts[2])", key: key) == nil)
    #expect(MachineToken("\(coded(#"{"alg":"none","typ":"JWT"}"#)).\(parts[1]).", key: key) == nil)
    #expect(MachineToken("\(coded(#"{"alg":"none","typ":"JWT"}"#)).\(parts[1]).\(parts[2])", key: key) == nil)
    for text in ["", ".", "..", "a.b.c", String(repeating: "a", count: 100_000), "\(parts[0]).\(parts[1])", text + ".x"] {
      #expect(MachineToken(text, key: key) == nil)
    }
  }
}
