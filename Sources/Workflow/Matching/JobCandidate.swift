/// A definition that may be the one a job comes from.
struct JobCandidate {
  let job: JobDefinition
  /// Nil where an expression decides the matrix.
  private let expanded: [ExpandedJob]?

  init(job: JobDefinition) {
    self.job = job
    expanded = job.expand()
  }

  var expansions: [ExpandedJob] { expanded ?? [] }

  /// Whether the wanted job may come from here, expressions taken as wildcards.
  func fits(_ wanted: WantedJob) -> Bool {
    if let expanded { return expanded.contains { fits(wanted, $0) } }
    guard wanted.accepts(job.runsOn.isLiteral ? job.runsOn.labels : nil) else { return false }
    let pattern = NamePattern(job.title, matrix: nil)
    // The values of an unknown matrix follow the name, unless the name uses the matrix.
    return pattern.matches(wanted.name) || pattern.followedByValues.matches(wanted.name)
  }

  /// Whether it may be this combination. What the file predicts exactly is no pattern.
  func fits(_ wanted: WantedJob, _ expansion: ExpandedJob) -> Bool {
    guard expansion.displayName == nil, wanted.accepts(expansion.labels) else { return false }
    let pattern = NamePattern(job.title, matrix: expansion.matrix)
    if expansion.matrix.entries.isEmpty || MatrixExpression.namesMatrix(job.title) { return pattern.matches(wanted.name) }
    return pattern.followedByValues.matches(wanted.name)
  }
}
