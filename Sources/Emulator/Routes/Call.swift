import Foundation
import HTTPTypes

/// Who asks.
enum Caller: Sendable, Equatable {
  case anonymous
  /// A personal access token.
  case person
  /// An installation of the App.
  case installation
  /// The App itself, by a JWT.
  case app
}

/// One request, read whole.
struct Call: Sendable {
  let method: String
  let path: String
  let query: [(name: String, value: String)]
  let headers: HTTPFields
  let body: Data
  /// What stood in the braces of the route.
  var parameters: [String: String] = [:]
  var caller = Caller.anonymous

  subscript(query name: String) -> String? { query.first { $0.name == name }?.value }

  func text(_ name: String) -> String { parameters[name] ?? "" }

  /// - Throws: 404 for what is no number.
  func id(_ name: String) throws(Refusal) -> Int64 {
    guard let value = Int64(text(name)) else { throw .notFound }
    return value
  }

  /// The body as a JSON object; an empty one for no body.
  ///
  /// - Throws: 400 in GitHub's words.
  func json() throws(Refusal) -> JSON {
    if body.isEmpty { return [:] }
    guard let value = try? JSON(parsing: body) else { throw Refusal(400, "Problems parsing JSON") }
    guard value.object != nil else { throw Refusal(400, "Body should be a JSON object") }
    return value
  }

  func header(_ name: String) -> String? { HTTPField.Name(name).flatMap { headers[$0] } }

  /// Whether it is asked of GitHub: the other doors are the emulator's own.
  var isGitHub: Bool { !path.hasPrefix("/_") }

  /// What the limits count it as.
  var charge: RateMeter.Charge { RateMeter.Charge(method: method, path: path) }

  /// What stands after `Bearer` or `token` in `Authorization`.
  var credential: String? {
    guard let value = header("Authorization") else { return nil }
    let parts = value.split(separator: " ", maxSplits: 1)
    guard parts.count == 2, ["bearer", "token"].contains(parts[0].lowercased()) else { return nil }
    return String(parts[1])
  }
}

/// What goes back.
struct Answer: Sendable {
  enum Body: Sendable {
    case none
    case json(JSON)
    case text(String, type: String)
  }

  var status: Int
  var headers: [(name: String, value: String)] = []
  var body: Body = .none

  static func json(_ value: JSON, status: Int = 200) -> Answer { Answer(status: status, body: .json(value)) }
  static func text(_ value: String, type: String = "text/plain; charset=utf-8") -> Answer {
    Answer(status: 200, body: .text(value, type: type))
  }
  static func empty(_ status: Int) -> Answer { Answer(status: status) }

  func with(status: Int) -> Answer {
    var answer = self
    answer.status = status
    return answer
  }

  /// One page of a list, as `per_page` (1–100, default 30) and `page` ask, with GitHub's `Link` header.
  ///
  /// - Parameter key: the member that holds the items beside `total_count`; nil for a bare list.
  static func page(_ items: [JSON], _ key: String?, for call: Call, baseURL: String) -> Answer {
    let size = min(max(call[query: "per_page"].flatMap { Int($0) } ?? 30, 1), 100)
    let last = max((items.count + size - 1) / size, 1)
    let page = min(max(call[query: "page"].flatMap { Int($0) } ?? 1, 1), 1_000_000)
    let slice = Array(items.dropFirst((page - 1) * size).prefix(size))
    var answer = Answer.json(key.map { ["total_count": .int(Int64(items.count)), $0: .array(slice)] } ?? .array(slice))
    var links: [(Int, String)] = []
    if page > 1 { links += [(min(page - 1, last), "prev"), (1, "first")] }
    if page < last { links += [(page + 1, "next"), (last, "last")] }
    if !links.isEmpty {
      let value = links.map { number, relation in
        let kept = call.query.filter { $0.name != "page" }.map { "\($0.name)=\(Self.escaped($0.value))" } + ["page=\(number)"]
        return "<\(baseURL)\(call.path)?\(kept.joined(separator: "&"))>; rel=\"\(relation)\""
      }
      answer.headers.append(("Link", value.joined(separator: ", ")))
    }
    return answer
  }

  private static func escaped(_ value: String) -> String {
    value.addingPercentEncoding(withAllowedCharacters: .alphanumerics.union(CharacterSet(charactersIn: "-._~/"))) ?? value
  }

  static func refusal(_ refusal: Refusal, documentation: String) -> Answer {
    var body: [String: JSON] = [
      "message": .string(refusal.message), "documentation_url": .string(documentation), "status": .string(String(refusal.status)),
    ]
    if !refusal.errors.isEmpty { body["errors"] = .array(refusal.errors) }
    var answer = Answer.json(.object(body), status: refusal.status)
    if let permissions = refusal.acceptedPermissions { answer.headers.append(("X-Accepted-GitHub-Permissions", permissions)) }
    if let seconds = refusal.retryAfter { answer.headers.append(("Retry-After", "\(seconds)")) }
    return answer
  }
}
