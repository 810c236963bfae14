internal import Foundation
internal import JSON
internal import Synchronization

/// What is done with each line that a plugin writes to its standard output.
struct Inbox {
  let connection: ProcessConnection

  func receive(_ line: UnsafeRawBufferPointer) {
    let envelope: Envelope
    do {
      envelope = try Envelope(line)
    } catch {
      return refuse(line, "\(error)")
    }
    if case .result(let id) = envelope.kind {
      return answered(id, .success(Array(UnsafeRawBufferPointer(rebasing: line[envelope.contents]))), line)
    }
    let contents = Data(line[envelope.contents])
    switch envelope.kind {
    case .result: break
    case .error(let id):
      do {
        answered(id, .failure(try PluginJSON.decoder.decode(AnsweredError.self, from: contents).error), line)
      } catch {
        refuse(line, "an error that is none: \(DecodingReason.text(error))")
      }
    case .notification("$/progress"): progressed(contents, line)
    case .notification("$/cancel"): cancelled(contents, line)
    case .notification(let method): ask(method, id: nil, contents, line)
    case .request(let id, let method): ask(method, id: id, contents, line)
    }
  }

  /// Counts a line that nobody asked for against what is read in a time.
  private func charge(_ line: UnsafeRawBufferPointer) {
    connection.state.withLock { $0.unsolicited.take(1 + Double(line.count) / 4096, at: .now) }
  }

  private func refuse(_ line: UnsafeRawBufferPointer, _ what: String) {
    charge(line)
    let beginning = PluginText.line(String(decoding: line.prefix(80), as: UTF8.self))
    connection.misbehaved("\(PluginText.line(what)): \(beginning)")
  }

  // MARK: - The host's calls

  private func answered(_ id: Int64, _ answer: Result<[UInt8], PluginError>, _ line: UnsafeRawBufferPointer) {
    let found = connection.state.withLock { state in
      let found = state.ledger.answered(id)
      connection.sendNext(&state)
      return found
    }
    switch found {
    case .call(let call): call.ticket.continuation.resume(returning: answer)
    case .late: charge(line)
    case nil: refuse(line, "an answer to \(id), which is no open request")
    }
  }

  private struct Progress: Decodable {
    var id: Int64
  }

  private func progressed(_ contents: Data, _ line: UnsafeRawBufferPointer) {
    charge(line)
    do {
      let id = try PluginJSON.decoder.decode(Progress.self, from: contents).id
      var progress = try PluginJSON.decoder.decode(PluginProgress.self, from: contents)
      progress.message = PluginText.line(progress.message)
      let call = connection.state.withLock { $0.ledger.renew(id, at: .now) }
      // Of a call that has ended meanwhile: it may have been on its way.
      call?.ticket.progress?(progress)
    } catch {
      connection.misbehaved("a progress that is none: \(DecodingReason.text(error))")
    }
  }

  /// An error of JSON-RPC.
  private struct AnsweredError: Decodable {
    struct Details: Decodable {
      var retryAfter: Double?
    }
    var code: Int
    var message: String
    var data: Details?

    private enum Key: CodingKey { case code, message, data }

    init(from decoder: any Decoder) throws {
      let container = try decoder.container(keyedBy: Key.self)
      code = try container.decode(Int.self, forKey: .code)
      message = try container.decode(String.self, forKey: .message)
      // Any JSON may stand there, and other shapes mean nothing to us.
      data = try? container.decodeIfPresent(Details.self, forKey: .data)
    }

    static let throttled = -32006

    var error: PluginError {
      let text = PluginText.line(message)
      guard code == Self.throttled else { return .refused(PluginError.Code(rawValue: code) ?? .failed, text) }
      return .throttled(text, after: (data?.retryAfter).map { .seconds(min(max(0, $0), 86_400)) })
    }
  }

  // MARK: - The plugin's own requests

  private func ask(_ method: String, id raw: [UInt8]?, _ contents: Data, _ line: UnsafeRawBufferPointer) {
    charge(line)
    let parameters = contents.isEmpty ? Data("null".utf8) : contents
    let connection = connection
    // Tasks of no group: no task waits for who reads, and one that reads in between has nothing to do with it. `answering` bounds how many there are.
    guard let raw else {
      connection.state.withLock { $0.answering += 1 }
      Task.detached { await Answering(connection: connection, method: method).hear(parameters) }
      return
    }
    let id: JSONValue
    do {
      id = try PluginJSON.decoder.decode(JSONValue.self, from: Data(raw))
    } catch {
      return connection.misbehaved("an id that is no JSON: \(PluginText.line(String(decoding: raw, as: UTF8.self)))")
    }
    let isFirst = connection.state.withLock { state in
      guard state.requests[id] == nil else { return false }
      state.answering += 1
      state.requests[id] = Task.detached { await Answering(connection: connection, method: method).answer(parameters, id, raw) }
      return true
    }
    if !isFirst { connection.misbehaved("a second request with the id of one that is not answered yet: \(PluginText.line("\(method)"))") }
  }

  private struct Cancellation: Decodable {
    var id: JSONValue
  }

  private func cancelled(_ contents: Data, _ line: UnsafeRawBufferPointer) {
    charge(line)
    do {
      let id = try PluginJSON.decoder.decode(Cancellation.self, from: contents).id
      connection.state.withLock { $0.requests[id] }?.cancel()
    } catch {
      connection.misbehaved("a cancellation that is none: \(DecodingReason.text(error))")
    }
  }
}

/// One request or notification of the plugin, while it is being answered.
private struct Answering {
  let connection: ProcessConnection
  let method: String

  private struct Refusal: Encodable {
    var code: Int
    var message: String
  }

  func hear(_ parameters: Data) async {
    do {
      _ = try await connection.service.answer(method, parameters: parameters, from: connection.name)
    } catch {
      connection.misbehaved("the notification \(PluginText.line(method)) was refused: \(PluginText.line("\(error)"))")
    }
    connection.state.withLock { $0.answering -= 1 }
    connection.ring()
  }

  func answer(_ parameters: Data, _ id: JSONValue, _ raw: [UInt8]) async {
    var line: [UInt8]
    do {
      line = Envelope.result(id: raw, try await connection.service.answer(method, parameters: parameters, from: connection.name))
      if line.count > connection.settings.messageLimit {
        throw PluginError.refused(.failed, "the answer would take \(line.count) bytes")
      }
    } catch {
      line = Envelope.error(id: raw, Self.refusal(error))
    }
    connection.state.withLock { state in
      state.answering -= 1
      state.requests[id] = nil
      connection.send(line, &state)
    }
    connection.ring()
  }

  private static func refusal(_ error: any Error) -> Data {
    let code =
      switch error {
      case PluginError.refused(let code, _): code.rawValue
      case PluginError.malformed: PluginError.Code.invalidParameters.rawValue
      case PluginError.notRunning, PluginError.timedOut: PluginError.Code.unavailable.rawValue
      case PluginError.throttled: -32006
      default: PluginError.Code.failed.rawValue
      }
    // Two plain members: it cannot fail, and an answer without words is an answer.
    return (try? PluginJSON.encoder.encode(Refusal(code: code, message: "\(error)"))) ?? Data("{\"code\":\(code),\"message\":\"\"}".utf8)
  }
}
