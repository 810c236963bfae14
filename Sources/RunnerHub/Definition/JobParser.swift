package import Domain
import Foundation
package import Workflow

/// Finds a job's definition, validates it against the security policy, and estimates what it needs.
package struct JobParser: Sendable {
  /// What was found, within the time limit.
  package struct Finding: Sendable {
    package var run: RunContext?
    package var definition: DefinitionFinding
    package var estimate: Estimate
  }

  private let source: DefinitionSource
  private let settings: Settings

  package init(source: DefinitionSource, settings: Settings) {
    self.source = source
    self.settings = settings
  }

  /// Looks up the jobs of one run attempt. Never fails: what cannot be found in time is unknown, with the reason.
  /// - Returns: findings in the order of the jobs.
  package func parse(_ jobs: [Job]) async -> [Finding] {
    guard let first = jobs.first else { return [] }
    if let source = first.source { return jobs.map { finding(of: $0, from: source) } }
    // The run is asked for on its own: whether it is a fork's must be known even where its file comes too late.
    let source = source
    let deadline = ContinuousClock.now + settings.definitionTimeLimit
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
            return .success(try await source.workflow(of: run, installationID: first.installationID))
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
    return jobs.map { job in
      let definition =
        found.map { Self.definition(of: job, in: $0.reading, path: run?.context.path ?? "", ref: $0.ref, isCertain: $0.isCertain) }
        ?? .unknown(reason: reason)
      return Finding(run: run?.context, definition: definition, estimate: ResourceEstimator(settings: settings).estimate(job, definition))
    }
  }

  /// Another source tells with its jobs what it knows of them: there is no file to ask for.
  private func finding(of job: Job, from source: String) -> Finding {
    let definition = job.definition ?? .unknown(reason: "\(source) does not tell the image of the job")
    return Finding(run: job.run, definition: definition, estimate: ResourceEstimator(settings: settings).estimate(job, definition))
  }

  /// The job's place in its file. Pure.
  /// - Parameters:
  ///   - reading: what the reader made of the file.
  ///   - ref: the commit or ref at which it was read.
  ///   - isCertain: whether it is certainly the version that runs.
  package static func definition(of job: Job, in reading: WorkflowReading, path: String, ref: String, isCertain: Bool = true)
    -> DefinitionFinding
  {
    guard let file = reading.file else {
      let first = reading.diagnostics.first { $0.severity == .error }
      return .unknown(reason: "\(path) is not a workflow: \(first?.message ?? "no jobs")")
    }
    let match = file.match(jobName: job.name, labels: job.labels)
    guard let definition = match.definition(in: file) else { return .unknown(reason: match.explanation(jobName: job.name)) }
    return .found(
      DefinitionFinding.Definition(
        path: path, commit: ref, key: definition.key, isExact: match.isExact && isCertain, images: match.images(of: definition),
        environment: definition.environment, timeoutMinutes: definition.timeoutMinutes.flatMap { Double($0) },
        container: definition.container.map { match.resolve($0.image) }, services: definition.services.map(\.name),
        needs: definition.needs, matrix: match.matrix, runnerGroup: definition.runsOn.group,
        concurrencyGroup: definition.concurrencyGroup ?? file.concurrencyGroup, permissions: definition.permissions ?? file.permissions,
        requested: requests(of: definition)))
  }

  /// What `env` and container options ask for; labels are the job's own, and looked at with them.
  private static func requests(of definition: JobDefinition) -> ResourceRequestFinding? {
    let requests = ResourceRequests(definition, labels: [])
    if requests.sources.isEmpty { return nil }
    let total = requests.total
    return ResourceRequestFinding(
      milliCPUs: total.milliCPUs, memory: total.memoryBytes.map { ByteCount(bytes: $0) },
      disk: total.diskBytes.map { ByteCount(bytes: $0) },
      gpus: total.gpus, seconds: total.seconds, sources: requests.sources.map(\.name))
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
