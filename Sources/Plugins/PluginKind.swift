/// What a plugin is for, and so which messages it is sent (`Protocol/`).
package enum PluginKind: String, Hashable, Sendable, Codable, CaseIterable {
  /// Tells people of alerts.
  case notifier
  /// Is told what happens.
  case observer
  /// Keeps secrets that the configuration names.
  case secrets
  /// Runs containers.
  case engine
  /// Another CI platform: jobs come from it, and results go to it.
  case source
  /// An unmodified GARM external provider: one process a call, and a contract that is not ours.
  case garmProvider = "garm-provider"
}
