import AsyncHTTPClient
import Crypto
import Emulator
import Foundation
import NIOCore
import NIOFoundationCompat
import NIOHTTP1

/// Which news of jobs a webhook would have told since the last look. Pure.
struct JobWatch {
  /// Highest rank told of each job: a state between two looks is passed over, and none is told twice.
  private var told: [Int64: Int] = [:]

  private static let ranks = ["waiting": 0, "queued": 1, "in_progress": 2, "completed": 3]

  /// How many jobs have been told of.
  var count: Int { told.count }

  /// - Parameter jobs: as REST lists them.
  /// - Returns: jobs that went on, with the action that a delivery would have.
  mutating func news(in jobs: [JSON]) -> [(action: String, job: JSON)] {
    jobs.compactMap { job in
      guard let id = job["id"].int, let status = job["status"].string, let rank = Self.ranks[status], rank > told[id] ?? -1 else {
        return nil
      }
      told[id] = rank
      return (status, job)
    }
  }
}

/// Looks at a run's jobs and passes on to `serve`, signed, what GitHub would have delivered if it could reach this machine.
struct WebhookRelay: Sendable {
  let run: VerifiedRun
  let repository: VerifiedRepository
  let github: VerifyClient
  let target: String
  let secret: String
  let sender: JSON
  private var watch = JobWatch()
  private var etag: String?
  private(set) var jobs: [JSON] = []
  private(set) var looks = 0
  /// Looks that GitHub answered with 304, which cost nothing of the rate limit.
  private(set) var unchanged = 0
  private(set) var rate: String?

  init(run: VerifiedRun, repository: VerifiedRepository, github: VerifyClient, target: String, secret: String) {
    self.run = run
    self.repository = repository
    self.github = github
    self.target = target
    self.secret = secret
    sender = repository.json["owner"]
  }

  /// Whether every job of the run has been told of once, so that none can be missed.
  func knows(_ count: Int) -> Bool { watch.count >= count }

  /// Looks once.
  /// - Returns: a line for each delivery.
  mutating func turn() async throws -> [String] {
    let answer = try await github.send(.GET, repository.path("actions/runs/\(run.id)/jobs?per_page=100"), etag: etag)
      .expecting(200, 304, right: .readActions)
    looks += 1
    rate = RateNote.text(of: answer) ?? rate
    guard answer.status == 200 else {
      unchanged += 1
      return []
    }
    etag = answer.header("etag")
    jobs = answer.json["jobs"].array ?? []
    var lines: [String] = []
    for (action, job) in watch.news(in: jobs) {
      let status = try await deliver(action, job)
      let name = job["name"].string ?? ""
      let runner = job["runner_name"].string.map { $0.isEmpty ? "" : ", runner \($0)" } ?? ""
      lines.append("workflow_job \(action) of \(name) (\(job["id"].int ?? 0)\(runner)) → \(status)")
      guard status == 202 || status == 200 else {
        throw VerifyFailure(seen: "serve answered \(status) to a delivery for \(name)", advice: "see its log")
      }
    }
    return lines
  }

  private func deliver(_ action: String, _ job: JSON) async throws -> Int {
    let payload: JSON = ["action": .string(action), "workflow_job": job, "repository": repository.json, "sender": sender]
    let body = try payload.encoded()
    let signature = HMAC<SHA256>.authenticationCode(for: body, using: SymmetricKey(data: Data(secret.utf8)))
    var request = HTTPClientRequest(url: target)
    request.method = .POST
    request.headers = [
      "Content-Type": "application/json", "User-Agent": "RunnerHub-verify", "X-GitHub-Event": "workflow_job",
      "X-GitHub-Delivery": UUID().uuidString.lowercased(), "X-Hub-Signature-256": "sha256=\(Self.hexadecimal(signature))",
    ]
    request.body = .bytes(ByteBuffer(data: body))
    let response = try await HTTPClient.shared.execute(request, timeout: .seconds(10))
    _ = try await response.body.collect(upTo: 1 << 20)
    return Int(response.status.code)
  }

  private static func hexadecimal(_ bytes: some Sequence<UInt8>) -> String {
    bytes.map { byte in (byte < 16 ? "0" : "") + String(byte, radix: 16) }.joined()
  }
}
