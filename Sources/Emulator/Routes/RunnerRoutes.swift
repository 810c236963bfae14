import Foundation

/// Self-hosted runners of repositories and of the organisation.
extension Route {
  static let runners: [Route] =
    scoped("/orgs/{org}", .permission("organization_self_hosted_runners", "write"), .permission("organization_self_hosted_runners", "read"))
    + scoped("/repos/{owner}/{repo}", .permission("administration", "write"), .permission("administration", "read"))
    + [
      Route("GET", "/orgs/{org}/actions/runner-groups", .permission("organization_self_hosted_runners", "read")) { call, github in
        _ = try await github.scope(of: call)
        let shapes = await github.shapes
        var groups = await github.groups
        if let name = call[query: "visible_to_repository"] {
          groups = groups.filter { $0.repositories?.contains("\(call.text("org"))/\(name)") ?? true }
        }
        return .page(groups.map(shapes.runnerGroup), "runner_groups", for: call, baseURL: shapes.baseURL)
      }
    ]

  private static func scoped(_ scope: String, _ write: Access, _ read: Access) -> [Route] {
    [
      Route("POST", "\(scope)/actions/runners/generate-jitconfig", write) { call, github in
        let body = try call.json()
        let record = try await github.register(body, in: try await github.scope(of: call))
        let configuration = try await github.encodedConfiguration(of: record, workFolder: body["work_folder"].string ?? "_work")
        try await Task.sleep(for: github.configuration.registrationLatency)
        return .json(["runner": await github.shapes.runner(record), "encoded_jit_config": .string(configuration)], status: 201)
      },
      Route("POST", "\(scope)/actions/runners/registration-token", write) { call, github in
        _ = try await github.scope(of: call)
        return .json(await github.runnerToken(), status: 201)
      },
      Route("POST", "\(scope)/actions/runners/remove-token", write) { call, github in
        _ = try await github.scope(of: call)
        return .json(await github.runnerToken(), status: 201)
      },
      Route("GET", "\(scope)/actions/runners", read) { call, github in
        let shapes = await github.shapes
        var found = await github.runners(in: try await github.scope(of: call))
        if let name = call[query: "name"] { found = found.filter { $0.name.lowercased() == name.lowercased() } }
        return .page(found.map(shapes.runner), "runners", for: call, baseURL: shapes.baseURL)
      },
      Route("GET", "\(scope)/actions/runners/{runner_id}", read) { call, github in
        let record = try await github.runner(try call.id("runner_id"), in: try await github.scope(of: call))
        return .json(await github.shapes.runner(record))
      },
      Route("DELETE", "\(scope)/actions/runners/{runner_id}", write) { call, github in
        try await github.deleteRunner(try call.id("runner_id"), in: try await github.scope(of: call))
        return .empty(204)
      },
    ]
  }
}

extension EmulatedGitHub {
  /// The organisation or repository that a path names.
  ///
  /// - Throws: 404 for what is not here.
  func scope(of call: Call) throws(Refusal) -> JobQueue.Scope {
    if let organisation = call.parameters["org"] {
      guard organisation.lowercased() == configuration.organisation.lowercased() else { throw .notFound }
      return .organisation(configuration.organisation)
    }
    return .repository(try repository(call.text("owner"), call.text("repo")).fullName)
  }

  /// A token for `config.sh`, which the stand-in runner does not have; it ends after an hour.
  func runnerToken() -> JSON {
    ["token": .string(UUID().uuidString.replacing("-", with: "")), "expires_at": .time(now() + 3600)]
  }
}
