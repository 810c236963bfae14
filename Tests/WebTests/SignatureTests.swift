import Foundation
import Testing

@testable import Web

/// GitHub Docs, "Validating webhook deliveries", section on testing.
private let vector = "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"
private let secret = "It's a Secret to Everybody"
private let body = Data("Hello, World!".utf8)

@Suite("Signatures of webhooks")
struct SignatureTests {
  @Test("GitHub's own test vector is accepted")
  func published() throws {
    #expect(try SignatureVerifier(secrets: [secret]).accepts(vector, for: body))
  }

  @Test("either of two secrets is accepted while one is exchanged for the other", arguments: [["new", secret], [secret, "new"]])
  func rotation(secrets: [String]) throws {
    #expect(try SignatureVerifier(secrets: secrets).accepts(vector, for: body))
  }

  @Test("a secret that was replaced is accepted for a day more, and the new one at once")
  func replaced() throws {
    let now = Date(timeIntervalSince1970: 0)
    let secrets = try WebhookSecrets([secret])
    try secrets.replace(by: "new", at: now)
    #expect(secrets.accepts(vector, for: body, at: now.addingTimeInterval(WebhookSecrets.overlap - 1)))
    #expect(!secrets.accepts(vector, for: body, at: now.addingTimeInterval(WebhookSecrets.overlap)))
    #expect(throws: SignatureVerifier.Refusal.self) { try secrets.replace(by: " ", at: now) }
    try secrets.replace(by: secret, at: now)
    #expect(secrets.accepts(vector, for: body, at: now.addingTimeInterval(1e9)))
    for number in 0..<9 { try secrets.replace(by: "newer \(number)", at: now) }
    #expect(!secrets.accepts(vector, for: body, at: now), "few former ones are accepted")
  }

  @Test("another secret, other bytes or another digit is not accepted")
  func differences() throws {
    let verifier = try SignatureVerifier(secrets: [secret])
    #expect(try !SignatureVerifier(secrets: ["other"]).accepts(vector, for: body))
    for index in body.indices {
      var changed = body
      changed[index] ^= 1
      #expect(!verifier.accepts(vector, for: changed))
    }
    #expect(!verifier.accepts(vector.replacing("757107", with: "757108"), for: body))
  }

  @Test(
    "a header that is no signature is not accepted",
    arguments: [
      "", "sha256=", "sha1=" + vector.dropFirst(7), String(vector.dropLast()), vector + "0", String(vector.dropFirst(7)),
      vector.replacing("7571", with: "757g"), vector + ", " + vector,
    ])
  func malformed(header: String) throws {
    #expect(try !SignatureVerifier(secrets: [secret]).accepts(header, for: body))
  }

  @Test("no secret and an empty secret are refused, with the place")
  func emptySecrets() {
    #expect(throws: SignatureVerifier.Refusal.noSecret) { try SignatureVerifier(secrets: []) }
    #expect(throws: SignatureVerifier.Refusal.emptySecret(position: 2)) { try SignatureVerifier(secrets: ["a", " "]) }
  }
}
