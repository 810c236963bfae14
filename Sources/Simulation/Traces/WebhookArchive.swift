import Domain
package import Foundation
package import RunnerHub

/// Makes a trace of kept webhook bodies: the deliveries of a job are joined by its id, in whatever order and number they are there.
package struct WebhookArchive {
  private let decoder: any DeliveryDecoder
  private var newest: [JobID: JobReport] = [:]
  private var runs: [Int64: RunReport] = [:]
  /// Files that hold no event of a job or a run, or none that can be understood, and why.
  package private(set) var ignored: [(file: String, reason: String)] = []

  package init(decoder: any DeliveryDecoder) { self.decoder = decoder }

  package mutating func add(_ body: Data, file: String) {
    // An archive need not keep the headers: what has a `workflow_job` is that event.
    let isRun = body.range(of: Data("\"workflow_run\"".utf8)) != nil && body.range(of: Data("\"workflow_job\"".utf8)) == nil
    let delivery = Delivery(
      guid: file, hookID: "", event: isRun ? "workflow_run" : "workflow_job", body: body, receivedAt: Date(timeIntervalSince1970: 0))
    do {
      switch try decoder.decode(delivery) {
      case .job(let report): absorb(report)
      case .run(let run): runs[run.id] = run
      case .ignored(let reason): ignored.append((file, reason))
      }
    } catch {
      ignored.append((file, "\(error)"))
    }
  }

  private mutating func absorb(_ report: JobReport) {
    guard var known = newest[report.jobID] else {
      newest[report.jobID] = report
      return
    }
    let isNewer = rank(report) >= rank(known)
    let older = isNewer ? known : report
    if isNewer { known = report }
    known.createdAt = known.createdAt ?? older.createdAt
    known.startedAt = known.startedAt ?? older.startedAt
    newest[report.jobID] = known
  }

  private func rank(_ report: JobReport) -> Int {
    ["queued": 0, "waiting": 0, "in_progress": 1, "completed": 2][report.action ?? report.status] ?? 0
  }

  /// The jobs whose end is known, and how many others were left out.
  package func trace(name: String) -> (trace: Trace, unfinished: Int) {
    var jobs: [TraceJob] = []
    for (_, report) in newest.sorted(by: { $0.key < $1.key }) {
      guard let started = report.startedAt, let completed = report.completedAt, completed >= started, rank(report) == 2 else { continue }
      let run = runs[report.runID]
      jobs.append(
        TraceJob(
          id: report.forgeID, runID: report.runID, createdAt: report.createdAt ?? started,
          repository: report.repository.fullName, isPrivate: report.repository.isPrivate, workflow: report.workflow, name: report.name,
          labels: report.labels, event: run?.context.event, branch: report.headBranch,
          isFromFork: run?.context.headRepositoryID.map { $0 != report.repository.id } ?? false,
          duration: min(completed.timeIntervalSince(started), TraceJob.longest),
          conclusion: report.conclusion.map(Conclusion.init(word:))))
    }
    return (Trace(name: name, jobs: jobs), newest.count - jobs.count)
  }
}
