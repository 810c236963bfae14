internal import Foundation

/// A registry that asks for a log-in.
package struct DockerRegistry: Hashable, Sendable {
  /// As image names begin: `ghcr.io`, `registry.acme.com:5000`.
  package var host: String
  package var user: String
  package var password: String

  package init(host: String, user: String, password: String) {
    self.host = host
    self.user = user
    self.password = password
  }

  /// The registry of an image's name: what stands before the first slash, where it can be a host, else Docker's own.
  package static func host(ofImage name: String) -> String {
    let parts = name.split(separator: "/", maxSplits: 1)
    guard parts.count > 1, parts[0].contains(".") || parts[0].contains(":") || parts[0] == "localhost" else { return "docker.io" }
    return String(parts[0])
  }

  /// The header `X-Registry-Auth` (https://docs.docker.com/reference/api/engine/version/v1.41/#section/Authentication).
  var header: String {
    let log = ["username": user, "password": password, "serveraddress": host == "docker.io" ? "https://index.docker.io/v1/" : host]
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    // Texts always encode.
    let json = (try? encoder.encode(log)) ?? Data()
    return json.base64EncodedString().replacing("+", with: "-").replacing("/", with: "_")
  }
}

extension DockerRegistry: CustomStringConvertible, CustomReflectable {
  /// Without the password.
  package var description: String { "\(user)@\(host)" }
  package var customMirror: Mirror { Mirror(self, children: ["host": host, "user": user]) }
}
