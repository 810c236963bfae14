/// One job of a run, called workflows followed, as far as the files decide it.
public struct PlannedJob: Sendable, Equatable {
  /// From the file's own job to the one that runs: one entry for each level of calls.
  public let path: [ExpandedJob]
  /// What runs; a call whose file is not known, or whose matrix the run decides, stands for itself.
  public let definition: JobDefinition
  /// Nil where a matrix is not known before the run.
  public let combination: ExpandedJob?

  /// Whether it stands in a called file, to which its line belongs.
  public var isCalled: Bool { path.count > (combination == nil ? 0 : 1) }

  /// What `workflow_job.name` will say: `caller / callee`; nil where only the run knows a part of it.
  public var displayName: String? {
    let names = path.map(\.displayName)
    return names.contains(nil) || combination == nil ? nil : names.compactMap(\.self).joined(separator: " / ")
  }
}

extension WorkflowFile {
  /// The most jobs that a plan lists.
  public static let maximumPlannedJobs = 10_000

  /// Every job that a run of the file may have, in the author's order, those of called workflows in place of their caller.
  public func plan() -> [PlannedJob] {
    var plan: [PlannedJob] = []
    for job in jobs { Self.add(job, below: [], to: &plan) }
    return plan
  }

  private static func add(_ job: JobDefinition, below path: [ExpandedJob], to plan: inout [PlannedJob]) {
    guard plan.count < maximumPlannedJobs else { return }
    guard let combinations = job.expand() else {
      plan.append(PlannedJob(path: path, definition: job, combination: nil))
      return
    }
    for combination in combinations where plan.count < maximumPlannedJobs {
      if job.calledJobs.isEmpty {
        plan.append(PlannedJob(path: path + [combination], definition: job, combination: combination))
      } else {
        for inner in job.calledJobs { add(inner, below: path + [combination], to: &plan) }
      }
    }
  }
}
