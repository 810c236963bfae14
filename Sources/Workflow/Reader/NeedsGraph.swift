/// The order that `needs` asks for: every name exists, something can start, and nothing waits for itself.
struct NeedsGraph {
  private struct Edge {
    let target: String
    let node: YAMLNode
  }

  private let entries: [YAMLEntry]
  private let collector: DiagnosticCollector
  private let edges: [[Edge]]

  init(entries: [YAMLEntry], collector: DiagnosticCollector) {
    self.entries = entries
    self.collector = collector
    edges = entries.map { entry in
      guard case .mapping(let fields) = entry.value.content, let needs = fields.first(where: { $0.key == "needs" })?.value else {
        return []
      }
      let items = if case .sequence(let items) = needs.content { items } else { [needs] }
      return items.compactMap { item in item.text.map { Edge(target: $0.lowercased(), node: item) } }
    }
  }

  func check(at jobs: YAMLNode) {
    let place = entries.first.map { ($0.line, $0.column) } ?? (jobs.line, jobs.column)
    guard edges.contains(where: \.isEmpty) else {
      collector.error("The workflow must contain at least one job with no dependencies.", line: place.0, column: place.1)
      return
    }
    let positions = Dictionary(
      entries.enumerated().map { ($0.element.key.lowercased(), $0.offset) }, uniquingKeysWith: { first, _ in first })
    for (entry, needed) in zip(entries, edges) {
      for edge in needed where positions[edge.target] == nil && !edge.target.isEmpty {
        collector.error("Job '\(entry.key)' depends on unknown job '\(edge.node.text ?? "")'.", at: edge.node)
      }
    }
    reportCycles(positions)
  }

  /// Takes jobs away whose needs are all taken (Kahn); what remains waits for a circle.
  private func reportCycles(_ positions: [String: Int]) {
    let targets = edges.map { Set($0.compactMap { positions[$0.target] }) }
    var dependants = [[Int]](repeating: [], count: entries.count)
    for (job, needed) in targets.enumerated() {
      for target in needed { dependants[target].append(job) }
    }
    var missing = targets.map(\.count)
    var ready = missing.indices.filter { missing[$0] == 0 }
    var done: Set<Int> = []
    while let job = ready.popLast() {
      done.insert(job)
      for dependant in dependants[job] {
        missing[dependant] -= 1
        if missing[dependant] == 0 { ready.append(dependant) }
      }
    }
    for (job, entry) in entries.enumerated() where !done.contains(job) {
      guard let edge = edges[job].first(where: { positions[$0.target].map { !done.contains($0) } ?? false }) else { continue }
      collector.error(
        "Job '\(entry.key)' depends on job '\(edge.node.text ?? "")' which creates a cycle in the dependency graph.", at: edge.node)
    }
  }
}
