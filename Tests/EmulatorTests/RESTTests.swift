import Foundation
import JWTKit
import Testing

@testable import Emulator

/// What the server answers and refuses over HTTP, as GitHub does.
struct RESTTests {
  static let workflow = "name: CI\non: push\njobs:\n  build:\n    runs-on: [self-hosted, linux]\n    steps: [{ run: echo hello }]\n"

  @Test("registrations are made, listed, found by name and deleted")
  func registrations() async throws {
    try await LocalGitHub.run { github in
      let made = try await github.call(
        "POST", "/repos/acme/shop/actions/runners/generate-jitconfig",
        ["name": "one", "runner_group_id": 1, "labels": ["Self-Hosted", "GPU", "gpu"], "work_folder": "_w"])
      #expect(made.status == 201)
      let runner = made.body["runner"]
      #expect(runner["labels"].array?.map { $0["name"].string } == ["self-hosted", "gpu"])
      #expect(runner["status"] == "offline" && runner["busy"] == false && runner["os"] == "unknown")
      let id = try #require(runner["id"].int)
      let path = "/repos/acme/shop/actions/runners"
      #expect(try await github.call("GET", "\(path)?name=one").body["total_count"] == 1)
      #expect(try await github.call("GET", "\(path)?name=on").body["total_count"] == 0)
      #expect(try await github.call("GET", "/orgs/acme/actions/runners").body["total_count"] == 0, "it is the repository's")
      #expect(try await github.call("GET", "\(path)/\(id)").body["name"] == "one")
      #expect(try await github.call("DELETE", "\(path)/\(id)").status == 204)
      #expect(try await github.call("DELETE", "\(path)/\(id)").status == 404)
      #expect(try await github.call("GET", "\(path)/\(id)").status == 404)
    }
  }

  @Test(
    "a registration with a bad field is refused",
    arguments: [
      (#"{"runner_group_id": 1, "labels": ["x"]}"#, 422), (#"{"name": "", "runner_group_id": 1, "labels": ["x"]}"#, 422),
      (#"{"name": "n", "labels": ["x"]}"#, 422), (#"{"name": "n", "runner_group_id": "1", "labels": ["x"]}"#, 422),
      (#"{"name": "n", "runner_group_id": 1}"#, 422), (#"{"name": "n", "runner_group_id": 1, "labels": []}"#, 422),
      (#"{"name": "n", "runner_group_id": 1, "labels": [7]}"#, 422), (#"{"name": "n", "runner_group_id": 99, "labels": ["x"]}"#, 404),
      (#"{"name": "taken", "runner_group_id": 1, "labels": ["x"]}"#, 409), (#"[]"#, 400),
    ])
  func badRegistrations(_ body: String, _ status: Int) async throws {
    try await LocalGitHub.run { github in
      _ = try await github.register("Taken")
      let reply = try await github.call(
        "POST", "/orgs/acme/actions/runners/generate-jitconfig", try JSON(parsing: Data(body.utf8)))
      #expect(reply.status == status)
      #expect(reply.body["message"].string?.isEmpty == false && reply.body["status"].string == "\(status)")
    }
  }

  @Test("long lists come in pages that Link names")
  func paging() async throws {
    try await LocalGitHub.run { github in
      for index in 0..<5 { _ = try await github.register("runner-\(index)") }
      let first = try await github.call("GET", "/orgs/acme/actions/runners?per_page=2")
      #expect(first.body["total_count"] == 5 && first.body["runners"].array?.count == 2)
      let link = try #require(first.headers["link"])
      #expect(link.contains("page=2>; rel=\"next\"") && link.contains("page=3>; rel=\"last\""))
      let last = try await github.call("GET", "/orgs/acme/actions/runners?per_page=2&page=3")
      #expect(last.body["runners"].array?.map { $0["name"] } == ["runner-4"])
      #expect(last.headers["link"]?.contains("rel=\"next\"") == false)
    }
  }

  @Test("wrong credentials, a missing User-Agent, unknown paths and missing rights are refused in GitHub's words")
  func refusals() async throws {
    try await LocalGitHub.run({ $0.permissions["actions"] = "read" }) { github in
      let wrong = try await github.call("GET", "/user", token: "wrong")
      #expect(wrong.status == 401 && wrong.body["message"] == "Bad credentials")
      #expect(try await github.call("GET", "/user", token: nil).body["message"] == "Requires authentication")
      #expect(try await github.call("GET", "/user", headers: ["User-Agent": ""]).status == 403)
      for path in ["/nowhere", "/repos/acme/none", "/repos/acme/shop/", "/orgs/other/actions/runners", "/repos/acme/shop/actions/runs/1"] {
        let reply = try await github.call("GET", path)
        #expect(reply.status == 404 && reply.body["message"] == "Not Found" && reply.body["status"] == "404", "\(path)")
        #expect(reply.body["documentation_url"].string?.hasPrefix("https://docs.github.com/rest") == true)
      }
      let run = try await github.push(Self.workflow)
      let cancel = try await github.call("POST", "/repos/acme/shop/actions/runs/\(run)/cancel")
      #expect(cancel.status == 403 && cancel.body["message"] == "Resource not accessible by personal access token")
      #expect(cancel.headers["x-accepted-github-permissions"] == "actions=write")
      let rate = try await github.call("GET", "/rate_limit", token: nil)
      #expect(rate.headers["x-ratelimit-limit"] == "5000" && rate.headers["x-github-api-version-selected"] == "2022-11-28")
    }
  }

  @Test("a busy runner cannot be deleted; its job shows in REST with runner, steps and log")
  func busy() async throws {
    try await LocalGitHub.run { github in
      let run = try await github.push(
        "on: push\njobs:\n  build:\n    runs-on: linux\n    steps: [{ run: 'while [ ! -e ../../../go ]; do sleep 0.05; done; echo gone' }]\n"
      )
      let (id, files) = try await github.register("one")
      let folder = try RunnerFolder(files)
      try folder.start()
      try await eventually("the job runs") { await github.job("build")["status"] == "in_progress" }
      let refused = try await github.call("DELETE", "/orgs/acme/actions/runners/\(id)")
      #expect(refused.status == 422 && refused.body["message"].string?.contains("is still running a job") == true)
      #expect(try await github.call("GET", "/orgs/acme/actions/runners/\(id)").body["busy"] == true)
      let job = try #require(await github.job("build")["id"].int)
      #expect(try await github.call("GET", "/repos/acme/shop/actions/jobs/\(job)/logs").status == 404, "there is no log before the end")
      #expect(try await github.call("POST", "/repos/acme/shop/actions/runs/\(run)/rerun").status == 403)
      try folder.write("go", "")
      #expect(try await folder.end() == 0)
      let shown = try await github.call("GET", "/repos/acme/shop/actions/jobs/\(job)").body
      #expect(shown["runner_name"] == "one" && shown["conclusion"] == "success" && shown["steps"].array?.count == 3)
      let log = try await github.call("GET", "/repos/acme/shop/actions/jobs/\(job)/logs")
      #expect(log.text.contains("Z gone"), "the client follows 302 to the log")
      #expect(try await github.call("POST", "/repos/acme/shop/actions/runs/\(run)/cancel").status == 409)
    }
  }

  @Test("a file is read raw and as JSON, at a branch and at a commit")
  func contents() async throws {
    try await LocalGitHub.run { github in
      let first = try await github.server.github.push(Push(repository: "acme/shop", files: ["docs/a.txt": "one"]))
      _ = try await github.server.github.push(Push(repository: "acme/shop", files: ["docs/a.txt": "two"]))
      let path = "/repos/acme/shop/contents/docs/a.txt"
      let raw = ["User-Agent": "test", "Accept": "application/vnd.github.raw+json"]
      #expect(try await github.call("GET", path, headers: raw).text == "two")
      #expect(try await github.call("GET", "\(path)?ref=\(first.sha)", headers: raw).text == "one")
      let shown = try await github.call("GET", "\(path)?ref=main").body
      #expect(shown["content"].string.flatMap { Data(base64Encoded: $0, options: .ignoreUnknownCharacters) } == Data("two".utf8))
      #expect(try await github.call("GET", "/repos/acme/shop/contents/docs").body.array?.first?["path"] == "docs/a.txt")
      #expect(try await github.call("GET", "/repos/acme/shop/contents/docs/b.txt").status == 404)
      #expect(try await github.call("GET", "\(path)?ref=nowhere").status == 404)
    }
  }

  @Test("a run's jobs wait for what they need, are skipped after a failure, and run again under new identifiers")
  func runsAndReruns() async throws {
    try await LocalGitHub.run { github in
      let run = try await github.push(
        """
        on: push
        jobs:
          good: { runs-on: linux, steps: [{ run: "true" }] }
          bad: { runs-on: linux, steps: [{ run: "false" }] }
          after: { needs: [good, bad], runs-on: linux, steps: [{ run: echo no }] }
          tidy: { needs: bad, if: always(), runs-on: linux, steps: [{ run: echo yes }] }
        """)
      #expect(await github.job("after") == .null, "a job that waits for others is not there yet")
      for name in ["one", "two", "three"] { _ = try await github.runOne(name) }
      #expect(await github.job("after")["conclusion"] == "skipped")
      #expect(await github.job("after")["labels"] == [])
      #expect(await github.job("tidy")["conclusion"] == "success")
      let path = "/repos/acme/shop/actions/runs/\(run)"
      #expect(try await github.call("GET", path).body["conclusion"] == "failure")
      let good = await github.job("good")["id"]
      let bad = await github.job("bad")["id"]
      #expect(try await github.call("POST", "\(path)/rerun-failed-jobs").status == 201)
      #expect(await github.job("good")["id"] == good, "what was good is kept")
      #expect(await github.job("bad")["id"] != bad)
      let again = try await github.call("GET", "\(path)/attempts/2/jobs").body
      #expect(Set(again["jobs"].array?.compactMap { $0["name"].string } ?? []) == ["good", "bad"])
      #expect(try await github.call("GET", "\(path)/attempts/1/jobs").body["total_count"] == 4)
      #expect(try await github.call("POST", "\(path)/cancel").status == 202)
      #expect(await github.job("bad")["conclusion"] == "cancelled")
      #expect(await github.job("tidy")["status"] == "queued", "what always runs does so after a cancellation too")
      _ = try await github.runOne("four")
      #expect(try await github.call("GET", path).body["conclusion"] == "cancelled")
      #expect(try await github.call("GET", "/repos/acme/shop/actions/runs?status=completed").body["total_count"] == 1)
    }
  }

  @Test("an App's JWT is verified, its installation's token may write checks, and a person's may write statuses only")
  func appAndChecks() async throws {
    let key = try Insecure.RSA.PrivateKey(pem: RSAKeys.privatePEM)
    try await LocalGitHub.run({
      $0.app = .init(id: 17, publicKeyPEM: RSAKeys.publicPEM, installationID: 23)
    }) { github in
      let sha = try await github.server.github.push(Push(repository: "acme/shop", files: ["a": "b"])).sha
      let signer = await JWTKeyCollection().add(rsa: key, digestAlgorithm: .sha256)
      func token(_ issuer: String, from: TimeInterval, to: TimeInterval) async throws -> String {
        try await signer.sign(
          Claims(iss: .init(value: issuer), iat: .init(value: Date() + from), exp: .init(value: Date() + to)))
      }
      let good = try await token("17", from: -60, to: 300)
      #expect(try await github.call("GET", "/app", token: good).body["id"] == 17)
      #expect(try await github.call("GET", "/repos/acme/shop/installation", token: good).body["id"] == 23)
      for bad in [
        try await token("18", from: -60, to: 300), try await token("17", from: -900, to: -300), try await token("17", from: -60, to: 1200),
        good.dropLast(8) + "AAAAAAAA", "a.b.c",
      ] {
        #expect(try await github.call("GET", "/app", token: String(bad)).status == 401)
      }
      #expect(try await github.call("GET", "/app").status == 401, "a person is no App")
      let made = try await github.call("POST", "/app/installations/23/access_tokens", [:], token: good)
      #expect(made.status == 201 && made.body["permissions"]["checks"] == "write")
      let installation = try #require(made.body["token"].string)
      #expect(try await github.call("POST", "/app/installations/24/access_tokens", [:], token: good).status == 404)

      let check: JSON = ["name": "RunnerHub", "head_sha": .string(sha), "external_id": "job-1"]
      let refused = try await github.call("POST", "/repos/acme/shop/check-runs", check)
      #expect(refused.status == 403 && refused.body["message"] == "Resource not accessible by personal access token")
      let created = try await github.call("POST", "/repos/acme/shop/check-runs", check, token: installation)
      #expect(created.status == 201 && created.body["status"] == "queued" && created.body["external_id"] == "job-1")
      let id = try #require(created.body["id"].int)
      let annotation: JSON = ["path": ".github", "start_line": 1, "end_line": 1, "annotation_level": "warning", "message": "m"]
      for _ in 0..<2 {
        let patched = try await github.call(
          "PATCH", "/repos/acme/shop/check-runs/\(id)",
          ["conclusion": "success", "output": ["title": "t", "summary": "s", "annotations": [annotation]]], token: installation)
        #expect(patched.status == 200 && patched.body["status"] == "completed" && !patched.body["completed_at"].isNull)
      }
      #expect(try await github.call("GET", "/repos/acme/shop/check-runs/\(id)").body["output"]["annotations_count"] == 2, "they append")
      let tooMany: JSON = ["output": ["title": "t", "summary": "s", "annotations": .array(Array(repeating: annotation, count: 51))]]
      #expect(try await github.call("PATCH", "/repos/acme/shop/check-runs/\(id)", tooMany, token: installation).status == 422)
      let unknown: JSON = ["name": "n", "head_sha": "0000"]
      #expect(try await github.call("POST", "/repos/acme/shop/check-runs", unknown, token: installation).status == 422)
      let list = try await github.call("GET", "/repos/acme/shop/commits/\(sha)/check-runs?check_name=RunnerHub")
      #expect(list.body["total_count"] == 1)

      let path = "/repos/acme/shop/statuses/\(sha)"
      #expect(try await github.call("POST", path, ["state": "pending", "context": "rh"]).status == 201)
      #expect(try await github.call("POST", path, ["state": "done"]).status == 422)
      let long = JSON.string(String(repeating: "x", count: 141))
      #expect(try await github.call("POST", path, ["state": "success", "description": long]).status == 422)
      #expect(try await github.call("GET", "/repos/acme/shop/commits/main/statuses").body.array?.count == 1)
    }
  }

  private struct Claims: JWTPayload {
    let iss: IssuerClaim
    let iat: IssuedAtClaim
    let exp: ExpirationClaim
    func verify(using algorithm: some JWTAlgorithm) throws {}
  }

  @Test("every exchange is kept for judges, without its credentials")
  func exchanges() async throws {
    try await LocalGitHub.run { github in
      _ = try await github.register("one")
      let recorded = try #require(try await github.call("GET", "/_emulator/exchanges").body.array?.last)
      #expect(recorded["method"] == "POST" && recorded["status"] == 201 && recorded["request_body"]["name"] == "one")
      #expect(recorded["response_body"]["runner"]["name"] == "one")
      #expect(!String(decoding: try recorded.encoded(), as: UTF8.self).contains(LocalGitHub.token))
    }
  }
}
