import AsyncHTTPClient
import Domain
import Foundation
import GitHubDescription
import JWTKit
import Logging
import RunnerHub
import Testing

@testable import GitHub

@Suite("An App's rights are found, kept and renewed", .timeLimit(.minutes(2))) struct AuthorityTests {
  private let run = "GET /repos/acme/shop/actions/runs/7"
  private let lookup = "GET /repos/acme/shop/installation"
  private func tokens(_ id: Int64) -> String { "POST /app/installations/\(id)/access_tokens" }

  private func example(_ name: String, _ changes: [String: JSONValue] = [:]) throws -> JSONValue {
    var value = try #require(try GitHubDescription.standard().example(name))
    for (name, change) in changes { value[name] = change }
    return value
  }
  private func token(_ secret: String, _ time: TestTime, seconds: Double = 3600) throws -> Answer {
    let end = (time.now + seconds).formatted(.iso8601)
    return try .json(try example("installation-token", ["token": .string(secret), "expires_at": .string(end)]), status: 201)
  }
  private func installation(_ id: Int64) throws -> Answer { try .json(try example("installation", ["id": .integer(id)])) }
  private func ask(_ forge: GitHubForge, installation: Int64? = nil) async throws {
    _ = try await forge.run(id: 7, repository: "acme/shop", installationID: installation)
  }

  @Test("the App shows itself by a token of its key, never longer than GitHub allows", arguments: [false, true])
  func appToken(isPKCS8: Bool) async throws {
    let time = TestTime()
    let github = ScriptedGitHub([
      lookup: [try installation(5)], tokens(5): [try token("ghs_1", time)], run: [try .json(try example("workflow-run"))],
    ])
    let pem = isPKCS8 ? try AppKey.pkcs8() : try AppKey.pkcs1()
    #expect(pem.contains("BEGIN RSA PRIVATE KEY") != isPKCS8)
    try await github.withForge(.app(id: "4711", privateKeyPEM: pem), time: time) { forge in try await ask(forge) }
    #expect(github.calls == [lookup, tokens(5), run])
    #expect(github.exchanges.last?.requestHeaders["authorization"] == "Bearer ghs_1")

    struct Claims: JWTPayload {
      let iss: String
      let iat: Int
      let exp: Int
      func verify(using algorithm: some JWTAlgorithm) throws {}
    }
    let keys = await JWTKeyCollection().add(rsa: try Insecure.RSA.PublicKey(pem: try AppKey.publicPEM()), digestAlgorithm: .sha256)
    for exchange in github.exchanges.prefix(2) {
      let jwt = try #require(exchange.requestHeaders["authorization"]).dropFirst("Bearer ".count)
      let claims = try await keys.verify(String(jwt), as: Claims.self)
      #expect(claims.iss == "4711")
      #expect(claims.iat == Int(time.now.timeIntervalSince1970) - 60)
      #expect(claims.exp - claims.iat == 540)
    }
  }

  @Test("a token that was rotated takes the old one's place without a gap; what is none, or of another sort, does not")
  func rotated() async throws {
    let github = ScriptedGitHub([run: [try .json(try example("workflow-run")), try .json(try example("workflow-run"))]])
    try await github.withForge(.token("ghp_old")) { forge in
      try await ask(forge)
      try await forge.client.replace(.token("ghp_new"))
      await #expect(throws: ForgeError.self) { try await forge.client.replace(.token("")) }
      await #expect(throws: ForgeError.self) { try await forge.client.replace(try AppKey.app()) }
      try await ask(forge)
    }
    #expect(github.exchanges.map { $0.requestHeaders["authorization"] } == ["Bearer ghp_old", "Bearer ghp_new"])
  }

  @Test("a token is asked for once by many, and again shortly before its end") func tokenIsKept() async throws {
    let time = TestTime()
    let github = ScriptedGitHub([
      tokens(5): [try token("ghs_1", time), try token("ghs_2", time, seconds: 7200)], run: [try .json(try example("workflow-run"))],
    ])
    try await github.withForge(try AppKey.app(), time: time) { forge in
      try await withThrowingTaskGroup(of: Void.self) { tasks in
        for _ in 0..<10 { tasks.addTask { try await ask(forge, installation: 5) } }
        try await tasks.waitForAll()
      }
      #expect(github.count(tokens(5)) == 1)
      time.advance(by: 3299)
      try await ask(forge, installation: 5)
      #expect(github.count(tokens(5)) == 1)
      time.advance(by: 2)
      try await ask(forge, installation: 5)
      #expect(github.count(tokens(5)) == 2)
    }
    #expect(github.exchanges.last?.requestHeaders["authorization"] == "Bearer ghs_2")
  }

  @Test("a token that was revoked is renewed once") func revokedToken() async throws {
    let time = TestTime()
    let github = ScriptedGitHub([
      tokens(5): [try token("ghs_1", time), try token("ghs_2", time)],
      run: [.message(401, "Bad credentials"), try .json(try example("workflow-run")), .message(401, "Bad credentials")],
    ])
    try await github.withForge(try AppKey.app(), time: time) { forge in
      try await ask(forge, installation: 5)
      #expect(github.calls == [tokens(5), run, tokens(5), run])
      await expectRefusal("Bad credentials") { try await ask(forge, installation: 5) }
    }
    #expect(github.count(run) == 4)
  }

  @Test("an App that was installed anew is found again, and its old number forgotten") func newInstallation() async throws {
    let time = TestTime()
    let github = ScriptedGitHub([
      tokens(5): [.message(404, "Not Found")], lookup: [try installation(6)], tokens(6): [try token("ghs_6", time)],
      run: [try .json(try example("workflow-run"))],
    ])
    try await github.withForge(try AppKey.app(), time: time) { forge in
      try await ask(forge, installation: 5)
      try await ask(forge, installation: 5)
    }
    #expect(github.calls == [tokens(5), lookup, tokens(6), run, run])
  }

  @Test("an organisation's runners are registered with its own installation") func organizationInstallation() async throws {
    let time = TestTime()
    let groups = "GET /orgs/acme/actions/runner-groups"
    let github = ScriptedGitHub([
      "GET /orgs/acme/installation": [try installation(8)], tokens(8): [try token("ghs_8", time)],
      groups: [try .json(try example("runner-groups-org"))],
    ])
    try await github.withForge(try AppKey.app(), time: time) { forge in
      let request = RunnerRequest(
        name: "rh-1", jobClass: .init(scope: "acme", group: "none such", labels: ["x"]), repository: "other/shop", installationID: 5)
      await expectRefusal("runner group “none such”") { try await forge.register(request) }
    }
    #expect(github.calls == ["GET /orgs/acme/installation", tokens(8), groups])
  }

  @Test("an App that is not installed is said to be so") func notInstalled() async throws {
    let github = ScriptedGitHub([lookup: [.message(404, "Not Found")]])
    try await github.withForge(try AppKey.app()) { forge in
      await expectRefusal("the GitHub App's installation on acme/shop") { try await ask(forge) }
    }
  }

  @Test("a credential that cannot be one is refused without being shown", arguments: ["", "two words", "line\n"])
  func badToken(token: String) async throws {
    let settings = GitHubSettings()
    let http = GitHubClient.makeHTTPClient(settings: settings)
    await expectRefusal("the GitHub token") {
      try await GitHubClient(settings: settings, credentials: .token(token), http: http, logger: Logger(label: "test"))
    }
    let key = "-----BEGIN RSA PRIVATE KEY-----\nbm90IGEga2V5\n-----END RSA PRIVATE KEY-----"
    let error = await expectRefusal("GitHub App 1 is not an RSA key") {
      try await GitHubClient(settings: settings, credentials: .app(id: "1", privateKeyPEM: key), http: http, logger: Logger(label: "test"))
    }
    #expect(error?.description.contains("bm90") == false)
    try await http.shutdown()
  }
}

@Suite("Secrets stay secret", .timeLimit(.minutes(1))) struct SecrecyTests {
  private let secret = "github_pat_0123456789abcdef"

  @Test("no description or dump shows a credential") func descriptions() {
    for credentials in [GitHubCredentials.token(secret), .app(id: "1", privateKeyPEM: secret)] {
      var dumped = ""
      dump(credentials, to: &dumped)
      for text in ["\(credentials)", String(reflecting: credentials), dumped] { #expect(!text.contains(secret)) }
    }
    let grant = Grant(credential: "token", secret: secret)
    var dumped = ""
    dump(grant, to: &dumped)
    for text in ["\(grant)", String(reflecting: grant), dumped] { #expect(!text.contains(secret)) }
  }

  @Test(
    "no error shows the token, even when the other side echoes it",
    arguments: [400, 401, 403, 404, 409, 418, 422, 429, 500, 503])
  func errors(status: Int) async throws {
    let echo = "you sent Bearer \(secret)"
    let path = "GET /repos/acme/shop/actions/runs/7"
    let generate = "POST /orgs/acme/actions/runners/generate-jitconfig"
    let github = ScriptedGitHub([path: [.message(status, echo)], generate: [.message(status, echo)]])
    try await github.withForge(.token(secret)) { forge in
      let first = await expectRefusal("") { try await forge.run(id: 7, repository: "acme/shop", installationID: nil) }
      let request = RunnerRequest(name: "rh-1", jobClass: .init(scope: "acme", labels: ["x"]), repository: "acme/shop", installationID: nil)
      let second = await expectRefusal("") { try await forge.register(request) }
      for error in [first, second] {
        let error = try #require(error)
        #expect(!error.description.contains(secret) && !String(reflecting: error).contains(secret))
      }
      #expect(first?.description.contains("***") == true)
    }
  }

  @Test("no error shows the token when the connection breaks or the answer is garbage") func brokenAnswers() async throws {
    for answer in [Answer.cut, Answer(body: #"{"id": "\#(secret)"}"#), .empty(302, headers: ["Location": "http://\(secret)@/"])] {
      let github = ScriptedGitHub(["GET /repos/acme/shop/actions/runs/7": [answer]])
      try await github.withForge(.token(secret), checks: false) { forge in
        let error = await expectRefusal("") { try await forge.run(id: 7, repository: "acme/shop", installationID: nil) }
        let text = try #require(error).description
        #expect(!text.contains(secret))
      }
    }
  }
}
