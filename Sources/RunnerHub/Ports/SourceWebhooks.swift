package import Foundation

/// A webhook of another CI platform than GitHub, as it came. Nobody has verified it yet: only the source itself knows how.
package struct SourceMessage: Hashable, Sendable {
  /// By their names in lower case; of several with one name, the values joined by `, `.
  package var headers: [String: String]
  package var body: Data
  package var receivedAt: Date

  package init(headers: [String: String], body: Data, receivedAt: Date) {
    self.headers = headers
    self.body = body
    self.receivedAt = receivedAt
  }
}

/// Why a webhook of a source is not taken.
package enum SourceMessageRefusal: Error, Hashable, Sendable {
  /// There is no source of that name.
  case unknownSource
  /// The source does not accept it: its signature or token is wrong, or missing.
  case notAccepted(String)
  /// It can never be understood.
  case malformed(String)
  /// The source cannot be asked now.
  case unavailable(String)
}

/// What webhooks of other CI platforms mean.
package protocol SourceWebhooks: Sendable {
  /// What a message is worth keeping for. The source has verified it.
  /// - Returns: a delivery for each job that it tells of, to be stored before the platform is answered.
  func deliveries(of message: SourceMessage, to source: String) async throws(SourceMessageRefusal) -> [Delivery]
}
