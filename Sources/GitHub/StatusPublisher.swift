import Domain
import Foundation
import NIOHTTP1
import RunnerHub

/// Shows a job's state at its commit: as a check run where an App speaks, as a commit status where a token does.
struct StatusPublisher: Sendable {
  let client: GitHubClient

  private static let statusHandle = "status"
  private static let checkPrefix = "check:"

  func publish(_ update: StatusUpdate, handle: String?) async throws(ForgeError) -> String {
    client.authority.isApp ? try await publishCheck(update, handle: handle) : try await publishStatus(update)
  }

  private func ground(of update: StatusUpdate) -> Ground { .repository(update.repository, installationID: update.installationID) }

  // MARK: Check runs

  private func publishCheck(_ update: StatusUpdate, handle: String?) async throws(ForgeError) -> String {
    let kept = handle.flatMap { $0.hasPrefix(Self.checkPrefix) ? Int64($0.dropFirst(Self.checkPrefix.count)) : nil }
    let known: Int64?
    if let kept { known = kept } else { known = try await existingCheck(of: update) }
    struct Answer: Decodable { let id: Int64 }
    let checks = try GitHubRequest.repository(update.repository) + ["check-runs"]
    let response: GitHubResponse
    if let known {
      let call = try GitHubRequest(.PATCH, checks + ["\(known)"], for: .report).with(CheckBody(update, isNew: false))
      response = try await client.send(call, on: ground(of: update)).expecting(200, "updating check run \(known)")
    } else {
      let call = try GitHubRequest(.POST, checks, for: .report).with(CheckBody(update, isNew: true))
      response = try await client.send(call, on: ground(of: update)).expecting(201, "creating a check run for job \(update.jobID)")
    }
    return Self.checkPrefix + "\(try response.decoded(as: Answer.self).id)"
  }

  /// The check run that an earlier call created without living to tell: `external_id` makes creation idempotent.
  private func existingCheck(of update: StatusUpdate) async throws(ForgeError) -> Int64? {
    struct Page: Decodable {
      struct Check: Decodable {
        let id: Int64
        let externalID: String?
        enum CodingKeys: String, CodingKey {
          case id
          case externalID = "external_id"
        }
      }
      let checks: [Check]
      enum CodingKeys: String, CodingKey { case checks = "check_runs" }
    }
    let list = try GitHubRequest(
      .GET, try GitHubRequest.repository(update.repository) + ["commits", update.headSHA, "check-runs"],
      query: ["check_name": update.name, "filter": "all", "per_page": "100"], for: .report)
    return try await client.search(list, on: ground(of: update), as: Page.self) { page in
      page.checks.first { $0.externalID == update.jobID.rawValue }?.id
    }
  }

  // MARK: Commit statuses

  private func publishStatus(_ update: StatusUpdate) async throws(ForgeError) -> String {
    let path = try GitHubRequest.repository(update.repository) + ["statuses", update.headSHA]
    let call = try GitHubRequest(.POST, path, for: .report).with(StatusBody(update))
    _ = try await client.send(call, on: ground(of: update)).expecting(201, "a commit status for job \(update.jobID)")
    return Self.statusHandle
  }
}

/// The body that creates and updates a check run.
struct CheckBody: Encodable {
  struct Output: Encodable {
    let title: String
    let summary: String
  }
  let name: String
  let headSHA: String?
  let externalID: String
  let status: String
  let conclusion: String?
  let detailsURL: String?
  let startedAt: String?
  let completedAt: String?
  let output: Output

  enum CodingKeys: String, CodingKey {
    case name, status, conclusion, output
    case headSHA = "head_sha"
    case externalID = "external_id"
    case detailsURL = "details_url"
    case startedAt = "started_at"
    case completedAt = "completed_at"
  }

  /// GitHub's limits in characters.
  private static let titleLimit = 255
  private static let summaryLimit = 65_535

  /// - Parameter isNew: a check run belongs to its commit for ever, so only its creation names one.
  init(_ update: StatusUpdate, isNew: Bool) {
    name = update.name
    headSHA = isNew ? update.headSHA : nil
    externalID = update.jobID.rawValue
    status = update.status.rawValue
    // A conclusion makes any check completed, so it is sent with that status alone, and always then.
    conclusion = update.status == .completed ? Self.word(for: update.conclusion) : nil
    detailsURL = update.detailsURL
    startedAt = update.startedAt?.formatted(.iso8601)
    completedAt = update.status == .completed ? update.completedAt?.formatted(.iso8601) : nil
    output = Output(title: update.title.cut(to: Self.titleLimit), summary: update.summary.cut(to: Self.summaryLimit))
  }

  /// Words that an App may set; `stale` and `startup_failure` are GitHub's own.
  private static func word(for conclusion: Conclusion?) -> String {
    switch conclusion {
    case .success, .failure, .cancelled, .skipped, .timedOut, .neutral, .actionRequired: conclusion?.word ?? "neutral"
    case .startupFailure: "failure"
    case .stale, .other, nil: "neutral"
    }
  }
}

/// The body of a commit status.
struct StatusBody: Encodable {
  let state: String
  let context: String
  let description: String
  let targetURL: String?

  enum CodingKeys: String, CodingKey {
    case state, context, description
    case targetURL = "target_url"
  }

  private static let descriptionLimit = 140

  init(_ update: StatusUpdate) {
    state = update.status == .completed ? Self.state(for: update.conclusion) : "pending"
    context = update.name
    description = update.title.cut(to: Self.descriptionLimit)
    targetURL = update.detailsURL
  }

  private static func state(for conclusion: Conclusion?) -> String {
    switch conclusion {
    case .success, .neutral, .skipped: "success"
    case .failure, .timedOut, .actionRequired, .startupFailure: "failure"
    case .cancelled, .stale, .other, nil: "error"
    }
  }
}

extension String {
  /// At most so many Unicode scalars, the last of them an ellipsis where something was cut.
  fileprivate func cut(to limit: Int) -> String {
    guard unicodeScalars.count > limit else { return self }
    return String(String.UnicodeScalarView(unicodeScalars.prefix(limit - 1))) + "…"
  }
}
