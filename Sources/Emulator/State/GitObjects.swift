import Crypto
import Foundation

/// Trees, commits and references as REST makes them. Trees hold text files only.
extension EmulatedGitHub {
  /// - Throws: 403 for an archived repository, 404 for one that is not here.
  func writable(_ call: Call) throws(Refusal) -> RepositoryRecord {
    let found = try repository(call)
    guard !found.isArchived else { throw Refusal(403, "Repository was archived so is read-only.") }
    return found
  }

  /// - Throws: 403 for a workflow file without the right to write those, 409 for an empty repository, 422 for what is no tree.
  func createTree(_ body: JSON, in repository: RepositoryRecord) throws(Refusal) -> JSON {
    try repository.refuseIfEmpty()
    guard let items = body["tree"].array, !items.isEmpty else { throw Refusal(422, "Invalid tree info") }
    var files: [String: String] = [:]
    if let base = body["base_tree"].string {
      guard let tree = repository.tree(base) else { throw Refusal(422, "base_tree is not a valid tree oid") }
      files = tree
    }
    for item in items {
      guard let path = item["path"].string, !path.isEmpty, !path.hasPrefix("/") else { throw Refusal(422, "tree.path cannot be empty") }
      guard ["100644", "100755"].contains(item["mode"].string), item["type"].string == "blob" else {
        throw Refusal(422, "Must supply a valid tree.mode")
      }
      guard let content = item["content"].string else { throw Refusal(422, "Must supply either tree.sha or tree.content") }
      files[path] = content
    }
    guard !files.keys.contains(where: Self.isWorkflow) || configuration.permissions["workflows"] == "write" else {
      throw Refusal(403, "Resource not accessible by personal access token", acceptedPermissions: "contents=write,workflows=write")
    }
    let sha = Self.treeSHA(of: files)
    repositories[repository.fullName.lowercased()]?.trees[sha] = files
    return shapes.tree(sha, of: files, in: repository)
  }

  /// - Throws: 409 for an empty repository, 422 for a missing message, tree or parent.
  func createCommit(_ body: JSON, in repository: RepositoryRecord) throws(Refusal) -> JSON {
    try repository.refuseIfEmpty()
    guard let message = body["message"].string else { throw .invalid("Commit", "message", code: "missing_field") }
    guard let treeSHA = body["tree"].string, let files = repository.tree(treeSHA) else { throw Refusal(422, "Tree SHA does not exist") }
    let parents = (body["parents"].array ?? []).compactMap(\.string)
    guard parents.allSatisfy({ repository.commits[$0] != nil }) else {
      throw Refusal(422, "Parent SHA does not exist or is not a commit object")
    }
    let commit = Self.commit(parents: parents, files: files, message: message, at: now(), number: makeID())
    repositories[repository.fullName.lowercased()]?.commits[commit.sha] = commit
    return shapes.gitCommit(commit, parents: parents, in: repository)
  }

  /// Makes a reference. A branch is a push of its commit, which starts what its own workflows say.
  ///
  /// - Throws: 409 for an empty repository, 422 for a bad or taken name, or a commit that is not here.
  func createReference(_ body: JSON, in repository: RepositoryRecord) throws(Refusal) -> (name: String, sha: String) {
    try repository.refuseIfEmpty()
    guard let name = body["ref"].string, let sha = body["sha"].string else {
      throw .invalid("Reference", body["ref"].string == nil ? "ref" : "sha", code: "missing_field")
    }
    guard name.hasPrefix("refs/"), name.split(separator: "/").count >= 3 else {
      throw Refusal(422, "Reference name must contain at least three slash-separated components.")
    }
    guard repository.references[name] == nil else { throw Refusal(422, "Reference already exists") }
    guard let commit = repository.commits[sha] else { throw Refusal(422, "Object does not exist") }
    repositories[repository.fullName.lowercased()]?.references[name] = sha
    if name.hasPrefix("refs/heads/") {
      _ = startWorkflows(
        for: Push(repository: repository.fullName, files: [:], ref: name, message: commit.message), commit: commit, parent: nil)
    }
    return (name, sha)
  }

  /// Runs of a branch outlive it.
  ///
  /// - Throws: 422 for one that is not here.
  func deleteReference(_ name: String, in repository: RepositoryRecord) throws(Refusal) {
    guard repository.references[name] != nil else { throw Refusal(422, "Reference does not exist") }
    repositories[repository.fullName.lowercased()]?.references[name] = nil
  }
}

extension RepositoryRecord {
  /// The files of a tree: one that REST made, or a commit's.
  fileprivate func tree(_ sha: String) -> [String: String]? {
    trees[sha] ?? commits.values.first { $0.treeSHA == sha }?.files
  }
}
