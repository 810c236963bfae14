/// Makes the model of an action's metadata; what the grammar found is left out, what it cannot see is reported here.
struct ActionConverter {
  let collector: DiagnosticCollector

  func convert(_ root: TemplateToken) -> ActionFile? {
    guard let runs = root["runs"], let kind = kind(of: runs) else { return nil }
    return ActionFile(
      name: root["name"]?.authored ?? "", description: root["description"]?.authored ?? "", author: root["author"]?.authored,
      inputs: (root["inputs"]?.entries ?? []).map { entry in
        ActionInput(
          name: entry.key.authored, description: entry.value["description"]?.authored,
          isRequired: entry.value["required"]?.boolean ?? false, byDefault: entry.value["default"]?.authored,
          deprecation: entry.value["deprecationMessage"]?.authored)
      },
      outputs: (root["outputs"]?.entries ?? []).map { entry in
        ActionOutput(name: entry.key.authored, description: entry.value["description"]?.authored, value: entry.value["value"]?.authored)
      }, runs: kind)
  }

  private func kind(of runs: TemplateToken) -> ActionRuns? {
    guard let using = runs["using"], let runtime = using.string else { return nil }
    let kind: (needs: String, runs: ActionRuns)
    switch runtime {
    case "composite":
      let steps = runs["steps"].map { StepConverter.convert($0, collector, isOfAction: true) } ?? []
      kind = ("steps", .composite(steps.compactMap(Step.init)))
    case "docker": kind = ("image", .docker(docker(runs)))
    default: kind = ("main", .javaScript(javaScript(runs, runtime)))
    }
    if runs[kind.needs] == nil, runs.entries?.isEmpty == false {
      collector.error("An action that uses '\(runtime)' needs '\(kind.needs)'", at: using, rule: .missingProperty)
    }
    return kind.runs
  }

  private func javaScript(_ runs: TemplateToken, _ runtime: String) -> JavaScriptAction {
    JavaScriptAction(
      runtime: runtime, main: runs["main"]?.authored ?? "", pre: runs["pre"]?.authored, preCondition: runs["pre-if"]?.authored,
      post: runs["post"]?.authored, postCondition: runs["post-if"]?.authored)
  }

  private func docker(_ runs: TemplateToken) -> DockerAction {
    DockerAction(
      image: runs["image"]?.authored ?? "", entrypoint: runs["entrypoint"]?.authored,
      arguments: (runs["args"]?.items ?? []).map(\.authored), env: runs["env"]?.texts ?? [:],
      preEntrypoint: runs["pre-entrypoint"]?.authored, postEntrypoint: runs["post-entrypoint"]?.authored)
  }
}
