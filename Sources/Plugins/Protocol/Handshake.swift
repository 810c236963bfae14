package import JSON

/// Versions of the protocol that this host speaks, the best first.
package enum PluginProtocol {
  package static let versions = ["1"]
}

/// The first request (`initialize`). The host offers versions, the plugin chooses one.
package struct InitializeParameters: Hashable, Sendable, Codable {
  package struct Host: Hashable, Sendable, Codable {
    package var name: String
    package var version: String
  }
  /// Versions of this protocol that the host speaks, the best first.
  package var protocolVersions: [String]
  package var host: Host
  package var name: String
  package var kind: PluginKind
  /// Valid under the manifest's schema, with secrets filled in.
  package var configuration: JSONValue
  /// An absolute path of the plugin's own, kept between its starts.
  package var directory: String
  /// Abilities that were granted, as text.
  package var abilities: [String]
}

package struct InitializeResult: Hashable, Sendable, Codable {
  package var protocolVersion: String
  package var version: String
}

/// The answer to `health`, which is asked every 10 s.
package struct PluginHealth: Hashable, Sendable, Codable {
  package enum Status: String, Hashable, Sendable, Codable { case ok, degraded, failing }
  package var status: Status
  package var detail: String?
}
