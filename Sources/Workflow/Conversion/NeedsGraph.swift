/// The order that `needs` asks for: every name exists, something can start, and nothing waits for itself.
struct NeedsGraph {
  let jobs: [TemplateJob]
  let collector: DiagnosticCollector

  func check(at place: TemplateToken) {
    guard jobs.contains(where: \.needs.isEmpty) else {
      collector.error("The workflow must contain at least one job with no dependencies.", at: place, rule: .needs)
      return
    }
    // As in most files.
    if jobs.allSatisfy(\.needs.isEmpty) { return }
    let positions = Dictionary(
      jobs.enumerated().map { ($0.element.id.authored.expressionFolded, $0.offset) }, uniquingKeysWith: { first, _ in first })
    let edges = jobs.map { job in job.needs.map { need in (token: need, target: positions[need.authored.expressionFolded]) } }
    let done = startable(edges.map { $0.map(\.target) })
    for (index, job) in jobs.enumerated() where !done.contains(index) {
      for edge in edges[index] where edge.target.map({ !done.contains($0) }) ?? true {
        report(edge.token, isKnown: edge.target != nil, of: job)
      }
    }
  }

  /// The jobs that come to run: taken away once all their needs are (Kahn); what remains waits for a circle, or for nobody.
  private func startable(_ needs: [[Int?]]) -> Set<Int> {
    var dependants = [[Int]](repeating: [], count: needs.count)
    var missing = needs.map(\.count)
    for (job, targets) in needs.enumerated() {
      for case .some(let target) in targets { dependants[target].append(job) }
    }
    var ready = missing.indices.filter { missing[$0] == 0 }
    var done: Set<Int> = []
    while let job = ready.popLast() {
      done.insert(job)
      for dependant in dependants[job] {
        missing[dependant] -= 1
        if missing[dependant] == 0 { ready.append(dependant) }
      }
    }
    return done
  }

  private func report(_ need: TemplateToken, isKnown: Bool, of job: TemplateJob) {
    let name = need.authored
    if isKnown {
      collector.error(
        "Job '\(job.id.authored)' depends on job '\(name)' which creates a cycle in the dependency graph.", at: need, rule: .needs)
    } else {
      let nearest = Spelling.nearest(to: name, among: jobs.map(\.id.authored))
      collector.error(
        "Job '\(job.id.authored)' depends on unknown job '\(name)'.", at: need, rule: .needs, hint: nearest.map { "did you mean '\($0)'?" })
    }
  }
}
