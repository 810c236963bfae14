import Foundation
import Testing

@testable import Web

@Suite("Signatures of webhooks")
struct SignatureTests {
  /// GitHub Docs, "Validating webhook deliveries", section on testing.
  static let vector = "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"
  static let secret = "It's a Secret to Everybody"
  static let body = Data("Hello, World!".utf8)

  @Test("GitHub's own test vector is accepted")
  func vector() throws {
    #expect(try SignatureVerifier(secrets: [Self.secret]).accepts(Self.vector, for: Self.body))
  }

  @Test("either of two secrets is accepted while one is exchanged for the other", arguments: [["new", secret], [secret, "new"]])
  func rotation(secrets: [String]) throws {
    #expect(try SignatureVerifier(secrets: secrets).accepts(Self.vector, for: Self.body))
  }

  @Test("another secret, other bytes or another digit is not accepted")
  func differences() throws {
    let verifier = try SignatureVerifier(secrets: [Self.secret])
    #expect(try !SignatureVerifier(secrets: ["other"]).accepts(Self.vector, for: Self.body))
    for index in Self.body.indices {
      var changed = Self.body
      changed[index] ^= 1
      #expect(!verifier.accepts(Self.vector, for: changed))
    }
    #expect(!verifier.accepts(Self.vector.replacing("757107", with: "757108"), for: Self.body))
  }

  @Test(
    "a header that is no signature is not accepted",
    arguments: [
      "", "sha256=", "sha1=" + vector.dropFirst(7), String(vector.dropLast()), vector + "0", String(vector.dropFirst(7)),
      vector.replacing("7571", with: "757g"), vector + ", " + vector,
    ])
  func malformed(header: String) throws {
    #expect(try !SignatureVerifier(secrets: [Self.secret]).accepts(header, for: Self.body))
  }

  @Test("no secret and an empty secret are refused, with the place")
  func emptySecrets() {
    #expect(throws: SignatureVerifier.Refusal.noSecret) { try SignatureVerifier(secrets: []) }
    #expect(throws: SignatureVerifier.Refusal.emptySecret(position: 2)) { try SignatureVerifier(secrets: ["a", " "]) }
  }
}
