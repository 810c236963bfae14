import Emulator
import Foundation
import NIOHTTP1

/// The run that the verification made.
struct VerifiedRun: Sendable {
  let id: Int64
  let commit: String
}

/// Step 4: a branch whose only commit has no parent and holds only our workflow. A branch made from another one would start what
/// that one's workflows say to every push.
extension Verification {
  private static let path = ".github/workflows/runnerhub-verify.yml"
  private static let patience: Duration = .seconds(60)

  func startRun(in repository: VerifiedRepository) async throws -> VerifiedRun {
    let file: JSON = ["path": .string(Self.path), "mode": "100644", "type": "blob", "content": .string(plan.workflow)]
    let tree = try await make("git/trees", ["tree": [file]], in: repository)
    let commit = try await make(
      "git/commits", ["message": "Verify RunnerHub", "tree": .string(tree), "parents": []], in: repository)
    await traces.willBranch(in: repository)
    let reference = try await github.send(
      .POST, repository.path("git/refs"), ["ref": "refs/heads/\(plan.tag)", "sha": .string(commit)]
    ).expecting(201, right: .writeWorkflows)
    await list.see("\(reference.seen): \(reference.json["ref"].string ?? "no name")")
    let run = try await find(in: repository)
    await traces.note(run: run)
    return VerifiedRun(id: run, commit: commit)
  }

  /// Makes one of Git's objects, which nobody sees while no reference leads to it.
  /// - Returns: its SHA.
  private func make(_ what: String, _ body: JSON, in repository: VerifiedRepository) async throws -> String {
    // A tree with a workflow file is what a token without the right to workflows is refused first.
    let answer = try await github.send(.POST, repository.path(what), body).expecting(201, right: .writeWorkflows)
    guard let sha = answer.json["sha"].string else { throw VerifyFailure(seen: "\(answer.seen), but no SHA", advice: nil) }
    await list.see("\(answer.seen): \(sha.prefix(7))")
    return sha
  }

  private func find(in repository: VerifiedRepository) async throws -> Int64 {
    let start = ContinuousClock.now
    while ContinuousClock.now - start < Self.patience {
      let answer = try await github.send(.GET, repository.path("actions/runs?branch=\(plan.tag)")).expecting(200, right: .readActions)
      if let run = answer.json["workflow_runs"].array?.first, let id = run["id"].int {
        let waited = Checklist.text(ContinuousClock.now - start)
        await list.see("\(answer.seen): run \(id) after \(waited), event \(run["event"].string ?? "none"), \(run["status"].string ?? "")")
        return id
      }
      try await Task.sleep(for: plan.interval)
    }
    throw VerifyFailure(
      seen: "no run of the branch \(plan.tag) within \(Checklist.text(Self.patience))",
      advice: "does the organisation allow Actions here, and is https://www.githubstatus.com green?")
  }
}
