import Emulator
import Foundation
import NIOHTTP1

/// The repository as GitHub tells of it.
struct VerifiedRepository: Sendable {
  /// Also after a renaming.
  let name: String
  let defaultBranch: String
  /// Whole, as deliveries carry it.
  let json: JSON

  func path(_ rest: String) -> String { "/repos/\(name)/\(rest)" }
}

/// Steps 1 to 3: what the token and the repository are. A probe leaves nothing behind.
extension Verification {
  func seeToken() async throws {
    let answer = try await github.send(.GET, "/user").expecting(200, right: nil)
    await list.see("\(answer.seen): \(answer.json["login"].string ?? "nobody")")
    if let end = answer.header("github-authentication-token-expiration") { await list.see("the token ends at \(end)") }
    if let rate = RateNote.text(of: answer) { await list.see(rate) }
    guard let header = answer.header("x-oauth-scopes") else {
      return await list.see("the token shows no scopes, as a fine-grained one: its rights are tried one by one")
    }
    await list.see("scopes: \(header.isEmpty ? "none" : header)")
    let scopes = Set(header.split(separator: ",").map { $0.trimmingCharacters(in: .whitespaces) })
    let missing = ["repo", "workflow"].filter { !scopes.contains($0) }
    guard missing.isEmpty else {
      throw VerifyFailure(
        seen: "the token lacks the scopes \(missing.joined(separator: ", "))",
        advice: "tick them at the token, or make a fine-grained one for this repository alone: \(TokenAdvice.needed)")
    }
  }

  func seeRepository() async throws -> VerifiedRepository {
    let answer = try await github.send(.GET, "/repos/\(plan.repository)").expecting(200, right: .readRepository)
    let json = answer.json
    guard let name = json["full_name"].string, let branch = json["default_branch"].string else {
      throw VerifyFailure(seen: "\(answer.seen), but no repository", advice: "is \(plan.apiURL) the address of GitHub's API?")
    }
    let repository = VerifiedRepository(name: name, defaultBranch: branch, json: json)
    let visibility = json["visibility"].string ?? (json["private"].bool == true ? "private" : "public")
    await list.see("\(answer.seen): \(name), id \(json["id"].int ?? 0), \(visibility), default branch \(branch)")
    if json["archived"].bool == true || json["disabled"].bool == true {
      throw VerifyFailure(seen: "the repository is archived or disabled: nothing runs in it", advice: "name another one")
    }
    if visibility == "public", !plan.allowsPublic {
      throw VerifyFailure(
        seen: "the repository is public: a stranger's pull request could run code on this machine",
        advice: "name a private one, made for this; or say --allow-public if you know why")
    }
    let actions = try await github.send(.GET, repository.path("actions/permissions")).expecting(200, right: .readAdministration)
    let isEnabled = actions.json["enabled"].bool == true
    await list.see("\(actions.seen): Actions are \(isEnabled ? "enabled" : "disabled")")
    guard isEnabled else {
      throw VerifyFailure(
        seen: "Actions are disabled in \(name)", advice: "enable them under the repository's Settings › Actions › General")
    }
    return repository
  }

  /// What would be written if it were not refused is refused for another reason: so a right is seen without a trace.
  func seeRights(in repository: VerifiedRepository) async throws {
    let runners = try await github.send(.GET, repository.path("actions/runners")).expecting(200, right: .readAdministration)
    await list.see("\(runners.seen): \(runners.json["total_count"].int ?? 0) runners there now")
    try await registerOnce(in: repository)

    let head = try await github.send(.GET, repository.path("git/ref/heads/\(repository.defaultBranch)"))
    if head.status == 409 || (head.status == 404 && head.header("x-accepted-github-permissions") == nil) {
      throw VerifyFailure(
        seen: "\(head.seen): \(repository.defaultBranch) has no commit, or may not be read",
        advice: "commit a README; else, \(TokenAdvice.text(on: head, needing: .readContents) ?? "look at the token's right to contents")")
    }
    _ = try head.expecting(200, right: .readContents)
    await list.see("\(head.seen): \(head.json["object"]["sha"].string?.prefix(7) ?? "no commit")")
    let branch = try await github.send(.DELETE, repository.path("git/refs/heads/\(plan.tag)")).expecting(422, right: .writeContents)
    await list.see("\(branch.seen): there is none of this name yet, and it could be deleted")

    let runs = try await github.send(.GET, repository.path("actions/runs?per_page=1")).expecting(200, right: .readActions)
    await list.see("\(runs.seen): \(runs.json["total_count"].int ?? 0) runs so far")
    let cancel = try await github.send(.POST, repository.path("actions/runs/0/cancel")).expecting(404, 409, right: .writeActions)
    await list.see("\(cancel.seen): there is no run 0, and it was not the right that was missing")

    let none = String(repeating: "0", count: 40)
    let status = try await github.send(
      .POST, repository.path("statuses/\(none)"), ["state": "success", "context": .string(plan.tag)]
    ).expecting(422, right: .writeStatuses)
    await list.see("\(status.seen): no such commit, and it was not the right that was missing")
  }

  /// The right to register is seen by doing it.
  private func registerOnce(in repository: VerifiedRepository) async throws {
    await traces.willRegister(in: repository)
    let made = try await github.send(
      .POST, repository.path("actions/runners/generate-jitconfig"),
      ["name": .string("\(plan.tag)-probe"), "runner_group_id": 1, "labels": [.string(plan.tag)]]
    ).expecting(201, right: .writeAdministration)
    guard let id = made.json["runner"]["id"].int, made.json["encoded_jit_config"].string != nil else {
      throw VerifyFailure(seen: "\(made.seen), but no runner", advice: nil)
    }
    await list.see("\(made.seen): runner \(id)")
    let removed = try await github.send(.DELETE, repository.path("actions/runners/\(id)")).expecting(204, right: .writeAdministration)
    await list.see("\(removed.seen): removed again")
  }
}
