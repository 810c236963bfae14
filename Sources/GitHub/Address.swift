import Foundation

/// An absolute http(s) address.
struct Address: Sendable {
  private let url: URL
  let host: String

  init?(_ text: String) {
    guard let url = URL(string: text.hasSuffix("/") ? String(text.dropLast()) : text) else { return nil }
    self.init(url: url)
  }

  private init?(url: URL) {
    guard let scheme = url.scheme?.lowercased(), scheme == "http" || scheme == "https", let host = url.host(), !host.isEmpty else {
      return nil
    }
    self.url = url
    self.host = host.lowercased()
  }

  var text: String { url.absoluteString }

  /// - Parameter target: an encoded path with its query, beginning with a slash.
  func appending(_ target: String) -> Address? {
    URL(string: url.absoluteString + target).flatMap(Address.init(url:))
  }

  /// The place that a `Location` names from here (RFC 3986, section 5); nil where it would leave http, or leave https for http.
  func resolving(_ location: String) -> Address? {
    guard let next = URL(string: location, relativeTo: url).flatMap({ Address(url: $0.absoluteURL) }) else { return nil }
    return isSecure && !next.isSecure ? nil : next
  }

  func isSameOrigin(as other: Address) -> Bool {
    host == other.host && isSecure == other.isSecure && port == other.port
  }

  private var isSecure: Bool { url.scheme?.lowercased() == "https" }
  private var port: Int { url.port ?? (isSecure ? 443 : 80) }
}
