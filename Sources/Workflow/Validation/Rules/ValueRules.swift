/// Values of the wrong kind: properties of texts, collections in the place of a text, broken JSON.
struct ValueRules: WorkflowRule {
  /// Contexts whose properties are plain values.
  private static let flatContexts: Set<String> = ["env", "vars", "secrets", "runner", "inputs", "strategy"]

  func check(_ template: WorkflowTemplate, _ report: inout ValidationReport) {
    for token in [template.runName, template.env].compactMap(\.self) { check(token, &report) }
    for job in template.jobs {
      for token in [job.name, job.writtenCondition.map { _ in job.condition }, job.strategy].compactMap(\.self) { check(token, &report) }
      guard case .runner(let runner) = job.kind else { continue }
      for token in [runner.runsOn, runner.env, runner.container, runner.services, runner.outputs].compactMap(\.self) {
        check(token, &report)
      }
      for step in runner.steps {
        for token in step.tokens { check(token, &report) }
        for text in texts(of: step) { checkText(text, &report) }
      }
    }
  }

  private func check(_ token: TemplateToken, _ report: inout ValidationReport) {
    var findings: [(TemplateToken, String)] = []
    token.forEachExpression { holder, expression in
      findings += expression.paths.compactMap(Self.complaint).map { (holder, $0) }
      findings += expression.calls.compactMap(Self.complaint).map { (holder, $0) }
    }
    for (holder, message) in findings { report.add(.valueType, message, at: holder) }
  }

  private static func complaint(_ path: ExpressionPath) -> String? {
    let context = path.context.lowercased()
    guard path.properties.count > 1, let first = path.properties.first ?? nil, path.properties[1] != nil else { return nil }
    let isFlat = flatContexts.contains(context) || (context == "github" && first.lowercased() != "event")
    return isFlat ? "'\(context).\(first)' is a plain value and has no properties" : nil
  }

  private static func complaint(_ call: (name: String, arguments: [ExpressionNode])) -> String? {
    guard call.name == "FROMJSON", case .literal(.string(let text))? = call.arguments.first else { return nil }
    do {
      _ = try ExpressionJSON.parse(text)
      return nil
    } catch {
      return "'\(text)' is no JSON: \(error.message)"
    }
  }

  // MARK: Collections in texts

  private func texts(of step: TemplateStep) -> [TemplateToken] {
    let values = (step.env?.entries ?? []).map(\.value)
    switch step.kind {
    case .run(let script, _, _): return values + [script]
    case .action(_, let with): return values + (with?.entries ?? []).map(\.value)
    case .wait, .waitForAll, .cancel: return values
    }
  }

  private func checkText(_ token: TemplateToken, _ report: inout ValidationReport) {
    guard let root = token.expression?.root, root.parts.contains(where: \.isCollection),
      let segments = try? ExpressionTemplate.segments(of: token.text)
    else { return }
    let sources = segments.compactMap { segment -> String? in if case .expression(let source) = segment { source } else { nil } }
    for (source, part) in zip(sources, root.parts(of: sources.count, isAlone: segments.count == 1)) where part.isCollection {
      report.add(
        .valueType, "'\(source)' is a collection, and stands as 'Object' or 'Array' in a text", at: token, hint: "write toJSON(\(source))")
    }
  }
}

extension ExpressionNode {
  /// The expressions of a text: what its `format` takes, or the one that it is.
  fileprivate func parts(of count: Int, isAlone: Bool) -> ArraySlice<ExpressionNode> {
    if isAlone { return [self] }
    guard case .call(_, let arguments) = self, arguments.count == count + 1 else { return [] }
    return arguments.dropFirst()
  }

  /// All that may be such parts.
  fileprivate var parts: [ExpressionNode] {
    if case .call(_, let arguments) = self { return arguments + [self] }
    return [self]
  }

  /// Whether it certainly gives an object or an array.
  fileprivate var isCollection: Bool {
    switch self {
    case .context, .wildcard: true
    case .index(.context(let name), .literal(.string(let property))): name.lowercased() == "github" && property.lowercased() == "event"
    case .call(let function, let arguments):
      if function.name == "fromJSON", case .literal(.string(let text))? = arguments.first, let value = try? ExpressionJSON.parse(text) {
        !value.isPrimitive
      } else {
        false
      }
    default: false
    }
  }
}
