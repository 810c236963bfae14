import Domain
import Foundation
import Logging
import NIOHTTP1
import RunnerHub

/// Registers and removes runners.
actor RunnerRegistry {
  private let client: GitHubClient
  private let logger: Logger
  /// Ids of runner groups by organisation and name; they outlive their names' spelling, and are asked for again after a 404.
  private var groups: [RunnerScope: [String: Int64]] = [:]

  /// The group that every scope has.
  private static let defaultGroup: Int64 = 1

  init(client: GitHubClient, logger: Logger) {
    self.client = client
    self.logger = logger
  }

  func register(_ request: RunnerRequest) async throws(ForgeError) -> RunnerRegistration {
    do {
      return try await generate(request)
    } catch {
      switch error {
      case .alreadyExists, .unavailable:
        // After a fault of GitHub's the runner may be registered, though its configuration is lost: the name is freed and taken again.
        logger.info("registering again", metadata: ["runner": "\(request.name)", "cause": "\(error)"])
        try await free(request)
        return try await generate(request)
      default:
        throw error
      }
    }
  }

  func remove(id: Int64, scope: RunnerScope, ground: Ground) async throws(ForgeError) -> RunnerRemoval {
    let response = try await client.send(try GitHubRequest(.DELETE, scope.path("runners", "\(id)"), for: .removal), on: ground)
    switch response.status {
    case 204: return .removed
    case 404: return .absent
    case 422: return .busy
    default: throw response.refusal(of: "removing runner \(id)")
    }
  }

  private func generate(_ request: RunnerRequest) async throws(ForgeError) -> RunnerRegistration {
    struct Body: Encodable {
      let name: String
      let runnerGroupID: Int64
      let labels: [String]
      enum CodingKeys: String, CodingKey {
        case name, labels
        case runnerGroupID = "runner_group_id"
      }
    }
    struct Answer: Decodable {
      struct Runner: Decodable { let id: Int64 }
      let runner: Runner
      let configuration: String
      enum CodingKeys: String, CodingKey {
        case runner
        case configuration = "encoded_jit_config"
      }
    }
    let scope = RunnerScope(request.jobClass)
    let ground = scope.ground(repository: request.repository, installationID: request.installationID)
    let group = try await group(request.jobClass.group, scope: scope, ground: ground)
    // GitHub wants a label at least; a job that names a group alone is served by a runner with any.
    let labels = request.jobClass.labels.isEmpty ? ["self-hosted"] : request.jobClass.labels.values
    let call = try GitHubRequest(.POST, scope.path("runners", "generate-jitconfig"), for: .registration)
      .with(Body(name: request.name, runnerGroupID: group, labels: labels))
    let response = try await client.send(call, on: ground)
    if response.status == 404 { groups[scope] = nil }
    let answer = try response.expecting(201, "registering runner \(request.name)").decoded(as: Answer.self)
    return RunnerRegistration(runnerID: answer.runner.id, files: try JITConfiguration.files(encoded: answer.configuration))
  }

  /// Removes the runner of the request's name.
  /// - Throws: `alreadyExists` when it works on a job.
  private func free(_ request: RunnerRequest) async throws(ForgeError) {
    let scope = RunnerScope(request.jobClass)
    let ground = scope.ground(repository: request.repository, installationID: request.installationID)
    if try await remove(named: request.name, scope: scope, ground: ground, for: .registration) == .busy {
      throw .alreadyExists("runner \(request.name) is there and works on a job, or has just got a job")
    }
  }

  /// Removes a runner whose id nobody knows.
  func remove(
    named name: String, scope: RunnerScope, ground: Ground, for purpose: Purpose = .removal
  ) async throws(ForgeError) -> RunnerRemoval {
    struct Page: Decodable {
      struct Runner: Decodable {
        let id: Int64
        let name: String
        let busy: Bool?
      }
      let runners: [Runner]
    }
    let list = try GitHubRequest(.GET, scope.path("runners"), query: ["name": name, "per_page": "100"], for: purpose)
    let found = try await client.search(list, on: ground, as: Page.self) { page in
      page.runners.first { $0.name.lowercased() == name.lowercased() }
    }
    guard let runner = found else { return .absent }
    if runner.busy == true { return .busy }
    return try await remove(id: runner.id, scope: scope, ground: ground)
  }

  private func group(_ name: String, scope: RunnerScope, ground: Ground) async throws(ForgeError) -> Int64 {
    // Repository runners have no choice of group.
    guard !name.isEmpty, case .organization(let organization) = scope else { return Self.defaultGroup }
    if let known = groups[scope]?[name.lowercased()] { return known }
    struct Page: Decodable {
      struct Group: Decodable {
        let id: Int64
        let name: String
      }
      let groups: [Group]
      enum CodingKeys: String, CodingKey { case groups = "runner_groups" }
    }
    let list = try GitHubRequest(.GET, scope.path("runner-groups"), query: ["per_page": "100"], for: .registration)
    let found = try await client.search(list, on: ground, as: Page.self) { page in
      page.groups.first { $0.name.lowercased() == name.lowercased() }
    }
    guard let group = found else { throw .notFound("runner group “\(name)” of \(organization)") }
    groups[scope, default: [:]][name.lowercased()] = group.id
    return group.id
  }
}
