internal import Foundation
internal import JSON

/// JSON-RPC with a plugin for whoever tests it: every line that comes is held to the schema of its message.
final class PluginDialogue {
  enum Answer: Equatable {
    case result(JSONValue)
    case refusal(code: Int, message: String)
  }

  /// Time for an answer where nobody says otherwise.
  static let limit = Duration.seconds(10)

  let wire: PluginWire
  /// What the plugin's own requests are answered with; any other is refused with -32601.
  private let replies: [String: JSONValue]
  /// Methods by the ids of requests that are under way.
  private var asked: [Int64: String] = [:]
  private var answers: [Int64: Answer] = [:]
  private var lastID: Int64 = 0

  init(_ wire: PluginWire, replies: [String: JSONValue]) {
    self.wire = wire
    self.replies = replies
  }

  // MARK: - Asking

  func call(_ method: String, _ parameters: JSONValue, limit: Duration = limit) throws(KitFailure) -> Answer {
    try answer(to: try ask(method, parameters), limit: limit)
  }

  /// A call that must succeed.
  func result(of method: String, _ parameters: JSONValue, limit: Duration = limit) throws(KitFailure) -> JSONValue {
    switch try call(method, parameters, limit: limit) {
    case .result(let result): return result
    case .refusal(let code, let message):
      throw KitFailure("\(method) was refused with \(code) (\(PluginText.line(message, limit: 200)))\(Self.advice(method, code))")
    }
  }

  /// A call that must be refused.
  func refusal(of method: String, _ parameters: JSONValue, codes: [Int]? = nil, because reason: String) throws(KitFailure) {
    let wanted = codes.map { $0.map(String.init).joined(separator: " or ") } ?? "an error"
    switch try call(method, parameters) {
    case .result(let result):
      throw KitFailure(
        "\(method) was answered with \(Self.shown(result)) though \(reason): answer it with \(codes == nil ? wanted : "error \(wanted)")")
    case .refusal(let code, _):
      guard codes?.contains(code) ?? true else {
        throw KitFailure("\(method) was refused with \(code) though \(reason): refuse it with \(wanted)")
      }
    }
  }

  /// Sends a request without waiting.
  func ask(_ method: String, _ parameters: JSONValue) throws(KitFailure) -> Int64 {
    lastID += 1
    asked[lastID] = method
    try send(["jsonrpc": .string("2.0"), "id": .integer(lastID), "method": .string(method), "params": parameters])
    return lastID
  }

  func notify(_ method: String, _ parameters: JSONValue) throws(KitFailure) {
    try send(["jsonrpc": .string("2.0"), "method": .string(method), "params": parameters])
  }

  func answer(to id: Int64, limit: Duration = limit) throws(KitFailure) -> Answer {
    let method = asked[id] ?? "a request"
    var deadline = ContinuousClock.now + limit
    while true {
      if let answer = answers.removeValue(forKey: id) {
        asked[id] = nil
        return answer
      }
      switch wire.next(until: deadline) {
      case .line(let line): if try take(line) == id { deadline = .now + limit }
      case .silence: throw KitFailure("\(method) was not answered within \(limit.formatted(.units()))")
      case .end:
        if wire.sentTooMuch { throw KitFailure("it sent a line of more than 4 MiB") }
        _ = wire.waitForEnd(until: .now + .seconds(1))
        let end = wire.status.map { "it \(PluginWire.words($0))" } ?? "it closed its standard output"
        throw KitFailure("\(method) was not answered: \(end)\(wire.log.last.map { "; its last word: \($0)" } ?? "")")
      }
    }
  }

  /// The answer to a request, if it has come already.
  func arrived(_ id: Int64) throws(KitFailure) -> Answer? {
    try drain()
    guard let answer = answers.removeValue(forKey: id) else { return nil }
    asked[id] = nil
    return answer
  }

  // MARK: - Saying again

  /// Sends a recorded line.
  /// - Parameter message: what it holds, if it is JSON.
  func `repeat`(_ line: String, asking message: JSONValue?) throws(KitFailure) {
    if case .integer(let id) = message?["id"], let method = message?["method"]?.string { asked[id] = method }
    try wire.send(line)
  }

  /// The answer as the plugin wrote it, without its version of JSON-RPC and its id.
  func rawAnswer(to id: Int64) throws(KitFailure) -> JSONValue {
    switch try answer(to: id) {
    case .result(let result): .object(["result": result])
    case .refusal(let code, let message): .object(["error": .object(["code": .integer(Int64(code)), "message": .string(message)])])
    }
  }

  // MARK: - Hearing

  /// Holds what it wrote and nobody waited for to the schemas, too.
  func drain() throws(KitFailure) {
    while case .line(let line) = wire.next(until: .now) { try take(line) }
  }

  /// Waits until it says something, at most until then.
  func hear(until deadline: ContinuousClock.Instant) throws(KitFailure) {
    if case .line(let line) = wire.next(until: deadline) { try take(line) }
  }

  /// - Returns: the request whose progress it tells.
  @discardableResult
  private func take(_ line: String) throws(KitFailure) -> Int64? {
    let message: JSONValue
    do {
      message = try JSONDecoder().decode(JSONValue.self, from: Data(line.utf8))
    } catch {
      throw KitFailure(
        "it wrote a line that is no JSON: \(PluginText.line(line, limit: 120)) (standard output is for messages alone: log to standard error)"
      )
    }
    if let problem = MessageSchemas.problems(in: message, as: "envelope").first {
      throw KitFailure("it wrote a line that is no message: \(problem) in \(PluginText.line(line, limit: 120))")
    }
    if let method = message["method"]?.string { return try take(method, message) }
    guard case .integer(let id) = message["id"] else { return nil }  // It could not read a line of ours, and says so.
    guard let method = asked[id] else { throw KitFailure("it answered a request \(id) that was not asked or is answered already") }
    if let refusal = message["error"], case .integer(let code) = refusal["code"] {
      answers[id] = .refusal(code: Int(clamping: code), message: refusal["message"]?.string ?? "")
    } else if let result = message["result"] {
      let name = MessageSchemas.name(.result, of: method)
      if MessageSchemas.text(name) != nil, let problem = MessageSchemas.problems(in: result, as: name).first {
        throw KitFailure("the result of \(method) is not as docs/plugin-protocol/\(name).json says: \(problem)")
      }
      answers[id] = .result(result)
    }
    return nil
  }

  private func take(_ method: String, _ message: JSONValue) throws(KitFailure) -> Int64? {
    let parameters = message["params"] ?? .object([:])
    let name = MessageSchemas.name(.parameters, of: method)
    if MessageSchemas.text(name) != nil, let problem = MessageSchemas.problems(in: parameters, as: name).first {
      throw KitFailure("the parameters of its \(method) are not as docs/plugin-protocol/\(name).json says: \(problem)")
    }
    if let id = message["id"] {
      if let reply = replies[method] {
        try send(["jsonrpc": .string("2.0"), "id": id, "result": reply])
      } else {
        let refusal = JSONValue.object(["code": .integer(-32601), "message": .string("the host knows no \(method)")])
        try send(["jsonrpc": .string("2.0"), "id": id, "error": refusal])
      }
    }
    if method == "$/progress", case .integer(let id) = parameters["id"] { return id }
    return nil
  }

  private func send(_ members: [String: JSONValue]) throws(KitFailure) {
    do {
      let encoder = JSONEncoder()
      encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
      try wire.send(String(decoding: try encoder.encode(JSONValue.object(members)), as: UTF8.self))
    } catch let failure as KitFailure {
      throw failure
    } catch {
      throw KitFailure("a message cannot be written: \(error)")
    }
  }

  static func shown(_ value: JSONValue) -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    do {
      return PluginText.line(String(decoding: try encoder.encode(value), as: UTF8.self), limit: 200)
    } catch {
      return "a value that cannot be shown: \(error)"
    }
  }

  private static func advice(_ method: String, _ code: Int) -> String {
    guard code == -32601 else { return "" }
    return [
      "health": ": answer it with {\"status\": \"ok\"}", "shutdown": ": answer it with {}", "notifier/notify": ": answer it with {}",
    ][method]
      ?? ": a plugin of this kind must know it"
  }
}
