package import Domain
package import Foundation
import Workflow

/// Finds a job's definition, holds it against the host's rules, and estimates what it needs.
package struct JobParser: Sendable {
  /// What was found, within the time limit.
  package struct Finding: Sendable {
    package var run: RunContext?
    package var definition: DefinitionFinding
    package var estimate: Estimate
    /// What else is worth telling in the job's story.
    package var remarks: [String] = []
  }

  private let source: DefinitionSource
  private let hints: HintSource
  private let history: any JobHistoryReader
  private let settings: Settings
  private let estimator: ResourceEstimator
  /// Earlier runs that are looked at, the newest ones.
  private static let historyLimit = 100
  /// What is left of the time limit, at most, to make something of what has come.
  private static let longestMargin: Duration = .milliseconds(200)
  private var margin: Duration { min(Self.longestMargin, settings.definitionTimeLimit / 10) }

  package init(source: DefinitionSource, hints: HintSource, history: any JobHistoryReader, settings: Settings) {
    self.source = source
    self.hints = hints
    self.history = history
    self.settings = settings
    estimator = ResourceEstimator(settings: settings)
  }

  /// Looks up the jobs of one run attempt. Never fails: what cannot be found in time is unknown, with the reason.
  /// - Returns: findings in the order of the jobs.
  package func parse(_ jobs: [Job], at now: Date) async -> [Finding] {
    guard let first = jobs.first else { return [] }
    let deadline = ContinuousClock.now + settings.definitionTimeLimit
    let (run, definitions, answer) = await lookUp(jobs, first, until: deadline)
    var findings: [Finding] = []
    for (job, definition) in zip(jobs, definitions) {
      findings.append(await finding(of: job, run, definition, answer, at: now))
    }
    return findings
  }

  /// The job's place in a file that is at hand, without those that it calls. Pure.
  /// - Parameter ref: the commit or ref of the file.
  package static func definition(of job: Job, in text: String, path: String, ref: String) -> DefinitionFinding {
    let workflow = ReadWorkflow(text, path: path, texts: [:], unread: [:], isPinned: true, rules: RuleSettings())
    return JobDefinitionFinding(of: job, in: DefinitionSource.Found(workflow: workflow, ref: ref, isCertain: true), path: path).finding
  }

  private func lookUp(
    _ jobs: [Job], _ first: Job, until deadline: ContinuousClock.Instant
  ) async -> (RunContext?, [JobDefinitionFinding], HintSource.Answer) {
    // Another source tells with its jobs what it knows of them: there is no file to ask for.
    if let source = first.source {
      let found = jobs.map {
        JobDefinitionFinding(finding: $0.definition ?? .unknown(reason: "\(source) does not tell the image of the job"))
      }
      return (first.run, found, HintSource.Answer())
    }
    async let hints = hintsInTime(first, until: deadline)
    // The run is asked for on its own: whether it is a fork's must be known even where its file comes too late.
    let source = source
    let lastRequest = deadline - margin
    var run: RunReport?
    var found: DefinitionSource.Found?
    var reason = "not found within \(settings.definitionTimeLimit)"
    switch await withTimeLimit(
      until: deadline,
      { () async -> Result<RunReport, ForgeError> in
        do throws(ForgeError) { return .success(try await source.run(of: first)) } catch { return .failure(error) }
      })
    {
    case .success(let theRun)?: run = theRun
    case .failure(let error)?: reason = error.description
    case nil: break
    }
    if let run {
      switch await withTimeLimit(
        until: deadline,
        { () async -> Result<DefinitionSource.Found, ForgeError> in
          do throws(ForgeError) {
            return .success(try await source.workflow(of: run, installationID: first.installationID, until: lastRequest))
          } catch {
            return .failure(error)
          }
        })
      {
      case .success(let theFile)?: found = theFile
      case .failure(let error)?: reason = error.description
      case nil: break
      }
    }
    let definitions = jobs.map { job in
      found.map { JobDefinitionFinding(of: job, in: $0, path: run?.context.path ?? "") }
        ?? JobDefinitionFinding(finding: .unknown(reason: reason))
    }
    return (run?.context, definitions, await hints)
  }

  private func hintsInTime(_ job: Job, until deadline: ContinuousClock.Instant) async -> HintSource.Answer {
    guard settings.workflow.readsHints else { return HintSource.Answer() }
    let hints = hints, lastRequest = deadline - margin
    return await withTimeLimit(until: deadline) { await hints.answer(for: job, at: .now, until: lastRequest) }
      ?? HintSource.Answer(complaints: ["\(RepositoryHints.path) was not found within \(settings.definitionTimeLimit)"])
  }

  private func finding(
    of job: Job, _ run: RunContext?, _ definition: JobDefinitionFinding, _ answer: HintSource.Answer, at now: Date
  ) async -> Finding {
    var job = job
    // Whether it is a fork's decides what its words count for; a received job does not say so itself yet.
    if job.source == nil { job.run = run ?? job.run }
    var remarks = answer.complaints
    var knowledge = ResourceEstimator.Knowledge(definition: definition.definition, comment: definition.comment)
    remarks += definition.comment?.complaints ?? []
    knowledge.timeoutMinutes = definition.finding.definition?.timeoutMinutes
    if let key = definition.definition?.key, let hints = answer.hints {
      var hint = hints.hint(forJob: key, in: definition.path ?? run?.path ?? "")
      if job.mayBeFromFork {
        // The file is the target's, the key that picks a line of it the fork's.
        (hint.priority, hint.affinity) = (nil, [])
      }
      knowledge.hint = hint
    }
    do {
      let runs = try await history.earlierRuns(of: JobLineage(job), limit: Self.historyLimit)
      if !runs.isEmpty {
        knowledge.history = JobHistory(
          runs: runs.map { JobHistory.Run(ageSeconds: max(0, now.timeIntervalSince($0.receivedAt)), durationSeconds: $0.seconds) })
      }
    } catch {
      remarks.append("its earlier runs are not known: \(error)")
    }
    return Finding(
      run: job.source == nil ? run : job.run, definition: definition.finding, estimate: estimator.estimate(job, knowledge), remarks: remarks
    )
  }
}

/// Runs an operation with a time limit. nil when the limit came first; the operation is cancelled then.
func withTimeLimit<Value: Sendable>(until limit: ContinuousClock.Instant, _ operation: @escaping @Sendable () async -> Value) async
  -> Value?
{
  await withTaskGroup(of: Value?.self) { group in
    group.addTask { await operation() }
    group.addTask {
      // A cancelled sleep ends the wait just as an elapsed one does.
      try? await Task.sleep(until: limit)
      return nil
    }
    let first = await group.next() ?? nil
    group.cancelAll()
    return first
  }
}
