import Foundation
import NIOHTTP1
import RunnerHub

/// One call of the REST API.
struct GitHubRequest: Sendable {
  /// What most answers are asked as.
  static let json = "application/vnd.github+json"
  /// A file's own bytes instead of its description.
  static let raw = "application/vnd.github.raw+json"

  var method: HTTPMethod
  /// Path and query below the base URL, percent-encoded, or the whole address of a list's next page.
  var target: String
  var body: Data?
  var accept = Self.json
  var purpose: Purpose
  /// Whether it is one that will be made again, though not for a sweep: a file of a branch.
  var isAskedAgain = false

  /// - Parameters:
  ///   - path: its parts, not encoded.
  ///   - query: names and values, not encoded.
  /// - Throws: `invalid` for a part that is empty or would climb (`.`, `..`).
  init(
    _ method: HTTPMethod, _ path: [String], query: KeyValuePairs<String, String> = [:], accept: String = Self.json,
    for purpose: Purpose = .repair
  ) throws(ForgeError) {
    if let part = path.first(where: { $0.isEmpty || $0 == "." || $0 == ".." }) {
      throw .invalid("a path of GitHub's API cannot have the part “\(part)” (in \(path.joined(separator: "/")))")
    }
    self.method = method
    self.accept = accept
    self.purpose = purpose
    target = "/" + path.map(Self.encoded).joined(separator: "/")
    if !query.isEmpty {
      target += "?" + query.map { "\(Self.encoded($0.key))=\(Self.encoded($0.value))" }.joined(separator: "&")
    }
  }

  /// The next page of a list that another request began.
  init(page address: String, of list: GitHubRequest) {
    method = .GET
    target = address
    accept = list.accept
    purpose = list.purpose
  }

  func with(_ body: some Encodable) throws(ForgeError) -> GitHubRequest {
    var request = self
    do {
      let encoder = JSONEncoder()
      encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
      request.body = try encoder.encode(body)
    } catch {
      throw .invalid("the body of \(name) cannot be written as JSON")
    }
    return request
  }

  /// For messages: the verb and the path, without the query.
  var name: String { "\(method.rawValue) \(target.prefix { $0 != "?" })" }

  /// The limit that it counts against.
  var bucket: Bucket {
    switch purpose {
    case .registration where method == .POST: .registration
    case .report where method != .GET: .content
    case .registration, .removal, .repair, .report, .sweep: .core
    }
  }

  /// Whether its answer is kept and asked for again with its ETag: what is asked at each turn and seldom changes.
  var isRemembered: Bool { method == .GET && (purpose == .sweep || isAskedAgain) }

  /// Asking twice does no harm and needs no second thought.
  var isRepeatable: Bool { method == .GET }

  /// Parts of the path of a repository, from `owner/name`.
  /// - Throws: `invalid` unless it has exactly these two parts.
  static func repository(_ fullName: String) throws(ForgeError) -> [String] {
    let parts = fullName.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
    guard parts.count == 2, !parts[0].isEmpty, !parts[1].isEmpty else {
      throw .invalid("“\(fullName)” is not a repository's owner/name")
    }
    return ["repos", parts[0], parts[1]]
  }

  private static let unreserved = CharacterSet(charactersIn: "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")
  private static func encoded(_ text: String) -> String {
    // The only failure is a text that has no UTF-8 form, and a Swift string always has one.
    text.addingPercentEncoding(withAllowedCharacters: unreserved) ?? ""
  }
}

/// An answer, read whole.
struct GitHubResponse: Sendable {
  var status: Int
  var headers: HTTPHeaders
  var body: Data
  /// The request that it answers, for messages.
  var request: String

  /// The body as JSON.
  /// - Throws: `unavailable`: an answer that cannot be read says nothing of what was done.
  func decoded<Body: Decodable>(as type: Body.Type) throws(ForgeError) -> Body {
    do {
      return try JSONDecoder().decode(type, from: body)
    } catch {
      throw .unavailable("the answer \(status) to \(request) cannot be read: \(JSONFault(error))")
    }
  }

  /// The address of the next page of a list (RFC 8288, `Link: <…>; rel="next"`).
  var nextPage: String? {
    for link in headers[canonicalForm: "link"] {
      let parts = link.split(separator: ";")
      guard let address = parts.first, address.hasPrefix("<"), address.hasSuffix(">") else { continue }
      let isNext = parts.dropFirst().contains {
        let parameter = $0.trimmingCharacters(in: .whitespaces).lowercased()
        return parameter == "rel=\"next\"" || parameter == "rel=next"
      }
      if isNext { return String(address.dropFirst().dropLast()) }
    }
    return nil
  }

  /// GitHub's own words on a refusal, cut short; empty where there are none.
  var message: String {
    struct Refusal: Decodable { let message: String? }
    guard let message = (try? JSONDecoder().decode(Refusal.self, from: body))?.message else { return "" }
    return String(message.prefix(300))
  }
}
