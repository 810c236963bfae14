/// A version of the Docker API: `1.41`.
package struct DockerAPIVersion: Hashable, Sendable, Comparable, CustomStringConvertible {
  package let major: Int
  package let minor: Int

  package init(_ major: Int, _ minor: Int) {
    self.major = major
    self.minor = minor
  }

  /// - Returns: nil for a text that is no version.
  package init?(_ text: some StringProtocol) {
    let parts = text.split(separator: ".", omittingEmptySubsequences: false).map { Int($0) }
    guard parts.count == 2, let major = parts[0], let minor = parts[1], major >= 0, minor >= 0 else { return nil }
    self.init(major, minor)
  }

  package var description: String { "\(major).\(minor)" }

  package static func < (a: Self, b: Self) -> Bool { (a.major, a.minor) < (b.major, b.minor) }

  /// What this client can speak: its requests and answers did not change between these (Docker 19.03 to 26).
  package static let oldest = DockerAPIVersion(1, 40)
  package static let newest = DockerAPIVersion(1, 45)

  /// The version to speak with a daemon, as newer daemons still understand older clients.
  /// - Parameter daemon: the newest that the daemon offers, from `Api-Version` of `GET /_ping`.
  /// - Returns: nil where the daemon is older than anything that we speak.
  package static func negotiated(with daemon: DockerAPIVersion) -> DockerAPIVersion? {
    daemon < oldest ? nil : min(daemon, newest)
  }
}
