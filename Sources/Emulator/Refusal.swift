/// What GitHub refuses, in its own words and with its own status.
package struct Refusal: Error, Sendable, CustomStringConvertible {
  package let status: Int
  package let message: String
  /// Items of `errors` of a 422.
  package let errors: [JSON]
  /// Permissions that would have helped, for `X-Accepted-GitHub-Permissions`.
  package let acceptedPermissions: String?
  /// Seconds to wait, for `Retry-After`.
  package let retryAfter: Int?

  init(_ status: Int, _ message: String, errors: [JSON] = [], acceptedPermissions: String? = nil, retryAfter: Int? = nil) {
    self.status = status
    self.message = message
    self.errors = errors
    self.acceptedPermissions = acceptedPermissions
    self.retryAfter = retryAfter
  }

  package var description: String {
    let details = errors.map { item in
      [item["field"].string, item["message"].string ?? item["code"].string].compactMap(\.self).joined(separator: " ")
    }
    return (["\(status) \(message)"] + details).joined(separator: ": ")
  }

  static let notFound = Refusal(404, "Not Found")
  static let badCredentials = Refusal(401, "Bad credentials")

  /// A 422 that names a field. `code` is one of GitHub's: missing, missing_field, invalid, already_exists, unprocessable, custom.
  static func invalid(_ resource: String, _ field: String, code: String = "invalid", _ message: String? = nil) -> Refusal {
    var item: [String: JSON] = ["resource": .string(resource), "field": .string(field), "code": .string(code)]
    if let message { item["message"] = .string(message) }
    return Refusal(422, "Validation Failed", errors: [.object(item)])
  }
}
