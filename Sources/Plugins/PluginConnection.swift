package import Foundation

/// A running plugin as its adapter sees it: requests go to it, and its own requests come to the `PluginService` that the adapter gave the host.
package protocol PluginConnection: Sendable {
  /// The plugin's name.
  var name: String { get }

  /// Sends a request and waits for its answer. Cancelling the task sends `$/cancel` and returns at once.
  /// - Parameters:
  ///   - limit: time for the answer; nil: the host's standard of 30 s.
  ///   - progress: called with each `$/progress` of the request, which also renews the limit.
  func call<Result: Decodable & Sendable>(
    _ method: String, _ parameters: some Encodable & Sendable, limit: Duration?, progress: (@Sendable (PluginProgress) -> Void)?
  ) async throws(PluginError) -> Result
}

extension PluginConnection {
  package func call<Result: Decodable & Sendable>(
    _ method: String, _ parameters: some Encodable & Sendable, limit: Duration? = nil
  ) async throws(PluginError) -> Result {
    try await call(method, parameters, limit: limit, progress: nil)
  }
}

/// The parameters of a request, or the result of an answer, without anything in it.
package struct PluginNothing: Hashable, Sendable, Codable {
  package init() {}
}

/// How far a long call is.
package struct PluginProgress: Hashable, Sendable, Codable {
  package var message: String
  /// 0…1, where it is known.
  package var fraction: Double?

  package init(message: String, fraction: Double? = nil) {
    self.message = message
    self.fraction = fraction
  }
}

/// What the host does for a plugin of one kind: answers the plugin's own requests and hears its notifications.
package protocol PluginService: Sendable {
  /// - Parameters:
  ///   - parameters: JSON of `params`; `null` where there was none.
  /// - Returns: JSON of `result`. For a notification it is not looked at.
  func answer(_ method: String, parameters: Data, from plugin: String) async throws(PluginError) -> Data
}
