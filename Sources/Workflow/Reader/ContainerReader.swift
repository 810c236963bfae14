/// Reads `container`, and each of `services`.
struct ContainerReader {
  let collector: DiagnosticCollector

  func read(_ node: YAMLNode, isService: Bool) -> ContainerDefinition? {
    guard case .mapping = node.content, var fields = MappingFields(node, collector) else {
      guard let image = node.scalarText(collector) else { return nil }
      if image.isEmpty {
        if isService { collector.error("Unexpected value ''", at: node) }
        return nil
      }
      return ContainerDefinition(image: image, env: [:], options: nil, ports: [], volumes: [], credentials: nil, line: node.line)
    }
    let earlierFindings = collector.count
    let image = fields.nonEmptyText("image")
    let container = ContainerDefinition(
      image: image ?? "",
      env: fields.texts("env"),
      options: fields.text("options"),
      ports: fields.take("ports")?.nonEmptyItems(collector).compactMap(\.text) ?? [],
      volumes: fields.take("volumes")?.nonEmptyItems(collector).compactMap(\.text) ?? [],
      credentials: fields.take("credentials").flatMap(credentials),
      line: node.line)
    if isService { for known in ["entrypoint", "command"] { _ = fields.text(known) } }
    fields.finish()
    if !fields.has("image"), collector.count == earlierFindings { collector.error("Container image cannot be empty", at: node) }
    return container
  }

  private func credentials(_ node: YAMLNode) -> ContainerDefinition.Credentials? {
    if node.isExpression { return nil }
    guard var fields = MappingFields(node, collector) else { return nil }
    let credentials = ContainerDefinition.Credentials(username: fields.nonEmptyText("username"), password: fields.nonEmptyText("password"))
    fields.finish()
    return credentials
  }
}
