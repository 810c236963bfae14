package import Foundation

/// One address of the API that a part of RunnerHub adds: what is asked there, and how it is answered. Each part makes these in a file of its
/// own, and the composition root hands them to `AdministrationServer`.
///
///     APIRoute.get("/api/v1/policies") { _ in try await policies.document() }
///     APIRoute.post("/api/v1/policies/rollback") { (wish: RollbackWish, _) in try await policies.rollBack(wish) }
package struct APIRoute: Sendable {
  package enum Method: String, Sendable { case get = "GET", post = "POST" }

  package let method: Method
  /// The whole path, without a slash at its end. A part `*` stands for any word, which the answer finds as `APIQuery.wildcard`.
  package let path: String
  /// The JSON of the answer.
  let answer: @Sendable (APIQuery, Data) async throws -> Data
  /// Bytes that the body of a change may have.
  var bodyLimit = 64 << 10

  /// The word that stands for `*` in a path, empty where the route has none; nil: the path is another one.
  func wildcard(in path: String) -> String? {
    if !self.path.contains("*") { return self.path == path ? "" : nil }
    let (parts, words) = (self.path.split(separator: "/"), path.split(separator: "/", omittingEmptySubsequences: false).dropFirst())
    guard parts.count == words.count else { return nil }
    var found = ""
    for (part, word) in zip(parts, words) {
      if part == "*", (1...64).contains(word.utf8.count) { found = String(word) } else if part != word { return nil }
    }
    return found
  }

  /// An address that only reads.
  package static func get(_ path: String, _ answer: @escaping @Sendable (APIQuery) async throws -> some Encodable & SendableMetatype)
    -> APIRoute
  {
    APIRoute(method: .get, path: path) { query, _ in try JSONAnswer.data(try await answer(query)) }
  }

  /// An address that changes something. It is asked only by programs on this machine (`WriteRule`), with a JSON object as body; an empty body is `{}`.
  package static func post<Wish: Decodable & SendableMetatype>(
    _ path: String, bodyLimit: Int = 64 << 10,
    _ answer: @escaping @Sendable (Wish, APIQuery) async throws -> some Encodable & SendableMetatype
  ) -> APIRoute {
    let change: @Sendable (APIQuery, Data) async throws -> Data = { query, body in
      let wish: Wish
      do {
        wish = try WireJSON.decoder.decode(Wish.self, from: body.isEmpty ? Data("{}".utf8) : body)
      } catch {
        throw APIRefusal(.badRequest, "the body is not the JSON that is expected here: \(JSONReason.text(error))")
      }
      return try JSONAnswer.data(try await answer(wish, query))
    }
    return APIRoute(method: .post, path: path, answer: change, bodyLimit: bodyLimit)
  }
}

/// What is asked for beyond the path, bounded.
package struct APIQuery: Sendable {
  let parameters: @Sendable (String) -> String?
  /// The word of the path that stands for `*`; as it was asked for, so any text.
  package var wildcard = ""

  package func text(_ name: String) -> String? { parameters(name) }

  /// - Throws: `APIRefusal` where it is no whole number.
  package func number(_ name: String) throws -> Int64? {
    guard let text = parameters(name) else { return nil }
    guard let number = Int64(text) else { throw APIRefusal(.badRequest, "'\(name)' must be a whole number") }
    return number
  }

  /// A number of rows, 1…`most`.
  package func limit(_ name: String = "limit", standard: Int = 100, most: Int = 1_000) throws -> Int {
    Int(clamping: min(Int64(most), max(1, try number(name) ?? Int64(standard))))
  }

  /// A time as the API writes it, or ISO 8601 without a fraction.
  /// - Throws: `APIRefusal` where it is neither.
  package func time(_ name: String) throws -> Date? {
    guard let text = parameters(name) else { return nil }
    for withFraction in [true, false] {
      // Not in this form: the other one decides.
      if let date = try? Date.ISO8601FormatStyle(includingFractionalSeconds: withFraction).parse(text) { return date }
    }
    throw APIRefusal(.badRequest, "'\(name)' must be a time such as 2026-11-26T09:14:02Z")
  }
}

/// Why a wish is not fulfilled, in words for who asked.
package struct APIRefusal: Error, Hashable, CustomStringConvertible {
  package enum Kind: Int, Sendable { case badRequest = 400, notFound = 404, conflict = 409, unfit = 422, unavailable = 503 }
  package var kind: Kind
  package var description: String

  package init(_ kind: Kind, _ description: String) {
    self.kind = kind
    self.description = description
  }
}

/// What is wrong with a body, without the words of Foundation that lead nowhere.
enum JSONReason {
  static func text(_ error: any Error) -> String {
    switch error {
    case DecodingError.keyNotFound(let key, _): "'\(key.stringValue)' is missing"
    case DecodingError.typeMismatch(_, let context), DecodingError.valueNotFound(_, let context):
      "'\(context.codingPath.map(\.stringValue).joined(separator: "."))' is of another type"
    default: "it cannot be read"
    }
  }
}
