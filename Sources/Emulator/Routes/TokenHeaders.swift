import Foundation

/// What GitHub tells of a person's token with each answer.
enum TokenHeaders {
  static func fields(for caller: Caller, _ configuration: EmulatorConfiguration) -> [(name: String, value: String)] {
    guard caller == .person else { return [] }
    var fields: [(name: String, value: String)] = []
    if let scopes = configuration.tokenScopes { fields.append(("X-OAuth-Scopes", scopes.joined(separator: ", "))) }
    if let end = configuration.tokenExpiresAt {
      // `2026-12-31 23:59:59 UTC`
      let text = end.formatted(.iso8601.dateTimeSeparator(.space)).replacing("Z", with: " UTC")
      fields.append(("GitHub-Authentication-Token-Expiration", text))
    }
    return fields
  }
}
