import Foundation

/// What a token must be allowed, in the words of GitHub's forms.
enum TokenRight: Sendable, CaseIterable {
  case readRepository, readAdministration, writeAdministration, readContents, writeContents, writeWorkflows, readActions, writeActions
  case readStatuses, writeStatuses

  /// Under *Repository permissions* of a fine-grained token.
  var fineGrained: String {
    switch self {
    case .readRepository: "Metadata: Read-only"
    case .readAdministration, .writeAdministration: "Administration: Read and write"
    case .readContents, .writeContents: "Contents: Read and write"
    case .writeWorkflows: "Workflows: Read and write"
    case .readActions, .writeActions: "Actions: Read and write"
    case .readStatuses, .writeStatuses: "Commit statuses: Read and write"
    }
  }

  /// The scope of a classic token.
  var scope: String { self == .writeWorkflows ? "workflow" : "repo" }
}

/// What to do about an answer that was not hoped for. Pure.
enum TokenAdvice {
  static let needed = "repository permissions Actions, Administration, Commit statuses, Contents and Workflows, each Read and write"

  static func text(on answer: VerifyClient.Answer, needing right: TokenRight?) -> String? {
    if let limit = limit(of: answer) { return limit }
    switch answer.status {
    case 401:
      return
        "the token is wrong, revoked or at its end: make a new one under Settings › Developer settings › Personal access tokens (\(needed))"
    case 403, 404:
      if let sign = answer.header("x-github-sso"), let url = sign.components(separatedBy: "url=").last, sign.contains("url=") {
        return "the organisation wants single sign-on: authorise the token at \(url)"
      }
      if answer.message.contains("by integration") { return "this is a GitHub App's token: a personal access token is needed" }
      guard let right else { return nil }
      let asked = answer.header("x-accepted-github-permissions").map { " (GitHub asks for \($0))" } ?? ""
      let hidden = answer.status == 404 ? "; GitHub says 404 also for what a token may not see" : ""
      return
        "a fine-grained token needs the repository permission “\(right.fineGrained)”\(asked), a classic one the scope \(right.scope)\(hidden)"
    case 500...: return "GitHub itself has trouble: look at https://www.githubstatus.com, and try again later"
    default: return nil
    }
  }

  /// A refusal for the rate says when to come again.
  private static func limit(of answer: VerifyClient.Answer) -> String? {
    guard answer.status == 403 || answer.status == 429 else { return nil }
    if let seconds = answer.header("retry-after") { return "GitHub asks to wait \(seconds) s: try again then" }
    if answer.header("x-ratelimit-remaining") == "0" {
      return "the token's requests are used up: \(RateNote.text(of: answer) ?? "try again in an hour")"
    }
    return answer.status == 429 ? "GitHub asks to wait: try again in a few minutes" : nil
  }
}

/// The rate limit as an answer's headers tell it.
enum RateNote {
  static func text(of answer: VerifyClient.Answer) -> String? {
    guard let remaining = answer.header("x-ratelimit-remaining"), let limit = answer.header("x-ratelimit-limit") else { return nil }
    let reset = answer.header("x-ratelimit-reset").flatMap { Double($0) }.map {
      ", anew at \(Date(timeIntervalSince1970: $0).formatted(.iso8601))"
    }
    return "\(remaining) of \(limit) requests left\(reset ?? "")"
  }
}
