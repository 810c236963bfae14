import AsyncHTTPClient
import Emulator
import Foundation
import GitHub
import UnixSignals

/// The whole line on a real account: what the token may do, a run, `serve`, its jobs, and nothing left behind.
struct Verification: Sendable {
  let plan: VerifyPlan
  let github: VerifyClient
  let list: Checklist
  let traces = Traces()

  struct Outcome: Sendable {
    var isWhole: Bool
    var isInterrupted: Bool
  }

  private static let steps = 7

  /// Tells everything on standard output as it happens.
  static func run(_ plan: VerifyPlan) async throws -> Outcome {
    let http = GitHubClient.makeHTTPClient(settings: GitHubSettings(baseURL: plan.apiURL))
    let list = Checklist(total: steps, secrets: [plan.token, plan.webhookSecret])
    let verification = Verification(plan: plan, github: VerifyClient(base: plan.apiURL, token: plan.token, http: http), list: list)
    let isInterrupted = await verification.run()
    try await http.shutdown()
    Terminal.write("\n")
    Terminal.say("\(plan.repository) at \(plan.apiURL): \(await list.summary)\(isInterrupted ? " (interrupted)" : "")")
    return Outcome(isWhole: await list.isWhole, isInterrupted: isInterrupted)
  }

  /// - Returns: whether a signal ended it early.
  private func run() async -> Bool {
    Terminal.say("verifying \(plan.repository) at \(plan.apiURL): \(plan.engine)")
    Terminal.say("what is made there is named \(plan.tag), and is taken away at the end, also after Ctrl-C")
    var isInterrupted = false
    do {
      try await untilInterrupted {
        try await list.step(1, "the token is accepted") { try await seeToken() }
        let repository = try await list.step(2, "the repository can be used") { try await seeRepository() }
        try await list.step(3, "the token has the rights that RunnerHub needs") { try await seeRights(in: repository) }
        let run = try await list.step(4, "a branch of its own starts a run of two jobs") { try await startRun(in: repository) }
        try await runLine(of: run, in: repository)
      }
    } catch is Checklist.StepFailed {
      // It has been told of.
    } catch is CancellationError {
      isInterrupted = true
    } catch {
      await list.see("\(error)")
    }
    // Not in the task that a signal ends: who cannot speak HTTP any more cannot clean up.
    do {
      try await list.step(Self.steps, "nothing is left") { try await cleanUp() }
    } catch is Checklist.StepFailed {
      // It has been told of, and counts.
    } catch {
      await list.see("\(error)")
    }
    return isInterrupted
  }

  /// Ctrl-C, a terminal that is closed, and SIGTERM end the steps; what follows them is not ended.
  private func untilInterrupted(_ body: @escaping @Sendable () async throws -> Void) async throws {
    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask(operation: body)
      group.addTask {
        for await _ in await UnixSignalsSequence(trapping: .sigint, .sigterm, .sighup) { throw CancellationError() }
      }
      try await group.next()
      group.cancelAll()
    }
  }
}
