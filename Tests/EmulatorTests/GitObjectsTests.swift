import Foundation
import Testing

@testable import Emulator

/// Git's objects over REST, and what else a client needs that brings a workflow of its own.
struct GitObjectsTests {
  private static let base = "/repos/acme/shop"
  private static let workflow = ".github/workflows/own.yml"

  private static func tree(_ path: String, _ text: String) -> JSON {
    ["tree": [["path": .string(path), "mode": "100644", "type": "blob", "content": .string(text)]]]
  }

  /// A commit of one file with no parent.
  private static func commit(_ github: LocalGitHub, _ path: String, _ text: String) async throws -> String {
    let made = try await github.call("POST", "\(base)/git/trees", tree(path, text))
    #expect(made.status == 201, "\(made.text)")
    let commit = try await github.call(
      "POST", "\(base)/git/commits", ["message": "Alone", "tree": made.body["sha"], "parents": []])
    #expect(commit.status == 201 && commit.body["tree"]["sha"] == made.body["sha"] && commit.body["parents"] == [])
    return try #require(commit.body["sha"].string)
  }

  @Test("a branch of one commit without a parent starts its own workflows and no others, and can be read and deleted")
  func branch() async throws {
    try await LocalGitHub.run { github in
      _ = try await github.push(RESTTests.workflow)
      let sha = try await Self.commit(
        github, Self.workflow, "name: Own\non: push\njobs:\n  one:\n    runs-on: x\n    steps: [{ run: echo }]\n")
      #expect(await github.server.github.ledger()["runs"].array?.count == 1, "a commit without a reference is no push")
      let made = try await github.call("POST", "\(Self.base)/git/refs", ["ref": "refs/heads/own/branch", "sha": .string(sha)])
      #expect(made.status == 201 && made.body["ref"] == "refs/heads/own/branch" && made.body["object"]["sha"].string == sha)
      let runs = try await github.call("GET", "\(Self.base)/actions/runs?branch=own/branch").body["workflow_runs"].array ?? []
      #expect(runs.map { $0["name"] } == ["Own"] && runs.first?["head_sha"].string == sha && runs.first?["event"] == "push")
      #expect(await github.server.github.ledger()["runs"].array?.count == 2)
      #expect(try await github.call("GET", "\(Self.base)/git/ref/heads/own/branch").body["object"]["type"] == "commit")
      let file = try await github.call(
        "GET", "\(Self.base)/contents/\(Self.workflow)?ref=own/branch",
        headers: ["User-Agent": "test", "Accept": "application/vnd.github.raw+json"])
      #expect(file.text.hasPrefix("name: Own"))
      #expect(try await github.call("GET", "\(Self.base)/contents/.github/workflows/ci.yml?ref=own/branch").status == 404)

      #expect(try await github.call("DELETE", "\(Self.base)/git/refs/heads/own/branch").status == 204)
      let gone = try await github.call("DELETE", "\(Self.base)/git/refs/heads/own/branch")
      #expect(gone.status == 422 && gone.body["message"] == "Reference does not exist")
      #expect(try await github.call("GET", "\(Self.base)/git/ref/heads/own/branch").status == 404)
      #expect(try await github.call("GET", "\(Self.base)/actions/runs?branch=own/branch").body["total_count"] == 1, "its run stays")
    }
  }

  @Test("a tree shows its first level, and builds on another")
  func trees() async throws {
    try await LocalGitHub.run { github in
      _ = try await github.push(RESTTests.workflow, files: ["README.md": "shop\n"])
      let first = try await github.call("POST", "\(Self.base)/git/trees", Self.tree("docs/a.txt", "a"))
      #expect(first.body["tree"].array?.map { $0["path"] } == ["docs"] && first.body["tree"].array?.first?["type"] == "tree")
      var next = Self.tree("b.txt", "b")
      next = next.merging(["base_tree": first.body["sha"]])
      let second = try await github.call("POST", "\(Self.base)/git/trees", next)
      #expect(second.body["tree"].array?.map { $0["path"] } == ["b.txt", "docs"] && second.body["truncated"] == false)
      // As git makes it: `printf b | git hash-object --stdin`.
      #expect(second.body["tree"].array?.first?["sha"] == "63d8dbd40c23542e740659a7168a0ce3138ea748")
    }
  }

  @Test(
    "what is no tree, commit or reference is refused in GitHub's words",
    arguments: [
      ("git/trees", #"{"tree": []}"#, "Invalid tree info"),
      ("git/trees", #"{"tree": [{"path": "a", "mode": "040000", "type": "tree", "content": ""}]}"#, "Must supply a valid tree.mode"),
      (
        "git/trees", #"{"base_tree": "0000", "tree": [{"path": "a", "mode": "100644", "type": "blob", "content": ""}]}"#,
        "base_tree is not a valid tree oid"
      ),
      ("git/commits", #"{"message": "m", "tree": "0000"}"#, "Tree SHA does not exist"),
      ("git/commits", #"{"tree": "0000"}"#, "Validation Failed"),
      ("git/refs", #"{"ref": "refs/heads/new", "sha": "0000"}"#, "Object does not exist"),
      ("git/refs", #"{"ref": "new", "sha": "0000"}"#, "Reference name must contain at least three slash-separated components."),
      ("git/refs", #"{"ref": "refs/heads/main", "sha": "0000"}"#, "Reference already exists"),
      ("git/refs", #"{"ref": "refs/heads/new"}"#, "Validation Failed"),
    ])
  func refusals(_ path: String, _ body: String, _ message: String) async throws {
    try await LocalGitHub.run { github in
      _ = try await github.push(RESTTests.workflow)
      let reply = try await github.call("POST", "\(Self.base)/\(path)", try JSON(parsing: Data(body.utf8)))
      #expect(reply.status == 422 && reply.body["message"].string == message)
    }
  }

  @Test("an empty repository has none of Git's objects, an archived one takes none, and one without Actions starts no run")
  func states() async throws {
    try await LocalGitHub.run({
      $0.repositories += [.init("acme/old", isArchived: true), .init("acme/quiet", runsActions: false)]
    }) { github in
      #expect(try await github.call("GET", "\(Self.base)/git/ref/heads/main").status == 409)
      #expect(try await github.call("POST", "\(Self.base)/git/trees", Self.tree("a", "a")).status == 409)
      let archived = try await github.call("POST", "/repos/acme/old/git/trees", Self.tree("a", "a"))
      #expect(archived.status == 403 && archived.body["message"] == "Repository was archived so is read-only.")
      #expect(try await github.call("GET", "/repos/acme/old").body["archived"] == true)
      #expect(try await github.call("GET", "/repos/acme/quiet/actions/permissions").body == ["enabled": false])
      #expect(try await github.call("GET", "\(Self.base)/actions/permissions").body["enabled"] == true)
      let push = Push(repository: "acme/quiet", files: [".github/workflows/ci.yml": RESTTests.workflow])
      #expect(try await github.server.github.push(push).runs.isEmpty)
    }
  }

  @Test("contents and workflow files each need their right")
  func rights() async throws {
    try await LocalGitHub.run({ $0.permissions["workflows"] = nil }) { github in
      _ = try await github.push(RESTTests.workflow)
      #expect(try await github.call("POST", "\(Self.base)/git/trees", Self.tree("a", "a")).status == 201)
      let refused = try await github.call("POST", "\(Self.base)/git/trees", Self.tree(Self.workflow, "a"))
      #expect(refused.status == 403 && refused.headers["x-accepted-github-permissions"]?.contains("workflows=write") == true)
    }
    try await LocalGitHub.run({ $0.permissions["contents"] = "read" }) { github in
      _ = try await github.push(RESTTests.workflow)
      #expect(try await github.call("GET", "\(Self.base)/git/ref/heads/main").status == 200)
      #expect(try await github.call("DELETE", "\(Self.base)/git/refs/heads/main").status == 403)
    }
  }

  @Test("a read that is known already is answered 304 without a body, until something changes")
  func conditional() async throws {
    try await LocalGitHub.run { github in
      let path = "/orgs/acme/actions/runners"
      let first = try await github.call("GET", path)
      let tag = try #require(first.headers["etag"])
      let known = ["User-Agent": "test", "If-None-Match": tag]
      let again = try await github.call("GET", path, headers: known)
      #expect(again.status == 304 && again.text.isEmpty && again.headers["etag"] == tag)
      _ = try await github.register("one")
      #expect(try await github.call("GET", path, headers: known).status == 200)
    }
  }

  @Test("a classic token shows scopes and end, a fine-grained one neither")
  func tokens() async throws {
    try await LocalGitHub.run({
      $0.tokenScopes = ["repo", "workflow"]
      $0.tokenExpiresAt = Date(timeIntervalSince1970: 1_798_761_599)
    }) { github in
      let reply = try await github.call("GET", "/user")
      #expect(reply.headers["x-oauth-scopes"] == "repo, workflow")
      #expect(reply.headers["github-authentication-token-expiration"] == "2026-12-31 23:59:59 UTC")
      #expect(try await github.call("GET", "/versions", token: nil).headers["x-oauth-scopes"] == nil)
    }
    try await LocalGitHub.run { github in
      let reply = try await github.call("GET", "/user")
      #expect(reply.status == 200 && reply.headers["x-oauth-scopes"] == nil)
    }
  }
}
