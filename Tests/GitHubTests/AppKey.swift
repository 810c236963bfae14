import CryptoExtras
import GitHub

/// The key of a GitHub App, made when the tests start: none is kept anywhere.
enum AppKey {
  private static let key = Result { try _RSA.Signing.PrivateKey(keySize: .bits2048) }

  static func pkcs1() throws -> String { try key.get().pemRepresentation }
  static func pkcs8() throws -> String { try key.get().pkcs8PEMRepresentation }
  static func publicPEM() throws -> String { try key.get().publicKey.pemRepresentation }
  static func app() throws -> GitHubCredentials { .app(id: "4711", privateKeyPEM: try pkcs1()) }
}
