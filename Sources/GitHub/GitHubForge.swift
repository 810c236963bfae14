package import Domain
import Foundation
package import Logging
import NIOHTTP1
package import RunnerHub

/// GitHub as the place where jobs come from and results go to.
package struct GitHubForge: Forge {
  let client: GitHubClient
  private let registry: RunnerRegistry
  private let publisher: StatusPublisher

  package init(client: GitHubClient, logger: Logger) {
    self.client = client
    registry = RunnerRegistry(client: client, logger: logger)
    publisher = StatusPublisher(client: client)
  }

  /// `POST …/actions/runners/generate-jitconfig`, in the organisation or, for a class whose scope has a slash, the repository.
  package func register(_ request: RunnerRequest) async throws(ForgeError) -> RunnerRegistration {
    try await registry.register(request)
  }

  /// `DELETE …/actions/runners/{id}`.
  package func removeRunner(
    id: Int64, scope: JobClass, repository: String, installationID: Int64?
  ) async throws(ForgeError) -> RunnerRemoval {
    let scope = RunnerScope(scope)
    return try await registry.remove(
      id: id, scope: scope, ground: scope.ground(repository: repository, installationID: installationID))
  }

  /// `GET …/actions/runners?name=`, then `DELETE`.
  package func removeRunner(
    named name: String, scope: JobClass, repository: String, installationID: Int64?
  ) async throws(ForgeError) -> RunnerRemoval {
    let scope = RunnerScope(scope)
    return try await registry.remove(
      named: name, scope: scope, ground: scope.ground(repository: repository, installationID: installationID))
  }

  /// `GET /repos/{owner}/{repo}/actions/runs/{run_id}`.
  package func run(id: Int64, repository: String, installationID: Int64?) async throws(ForgeError) -> RunReport {
    try await read(WireRun.self, ["actions", "runs", "\(id)"], repository, installationID)
      .report(action: nil, repository: repository, defaultBranch: nil)
  }

  /// `GET /repos/{owner}/{repo}/contents/{path}?ref=` as raw bytes; at a branch or a tag with the ETag of the last answer, if
  /// that is kept.
  package func file(path: String, ref: String, repository: String, installationID: Int64?) async throws(ForgeError) -> String {
    let parts = path.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
    var request = try GitHubRequest(
      .GET, try GitHubRequest.repository(repository) + ["contents"] + parts, query: ["ref": ref], accept: GitHubRequest.raw)
    // What a commit or a pull request's merge names is asked for once or twice: its answers would only displace others.
    request.isAskedAgain = !ref.hasPrefix("refs/") && (ref.count != 40 || !ref.allSatisfy(\.isHexDigit))
    let response = try await client.send(request, on: .repository(repository, installationID: installationID))
      .expecting(200, "\(path) of \(repository) at \(ref)")
    guard let text = String(data: response.body, encoding: .utf8) else {
      throw .invalid("\(path) of \(repository) at \(ref) is not UTF-8 text")
    }
    return text
  }

  /// `GET /repos/{owner}/{repo}/actions/jobs/{job_id}`.
  package func job(id: Int64, repository: Repository, installationID: Int64?) async throws(ForgeError) -> JobReport {
    try await read(WireJob.self, ["actions", "jobs", "\(id)"], repository.fullName, installationID)
      .report(action: nil, repository: repository, organization: nil, installationID: installationID)
  }

  /// `POST /repos/{owner}/{repo}/actions/runs/{run_id}/cancel`. A run that has ended already is as good as cancelled.
  package func cancelRun(id: Int64, repository: Repository, installationID: Int64?) async throws(ForgeError) {
    let repository = repository.fullName
    let path = try GitHubRequest.repository(repository) + ["actions", "runs", "\(id)", "cancel"]
    let response = try await client.send(try GitHubRequest(.POST, path), on: .repository(repository, installationID: installationID))
    if response.status == 409 { return }
    _ = try response.expecting(202, "cancelling run \(id) of \(repository)")
  }

  /// A check run with an App (handle `check:ID`), a commit status with a token (handle `status`).
  package func publish(_ update: StatusUpdate, handle: String?) async throws(ForgeError) -> String {
    try await publisher.publish(update, handle: handle)
  }

  private func read<Body: Decodable>(
    _ type: Body.Type, _ rest: [String], _ repository: String, _ installationID: Int64?
  ) async throws(ForgeError) -> Body {
    let request = try GitHubRequest(.GET, try GitHubRequest.repository(repository) + rest)
    return try await client.send(request, on: .repository(repository, installationID: installationID)).expecting(200).decoded(as: type)
  }
}
