import Foundation

/// Git's own objects: trees, commits and references. A branch that appears is a push.
///
/// Not in the described subset of the API; shapes as of <https://docs.github.com/rest/git>.
extension Route {
  private static let base = "/repos/{owner}/{repo}"
  private static let read = Access.permission("contents", "read")
  private static let write = Access.permission("contents", "write")

  static let git: [Route] = [
    Route("POST", "\(base)/git/trees", write) { call, github in
      .json(try await github.createTree(try call.json(), in: try await github.writable(call)), status: 201)
    },
    Route("POST", "\(base)/git/commits", write) { call, github in
      .json(try await github.createCommit(try call.json(), in: try await github.writable(call)), status: 201)
    },
    Route("GET", "\(base)/git/ref/{*ref}", read) { call, github in
      let repository = try await github.repository(call)
      try repository.refuseIfEmpty()
      let name = "refs/\(call.text("ref"))"
      guard let sha = repository.references[name] else { throw Refusal.notFound }
      return .json(await github.shapes.reference(name, to: sha, in: repository))
    },
    Route("POST", "\(base)/git/refs", write) { call, github in
      let repository = try await github.writable(call)
      let (name, sha) = try await github.createReference(try call.json(), in: repository)
      return .json(await github.shapes.reference(name, to: sha, in: repository), status: 201)
    },
    Route("DELETE", "\(base)/git/refs/{*ref}", write) { call, github in
      try await github.deleteReference("refs/\(call.text("ref"))", in: try await github.writable(call))
      return .empty(204)
    },
    Route("GET", "\(base)/actions/permissions", .permission("administration", "read")) { call, github in
      let repository = try await github.repository(call)
      let enabled: JSON = ["enabled": true, "allowed_actions": "all", "sha_pinning_required": false]
      return .json(repository.runsActions ? enabled : ["enabled": false])
    },
  ]
}

extension RepositoryRecord {
  /// - Throws: 409, as GitHub answers for Git's objects where there is no commit yet.
  func refuseIfEmpty() throws(Refusal) {
    guard !commits.isEmpty else { throw Refusal(409, "Git Repository is empty.") }
  }
}
