package import Domain
import NIOHTTP1
package import RunnerHub

extension GitHubForge: JobSearch {
  /// `GET /repos/{owner}/{repo}/actions/runs?status=`, the newest hundred.
  package func runs(
    _ status: OpenRunStatus, of repository: String, installationID: Int64?
  ) async throws(ForgeError) -> [RunReport] {
    struct Page: Decodable {
      let runs: [WireRun]
      enum CodingKeys: String, CodingKey { case runs = "workflow_runs" }
    }
    let path = try GitHubRequest.repository(repository) + ["actions", "runs"]
    let request = try GitHubRequest(.GET, path, query: ["status": status.rawValue, "per_page": "100"], for: .sweep)
    let response = try await client.send(request, on: .repository(repository, installationID: installationID))
    let page = try response.expecting(200, "\(status.rawValue) runs of \(repository)").decoded(as: Page.self)
    return page.runs.map { $0.report(action: nil, repository: repository, defaultBranch: nil) }
  }

  /// `GET /repos/{owner}/{repo}/actions/runs/{run_id}/jobs`: of the latest attempt.
  package func jobs(ofRun id: Int64, repository: Repository, installationID: Int64?) async throws(ForgeError) -> [JobReport] {
    struct Page: Decodable { let jobs: [WireJob] }
    let path = try GitHubRequest.repository(repository.fullName) + ["actions", "runs", "\(id)", "jobs"]
    let request = try GitHubRequest(.GET, path, query: ["filter": "latest", "per_page": "100"], for: .sweep)
    var found: [JobReport] = []
    let ground = Ground.repository(repository.fullName, installationID: installationID)
    for page in try await client.pages(request, on: ground, as: Page.self) {
      found += page.jobs.map { $0.report(action: nil, repository: repository, organization: nil, installationID: installationID) }
    }
    return found
  }

  /// `GET /orgs/{org}/repos?sort=pushed`, the hundred that were pushed to last.
  package func repositories(of organization: String) async throws(ForgeError) -> [Repository] {
    let request = try GitHubRequest(
      .GET, ["orgs", organization, "repos"], query: ["sort": "pushed", "direction": "desc", "per_page": "100"], for: .sweep)
    let response = try await client.send(request, on: .organization(organization, installationID: nil))
    return try response.expecting(200, "repositories of \(organization)").decoded(as: [WireRepository].self).map(\.repository)
  }
}
