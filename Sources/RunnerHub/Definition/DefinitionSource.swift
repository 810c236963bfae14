import Domain
import Workflow

/// Finds runs and workflow files at the forge and remembers them: a file at a commit never changes, a run attempt's context neither.
package actor DefinitionSource {
  private struct RunKey: Hashable {
    var repository: String
    var id: Int64
    var attempt: Int
  }
  private struct FileKey: Hashable {
    var repository: String
    var ref: String
    var path: String
  }
  /// A workflow file and the commit or ref at which it was read.
  struct Found: Sendable {
    var reading: WorkflowReading
    var ref: String
    /// Whether it is certainly the version that runs.
    var isCertain: Bool
  }

  private let forge: any Forge
  private let capacity: Int
  private var runs: [RunKey: RunReport] = [:]
  private var files: [FileKey: WorkflowReading] = [:]

  /// - Parameter capacity: entries kept of each kind before the memory is emptied; 1 or more.
  package init(forge: any Forge, capacity: Int = 4096) {
    self.forge = forge
    self.capacity = capacity
  }

  /// What a `workflow_run` event told: spares the call.
  package func learn(_ run: RunReport) {
    if runs.count >= capacity { runs.removeAll(keepingCapacity: true) }
    runs[RunKey(repository: run.repository, id: run.id, attempt: run.attempt)] = run
  }

  /// The run of a job. One call serves all jobs of the run.
  func run(of job: Job) async throws(ForgeError) -> RunReport {
    let key = RunKey(repository: job.repository.fullName, id: job.runID, attempt: job.runAttempt)
    if let run = runs[key] { return run }
    let run = try await forge.run(id: job.runID, repository: job.repository.fullName, installationID: job.installationID)
    if runs.count >= capacity { runs.removeAll(keepingCapacity: true) }
    runs[key] = run
    return run
  }

  /// The workflow file of a run, at the first of its refs that has one.
  func workflow(of run: RunReport, installationID: Int64?) async throws(ForgeError) -> Found {
    guard let path = run.context.path else { throw .notFound("the run does not name its workflow file") }
    for (index, ref) in run.definitionRefs.enumerated() {
      do {
        let reading = try await file(FileKey(repository: run.repository, ref: ref, path: path), installationID: installationID)
        return Found(reading: reading, ref: ref, isCertain: index == 0)
      } catch .notFound {
        continue
      }
    }
    throw .notFound("\(path) at \(run.definitionRefs.joined(separator: " or "))")
  }

  private func file(_ key: FileKey, installationID: Int64?) async throws(ForgeError) -> WorkflowReading {
    if let reading = files[key] { return reading }
    let text = try await forge.file(path: key.path, ref: key.ref, repository: key.repository, installationID: installationID)
    let reading = WorkflowFile.parse(text, path: key.path)
    // Only what a commit names never changes; a branch or a merge ref moves on.
    if key.ref.count == 40, key.ref.allSatisfy(\.isHexDigit) {
      if files.count >= capacity { files.removeAll(keepingCapacity: true) }
      files[key] = reading
    }
    return reading
  }
}
