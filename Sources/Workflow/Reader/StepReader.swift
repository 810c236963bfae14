/// Reads the steps of one job, whose ids must differ.
struct StepReader {
  let collector: DiagnosticCollector
  private var ids: Set<String> = []

  init(collector: DiagnosticCollector) { self.collector = collector }

  /// The steps that an item stands for: one, those inside a `parallel`, or none where it only waits or cancels.
  mutating func read(_ node: YAMLNode) -> [Step] {
    guard var fields = MappingFields(node, collector) else { return [] }
    checkID(fields.take("id"))
    let isControl = ["wait", "wait-all", "cancel", "parallel"].contains(where: fields.has)
    if !isControl, !fields.has("run"), !fields.has("uses") {
      let both = "Required property is missing: "
      collector.error(
        fields.has("with") ? both + "uses" : fields.has("shell") || fields.has("working-directory") ? both + "run" : Self.hint, at: node)
    }
    let step = Step(
      id: fields.text("id"),
      name: fields.text("name"),
      condition: fields.text("if"),
      uses: fields.nonEmptyText("uses"),
      with: fields.texts("with"),
      run: fields.text("run"),
      shell: fields.nonEmptyText("shell"),
      workingDirectory: fields.nonEmptyText("working-directory"),
      env: fields.texts("env"),
      continueOnError: fields.boolean("continue-on-error"),
      timeoutMinutes: fields.number("timeout-minutes"),
      line: node.line)
    for known in ["background", "wait", "wait-all", "cancel"] { _ = fields.take(known) }
    let inner = fields.take("parallel")
    fields.finish()
    checkExclusion(fields)
    ExpressionSyntax.refuse(in: fields.entry("uses")?.value, collector)
    ExpressionSyntax.checkBareCondition(fields.entry("if")?.value, collector)
    if !isControl { return [step] }
    var steps: [Step] = []
    for item in inner?.items(collector) ?? [] { steps += read(item) }
    return steps
  }

  private static let hint =
    "There's not enough info to determine what you meant. Add one of these properties: cancel, run, shell, uses, wait, wait-all, with, working-directory"

  /// `run` and `uses` exclude each other, and each has keys of its own; GitHub reports the key that came later.
  private func checkExclusion(_ fields: MappingFields) {
    let own = ["run": ["uses", "with"], "uses": ["run", "shell", "working-directory"]]
    guard let kind = fields.entries.first(where: { own[$0.key] != nil }) else { return }
    for entry in fields.entries where own[kind.key]?.contains(entry.key) == true {
      collector.error("Unexpected value '\(entry.key)'", at: entry)
    }
  }

  private mutating func checkID(_ node: YAMLNode?) {
    guard let node, let id = node.nonEmptyText(collector) else { return }
    Identifier.check(id, line: node.line, column: node.column, collector)
    if !ids.insert(id.lowercased()).inserted {
      collector.error("The identifier '\(id)' may not be used more than once within the same scope.", at: node)
    }
  }
}
