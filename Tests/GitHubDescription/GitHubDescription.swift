package import Foundation

/// GitHub's own description of its REST API and webhooks, and what it finds wrong with messages.
package struct GitHubDescription: Sendable {
  private let checker: SchemaChecker
  private let operations: [APIOperation]
  private let webhooks: [String: SchemaChecker]

  /// - Parameter folder: has `github/rest-subset.json` and `github/webhooks/EVENT.schema.json`.
  /// - Throws: when one of them is absent or no JSON.
  package init(folder: URL) throws {
    let github = folder.appending(path: "github")
    let document = try JSONValue(json: try Data(contentsOf: github.appending(path: "rest-subset.json")))
    checker = SchemaChecker(document: document)
    operations = APIOperation.all(in: document, checker: checker)
    var webhooks: [String: SchemaChecker] = [:]
    for file in try FileManager.default.contentsOfDirectory(at: github.appending(path: "webhooks"), includingPropertiesForKeys: nil)
    where file.lastPathComponent.hasSuffix(".schema.json") {
      let event = String(file.lastPathComponent.dropLast(".schema.json".count))
      webhooks[event] = SchemaChecker(document: try JSONValue(json: try Data(contentsOf: file)))
    }
    self.webhooks = webhooks
  }

  /// The description beside the project: `RUNNERHUB_API`, or `../shared/api` from the package's root.
  package static func standard() throws -> GitHubDescription {
    let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    let named = ProcessInfo.processInfo.environment["RUNNERHUB_API"]
    return try GitHubDescription(folder: named.map { URL(filePath: $0) } ?? root.appending(path: "../shared/api").standardized)
  }

  /// Events that have a schema.
  package var events: [String] { webhooks.keys.sorted() }

  /// What is wrong with the body of an event; empty when it is right.
  package func findings(webhook event: String, body: Data) -> [Finding] {
    guard let schema = webhooks[event] else { return [Finding("event", "“\(event)” has no schema")] }
    guard let value = try? JSONValue(json: body) else { return [Finding("body", "is not JSON")] }
    return schema.findings(value, schema: schema.document, at: "body")
  }

  /// What is wrong with an exchange, request and answer; empty when both are right.
  package func findings(_ exchange: RecordedExchange) -> [Finding] {
    guard let (operation, values) = operation(of: exchange) else {
      return [Finding("request", "\(exchange.method) \(exchange.path) is no operation of the API")]
    }
    return headerFindings(exchange) + parameterFindings(exchange, operation, values) + requestFindings(exchange, operation)
      + responseFindings(exchange, operation)
  }

  private func operation(of exchange: RecordedExchange) -> (APIOperation, [String: String])? {
    for operation in operations where operation.method == exchange.method.uppercased() {
      if let values = operation.match(exchange.path) { return (operation, values) }
    }
    return nil
  }

  private func headerFindings(_ exchange: RecordedExchange) -> [Finding] {
    var found: [Finding] = []
    let accept = exchange.requestHeaders["accept"] ?? ""
    if accept != "application/vnd.github+json" && accept != "application/vnd.github.raw+json" {
      found.append(Finding("request header accept", "is not application/vnd.github+json"))
    }
    for name in ["x-github-api-version", "user-agent", "authorization"] where (exchange.requestHeaders[name] ?? "").isEmpty {
      found.append(Finding("request header \(name)", "is missing"))
    }
    return found
  }

  private func parameterFindings(_ exchange: RecordedExchange, _ operation: APIOperation, _ values: [String: String]) -> [Finding] {
    var found: [Finding] = []
    var query: [String: String] = [:]
    for pair in exchange.query.split(separator: "&") {
      let parts = pair.split(separator: "=", maxSplits: 1).map { String($0).removingPercentEncoding ?? String($0) }
      if let name = parts.first { query[name] = parts.count > 1 ? parts[1] : "" }
    }
    for parameter in operation.parameters {
      let given = parameter.place == "path" ? values[parameter.name] : parameter.place == "query" ? query[parameter.name] : nil
      guard let given else {
        if parameter.isRequired { found.append(Finding("\(parameter.place) parameter \(parameter.name)", "is missing")) }
        continue
      }
      let value = Self.value(given, for: checker.resolved(parameter.schema))
      found += checker.findings(value, schema: parameter.schema, at: "\(parameter.place) parameter \(parameter.name)")
    }
    let known = Set(operation.parameters.filter { $0.place == "query" }.map(\.name))
    for name in query.keys.sorted() where !known.contains(name) {
      found.append(Finding("query parameter \(name)", "is not known to this operation"))
    }
    return found
  }

  /// Parameters are text on the wire; their schema tells what they stand for.
  private static func value(_ text: String, for schema: JSONValue) -> JSONValue {
    switch schema["type"]?.string {
    case "integer": Int64(text).map(JSONValue.integer) ?? .string(text)
    case "number": Double(text).map(JSONValue.number) ?? .string(text)
    case "boolean": Bool(text).map(JSONValue.bool) ?? .string(text)
    default: .string(text)
    }
  }

  private func requestFindings(_ exchange: RecordedExchange, _ operation: APIOperation) -> [Finding] {
    guard let schema = operation.requestSchema else {
      return exchange.requestBody.isEmpty || operation.takesBody ? [] : [Finding("request body", "is not expected here")]
    }
    if exchange.requestBody.isEmpty {
      return operation.requiresBody ? [Finding("request body", "is missing")] : []
    }
    guard let value = try? JSONValue(json: Data(exchange.requestBody.utf8)) else { return [Finding("request body", "is not JSON")] }
    return checker.findings(value, schema: schema, at: "request body")
  }

  private func responseFindings(_ exchange: RecordedExchange, _ operation: APIOperation) -> [Finding] {
    guard let response = operation.responses[exchange.status] else {
      return [Finding("response status", "\(exchange.status) is not described")]
    }
    // A file's raw bytes are no JSON, whatever the description of the object says.
    if exchange.requestHeaders["accept"]?.contains(".raw") == true, exchange.status == 200 { return [] }
    guard let schema = response.schema else {
      return exchange.responseBody.isEmpty ? [] : [Finding("response body", "is not expected with \(exchange.status)")]
    }
    guard let value = try? JSONValue(json: Data(exchange.responseBody.utf8)) else { return [Finding("response body", "is not JSON")] }
    return checker.findings(value, schema: schema, at: "response body")
  }

  /// One of GitHub's examples by its name (`workflow-run`), for tests that need a right answer.
  package func example(_ name: String) -> JSONValue? { checker.document["components"]?["examples"]?[name]?["value"] }

  /// An example of GitHub's own, and what the description finds wrong with it.
  package struct Example: Sendable {
    package let name: String
    package let value: JSONValue
    package let findings: [Finding]
  }

  /// All examples of requests and answers that the description holds.
  package func examples() -> [Example] {
    operations.flatMap { operation in
      operation.examples.map { example in
        Example(
          name: "\(operation.method) \(operation.path) \(example.place)", value: example.value,
          findings: example.schema.map { checker.findings(example.value, schema: $0, at: example.place) } ?? [])
      }
    }
  }
}
