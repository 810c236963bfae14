import Foundation

/// One verb on one path of the description.
struct APIOperation: Sendable {
  struct Parameter: Sendable {
    let name: String
    /// `path`, `query` or `header`.
    let place: String
    let isRequired: Bool
    let schema: JSONValue
    /// Whether it may have slashes in it (the path of a file, a branch).
    let isMultiSegment: Bool
  }
  struct Response: Sendable { let schema: JSONValue? }
  struct Example: Sendable {
    let place: String
    let value: JSONValue
    let schema: JSONValue?
  }

  let method: String
  let path: String
  let parameters: [Parameter]
  /// Nil where no JSON body is described.
  let requestSchema: JSONValue?
  let takesBody: Bool
  let requiresBody: Bool
  let responses: [Int: Response]
  let examples: [Example]

  /// All operations, paths with more fixed parts first, so that `/runners/downloads` is not taken for a runner's id.
  static func all(in document: JSONValue, checker: SchemaChecker) -> [APIOperation] {
    var all: [APIOperation] = []
    for (path, item) in document["paths"]?.object ?? [:] {
      for (method, operation) in item.object ?? [:] where method != "parameters" {
        all.append(APIOperation(method: method, path: path, operation: operation, checker: checker))
      }
    }
    func fixedParts(_ operation: APIOperation) -> Int { operation.path.split(separator: "/").count { !$0.hasPrefix("{") } }
    return all.sorted { a, b in (fixedParts(b), a.path) < (fixedParts(a), b.path) }
  }

  private init(method: String, path: String, operation: JSONValue, checker: SchemaChecker) {
    self.method = method.uppercased()
    self.path = path
    parameters = (operation["parameters"]?.array ?? []).map(checker.resolved).map { parameter in
      Parameter(
        name: parameter["name"]?.string ?? "", place: parameter["in"]?.string ?? "",
        isRequired: parameter["required"]?.bool ?? false, schema: parameter["schema"] ?? .object([:]),
        isMultiSegment: parameter["x-multi-segment"]?.bool ?? false)
    }
    let body = operation["requestBody"].map(checker.resolved)
    takesBody = body != nil
    requiresBody = body?["required"]?.bool ?? false
    requestSchema = body?["content"]?["application/json"]?["schema"]
    var examples = Self.examples(in: body?["content"], place: "request", checker: checker)
    var responses: [Int: Response] = [:]
    for (status, response) in operation["responses"]?.object ?? [:] {
      guard let code = Int(status) else { continue }
      let content = checker.resolved(response)["content"]
      // The answer as GitHub sends it for `application/vnd.github+json`; one that only has other forms has those.
      let kind = content?["application/json"] ?? content?.object?.sorted { $0.key < $1.key }.first?.value
      responses[code] = Response(schema: kind?["schema"])
      examples += Self.examples(in: content, place: "\(code)", checker: checker)
    }
    self.responses = responses
    self.examples = examples
  }

  private static func examples(in content: JSONValue?, place: String, checker: SchemaChecker) -> [Example] {
    (content?.object ?? [:]).sorted { $0.key < $1.key }.flatMap { _, kind in
      (kind["examples"]?.object ?? [:]).sorted { $0.key < $1.key }.compactMap { name, example in
        checker.resolved(example)["value"].map { Example(place: "\(place) \(name)", value: $0, schema: kind["schema"]) }
      }
    }
  }

  /// - Parameter encoded: a path with its percent encoding.
  /// - Returns: the values of the path's variables, or nil when it is another operation's path.
  func match(_ encoded: String) -> [String: String]? {
    let pattern = path.split(separator: "/")
    let parts = encoded.split(separator: "/", omittingEmptySubsequences: false).dropFirst().map(String.init)
    var values: [String: String] = [:]
    var index = 0
    for (position, piece) in pattern.enumerated() {
      guard index < parts.count else { return nil }
      guard piece.hasPrefix("{"), piece.hasSuffix("}") else {
        if parts[index] != piece { return nil }
        index += 1
        continue
      }
      let name = String(piece.dropFirst().dropLast())
      let following = pattern.count - position - 1
      let isLong = parameters.contains { $0.name == name && $0.isMultiSegment }
      let count = isLong ? parts.count - index - following : 1
      guard count >= 1, index + count <= parts.count else { return nil }
      let taken = parts[index..<index + count]
      guard !taken.contains("") else { return nil }
      values[name] = taken.map { $0.removingPercentEncoding ?? $0 }.joined(separator: "/")
      index += count
    }
    return index == parts.count ? values : nil
  }
}
