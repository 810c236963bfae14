import Emulator
import Foundation
import NIOHTTP1
import Subprocess

/// What has been made, or may have been: noted before each attempt, as an answer can be lost.
actor Traces {
  private(set) var repository: VerifiedRepository?
  private(set) var hasBranch = false
  private(set) var run: Int64?
  private(set) var server: TerminationStatus?

  func willRegister(in repository: VerifiedRepository) { self.repository = repository }
  func willBranch(in repository: VerifiedRepository) {
    self.repository = repository
    hasBranch = true
  }
  func note(run: Int64) { self.run = run }
  func note(server: TerminationStatus) { self.server = server }
}

/// Step 7, whatever came before it: everything is taken away that carries the verification's name.
extension Verification {
  private static let endLimit: Duration = .seconds(60)

  func cleanUp() async throws {
    if let server = await traces.server { await list.see("serve was drained, and ended (\(server))") }
    guard let repository = await traces.repository else { return await list.see("nothing was made") }
    var left: [String] = []
    func attempt(_ what: String, _ body: () async throws -> Void) async {
      do {
        try await body()
      } catch let failure as VerifyFailure {
        left.append("\(what): \(failure.seen)")
      } catch {
        left.append("\(what): \(error)")
      }
    }
    let hasBranch = await traces.hasBranch
    if hasBranch { await attempt("the run") { try await endRun(in: repository) } }
    await attempt("registrations") { try await removeRunners(in: repository) }
    if hasBranch { await attempt("the branch") { try await deleteBranch(in: repository) } }
    if let server = await traces.server, server != .exited(0) { left.append("serve ended with \(server)") }
    guard left.isEmpty else {
      throw VerifyFailure(
        seen: "not all could be taken away: \(left.joined(separator: "; "))",
        advice: "look in \(repository.name) for a branch, a run and runners named \(plan.tag), and delete them")
    }
  }

  private func endRun(in repository: VerifiedRepository) async throws {
    guard let run = try await runToEnd(in: repository) else { return await list.see("no run has begun") }
    let path = repository.path("actions/runs/\(run)")
    let deadline = ContinuousClock.now + Self.endLimit
    var isCancelled = false
    while true {
      let answer = try await github.send(.GET, path).expecting(200, right: .readActions)
      if answer.json["status"].string == "completed" {
        return await list.see("\(answer.seen): the run has ended with \(answer.json["conclusion"].string ?? "nothing")")
      }
      if !isCancelled {
        // 409: it has ended meanwhile.
        let cancel = try await github.send(.POST, path + "/cancel").expecting(202, 409, right: .writeActions)
        await list.see("\(cancel.seen): the run is cancelled")
        isCancelled = true
      }
      guard ContinuousClock.now < deadline else { throw VerifyFailure(seen: "run \(run) does not end", advice: nil) }
      try await Task.sleep(for: plan.interval)
    }
  }

  /// The run that is known, or one that began after the verification was interrupted.
  private func runToEnd(in repository: VerifiedRepository) async throws -> Int64? {
    if let run = await traces.run { return run }
    for _ in 0..<3 {
      let answer = try await github.send(.GET, repository.path("actions/runs?branch=\(plan.tag)")).expecting(200, right: .readActions)
      if let run = answer.json["workflow_runs"].array?.first?["id"].int { return run }
      try await Task.sleep(for: plan.interval)
    }
    return nil
  }

  private func removeRunners(in repository: VerifiedRepository) async throws {
    let deadline = ContinuousClock.now + Self.endLimit
    while true {
      let runners = try await ownRunners(in: repository)
      if runners.isEmpty { return await list.see("no runner with the label \(plan.tag) is registered") }
      for (id, name) in runners {
        // 422: it works on a job still, whose end ends the registration too.
        let answer = try await github.send(.DELETE, repository.path("actions/runners/\(id)")).expecting(
          204, 404, 422, right: .writeAdministration)
        await list.see("\(answer.seen): runner \(name)")
      }
      guard ContinuousClock.now < deadline else {
        throw VerifyFailure(seen: "\(runners.map(\.name).joined(separator: ", ")) are still there", advice: nil)
      }
      try await Task.sleep(for: plan.interval)
    }
  }

  private func ownRunners(in repository: VerifiedRepository) async throws -> [(id: Int64, name: String)] {
    var found: [(id: Int64, name: String)] = []
    var next: String? = repository.path("actions/runners?per_page=100")
    while let path = next {
      let answer = try await github.send(.GET, path).expecting(200, right: .readAdministration)
      for runner in answer.json["runners"].array ?? [] {
        guard let id = runner["id"].int, runner["labels"].array?.contains(where: { $0["name"].string == plan.tag }) == true else {
          continue
        }
        found.append((id, runner["name"].string ?? "\(id)"))
      }
      next = answer.nextPage(below: github.base)
    }
    return found
  }

  private func deleteBranch(in repository: VerifiedRepository) async throws {
    // 422: it was never made.
    let answer = try await github.send(.DELETE, repository.path("git/refs/heads/\(plan.tag)")).expecting(204, 422, right: .writeContents)
    await list.see("\(answer.seen): the branch is \(answer.status == 204 ? "deleted" : "not there")")
  }
}

extension VerifyClient.Answer {
  /// Path and query of the next page of a list (RFC 8288).
  fileprivate func nextPage(below base: String) -> String? {
    guard let link = header("link")?.split(separator: ",").first(where: { $0.contains("rel=\"next\"") }),
      let start = link.firstIndex(of: "<"), let end = link.firstIndex(of: ">")
    else { return nil }
    let address = String(link[link.index(after: start)..<end])
    return address.hasPrefix(base) ? String(address.dropFirst(base.count)) : nil
  }
}
