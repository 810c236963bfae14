import Foundation
import GitHub
import Logging
import Plugins
import Web

/// RunnerHub's own secrets: as they are written, or, where a reference is written, as its plugin knows them.
struct HostSecrets {
  let configuration: Configuration
  let keeper: SecretKeeper
  let logger: Logger

  /// - Throws: `ConfigurationError` that names the key whose reference cannot be read.
  func credentials() async throws -> GitHubCredentials {
    if let app = configuration.app {
      return .app(id: app.id, privateKeyPEM: try await settled(app.privateKey, "github.app-private-key"))
    }
    guard let token = configuration.token else { throw ConfigurationError(problems: ["no credentials for GitHub"]) }
    return .token(try await settled(token, "github.token"))
  }

  func webhookSecrets() async throws -> WebhookSecrets {
    try WebhookSecrets([try await settled(configuration.webhookSecret, "github.webhook-secret")])
  }

  /// From now on a new value takes effect where it is used.
  func follow(_ client: GitHubClient, _ webhooks: WebhookSecrets) async {
    if let app = configuration.app {
      await follow(app.privateKey, "github.app-private-key") { try await client.replace(.app(id: app.id, privateKeyPEM: $0)) }
    } else if let token = configuration.token {
      await follow(token, "github.token") { try await client.replace(.token($0)) }
    }
    await follow(configuration.webhookSecret, "github.webhook-secret") { try webhooks.replace(by: $0, at: Date()) }
  }

  private func settled(_ text: String, _ key: String) async throws -> String {
    guard SecretReference.isMeant(by: text) else { return text }
    do throws(SecretError) {
      return try await keeper.value(of: try SecretReference(text), key: key)
    } catch {
      throw ConfigurationError(problems: [error.description.hasPrefix(key) ? error.description : "\(key): \(error)"])
    }
  }

  private func follow(_ text: String, _ key: String, _ use: @escaping @Sendable (String) async throws -> Void) async {
    // What is no reference has been refused, or is the value itself.
    guard let reference = try? SecretReference(text) else { return }
    await keeper.watch(reference) { [logger] value in
      do {
        try await use(value)
        logger.notice("a new secret is used from now on", metadata: ["key": "\(key)"])
      } catch {
        // The texts of these errors hold no secret.
        logger.error("a new secret cannot be used; the one before stays", metadata: ["key": "\(key)", "why": "\(error)"])
      }
    }
  }
}
