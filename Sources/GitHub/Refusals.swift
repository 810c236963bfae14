import NIOHTTP1
import RunnerHub

extension GitHubResponse {
  /// This answer, when it has the status.
  /// - Parameter what: the thing asked for, for messages.
  func expecting(_ statuses: Int..., what: String? = nil) throws(ForgeError) -> GitHubResponse {
    try expecting(statuses, what ?? request)
  }
  func expecting(_ status: Int, _ what: String) throws(ForgeError) -> GitHubResponse {
    try expecting([status], what)
  }

  private func expecting(_ statuses: [Int], _ what: String) throws(ForgeError) -> GitHubResponse {
    if statuses.contains(status) { return self }
    throw refusal(of: what)
  }

  /// What an answer means that is not the one hoped for.
  func refusal(of what: String) -> ForgeError {
    let answer = "\(what): \(request) was answered \(status)\(message.isEmpty ? "" : " “\(message)”")"
    switch status {
    case 401: return .forbidden("\(answer); the credentials are wrong, revoked or at their end")
    case 403: return .forbidden("\(answer)\(wantedPermissions)")
    case 404, 410: return .notFound("\(answer); it does not exist, or the credentials may not see it")
    case 409: return .alreadyExists(answer)
    case 500...: return .unavailable(answer)
    default: return .invalid(answer)
    }
  }

  /// What GitHub would want to see (comma: and; semicolon: or).
  private var wantedPermissions: String {
    guard let wanted = headers.first(name: "x-accepted-github-permissions") else { return "" }
    return "; needs the permissions \(wanted.prefix(200))"
  }
}
