import Crypto
import Foundation

extension Answer {
  /// Gives an answer to a read its `ETag`, and takes its body away where the caller has it already (RFC 9110, section 13).
  func conditional(on call: Call) throws -> Answer {
    guard call.method == "GET", status == 200, !call.path.hasPrefix("/_"), case .json(let value) = body else { return self }
    let tag = "W/\"\(SHA256.hash(data: try value.encoded()).hexadecimal)\""
    let known = (call.header("If-None-Match") ?? "").split(separator: ",").map { $0.trimmingCharacters(in: .whitespaces) }
    var answer = known.contains(tag) ? Answer.empty(304) : self
    answer.headers = headers + [("ETag", tag)]
    return answer
  }
}

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
