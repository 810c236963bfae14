import Workflow

/// What `workflow show` prints.
struct WorkflowPreview: Encodable {
  /// One job of a run.
  struct Row: Encodable {
    /// `caller / callee`; nil where only the run knows it.
    let name: String?
    let key: String
    let needs: [String]
    let labels: [String]?
    let calls: String?
    let estimate: String?
    let estimateSources: [String]
    let route: String?
    let priority: String?
    /// Why the policies say so.
    let reasons: [String]

    enum CodingKeys: String, CodingKey {
      case name, key, needs, labels, calls, estimate, route, priority, reasons
      case estimateSources = "estimate_sources"
    }

    init(_ planned: PlannedJob, _ estimate: JobEstimate, _ answer: PolicyAsker.Answer?) {
      let job = planned.definition
      name = planned.displayName
      key = job.key
      needs = job.needs
      labels = planned.combination?.labels
      calls = job.uses
      self.estimate = job.hasRunner ? estimate.summary : nil
      estimateSources = job.hasRunner ? estimate.sources : []
      route = answer?.route
      priority = answer?.priority
      reasons = answer?.reasons ?? []
    }
  }

  let file: String
  let name: String?
  let triggers: [String]
  let jobs: [Row]

  func text(graph: String, width: Int?) -> String {
    let title = "\(name ?? file) · on \(triggers.joined(separator: ", ")) · \(jobs.count) job\(jobs.count == 1 ? "" : "s")"
    let table = TextTable(
      columns: ["JOB", "LABELS", "ESTIMATE", "ROUTE", "PRIORITY", "WHY"],
      rows: jobs.map { row in
        [
          row.name ?? "\(row.key) ?", row.calls.map { "calls \($0)" } ?? row.labels?.joined(separator: ", ") ?? "?", row.estimate ?? "–",
          row.route ?? "–", row.priority ?? "–", row.reasons.joined(separator: "; "),
        ]
      })
    let sources = jobs.filter { !$0.estimateSources.isEmpty }.map {
      "  \($0.name ?? $0.key): \($0.estimateSources.joined(separator: "; "))"
    }
    return [title, table.text(width: width), "needs", graph, "estimates", sources.joined(separator: "\n")].joined(separator: "\n\n")
  }
}
