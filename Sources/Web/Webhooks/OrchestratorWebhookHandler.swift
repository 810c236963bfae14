package import Foundation
package import Hummingbird
package import Logging
package import Metrics
import NIOCore
package import RunnerHub

/// Takes GitHub's webhooks: verifies, stores durably, and only then answers.
///
/// Nothing of a body is kept, logged or counted in detail before its signature was found right. GitHub gives a receiver ten seconds and
/// never tries again (GitHub Docs, "Best practices for using webhooks"), so no other work is done before the answer.
package struct OrchestratorWebhookHandler: Sendable {
  /// Bounds of what one sender, and all senders together, may cost.
  package struct Limits: Sendable {
    /// Bytes of one body. GitHub does not deliver more than 25 MB.
    package var bodyBytes = 26_214_400
    /// Bytes of all bodies that are held at the same time.
    package var heldBytes = 268_435_456
    /// Time from the end of a request's head to the end of its body.
    package var bodyTime: Duration = .seconds(20)
    /// Time that a sender whose body is not read has to take the answer.
    package var lingerTime: Duration = .seconds(1)
    package init() {}
  }

  private let secrets: WebhookSecrets
  private let inbox: any Inbox
  private let limits: Limits
  private let collector: BodyCollector
  private let now: @Sendable () -> Date
  private let wake: @Sendable () -> Void
  private let counters: [String: Counter]
  private let logger: Logger

  /// - Parameters:
  ///   - now: the clock of `receivedAt`.
  ///   - wake: called after each stored delivery; must return at once.
  package init(
    secrets: WebhookSecrets, inbox: any Inbox, limits: Limits = Limits(), metrics: any MetricsFactory, logger: Logger,
    now: @escaping @Sendable () -> Date = { Date() }, wake: @escaping @Sendable () -> Void
  ) {
    self.secrets = secrets
    self.inbox = inbox
    self.limits = limits
    self.logger = logger
    self.now = now
    self.wake = wake
    collector = BodyCollector(maximum: limits.bodyBytes, total: limits.heldBytes)
    counters = Dictionary(
      uniqueKeysWithValues: WebhookAnswer.outcomes.map {
        ($0, Counter(label: "runnerhub_webhooks", dimensions: [("outcome", $0)], factory: metrics))
      })
  }

  /// Answers one request to the webhook address. Never throws: each failure has its answer.
  package func respond(to request: Request, context: WebContext) async -> Response {
    let deadline = context.channel.closeAfter(TimeAmount(limits.bodyTime))
    defer { deadline.cancel() }
    let (answer, isRead) = await answer(to: request)
    counters[answer.outcome]?.increment()
    var response = answer.response
    if !isRead {
      // Hummingbird reads on to the end of a body before the next request: a body without an end would hold the connection for ever.
      response.headers[.connection] = "close"
      _ = context.channel.closeAfter(TimeAmount(limits.lingerTime))
    }
    return response
  }

  private func answer(to request: Request) async -> (WebhookAnswer, isRead: Bool) {
    guard let signature = request.header("X-Hub-Signature-256") else {
      return (.unauthorized("the header X-Hub-Signature-256 is missing"), !request.announcesBody)
    }
    do {
      return (try await collector.withBody(of: request) { await answer(to: request, body: $0, signature: signature) }, true)
    } catch BodyCollector.Refusal.tooLarge {
      return (.tooLarge(maximum: limits.bodyBytes), false)
    } catch BodyCollector.Refusal.busy {
      return (.busy, false)
    } catch {
      logger.debug("a webhook's body was not received whole", metadata: ["error": "\(error)"])
      return (.malformed("the body was not received whole"), false)
    }
  }

  private func answer(to request: Request, body: ByteBuffer, signature: String) async -> WebhookAnswer {
    guard body.withUnsafeReadableBytes({ secrets.accepts(signature, for: $0, at: now()) }) else {
      return .unauthorized("X-Hub-Signature-256 is not the signature of this body under the configured secret")
    }
    do {
      let heads = try WebhookHeaders(request)
      let json = try Self.json(of: body, type: request.headers[.contentType])
      let delivery = Delivery(
        guid: heads.guid, hookID: heads.hookID, event: heads.event, target: heads.target,
        transition: try Self.transition(in: json, event: heads.event), body: json, receivedAt: now())
      return try await store(delivery)
    } catch let answer as Rejection {
      return answer.answer
    } catch let error as StoreError {
      logger.error("a verified delivery could not be stored", metadata: ["error": "\(error)"])
      if case .damaged = error { return .damaged }
      return .unavailable
    } catch {
      logger.error("a verified delivery could not be handled", metadata: ["error": "\(error)"])
      return .unavailable
    }
  }

  private func store(_ delivery: Delivery) async throws(StoreError) -> WebhookAnswer {
    let receipt = try await inbox.append(delivery)
    if receipt == .stored { wake() }
    if delivery.event == "ping" { return .pong }
    return switch receipt {
    case .stored: .stored
    case .duplicate: .duplicate
    case .repeated: .repeated
    }
  }

  /// The JSON of a body: itself, or its form field `payload`.
  private static func json(of body: ByteBuffer, type: String?) throws -> Data {
    let media = (type ?? "").prefix { $0 != ";" }.trimmingCharacters(in: .whitespaces).lowercased()
    var json = Data(body.readableBytesView)
    switch media {
    case "application/json": break
    case "application/x-www-form-urlencoded":
      do { json = try FormPayload.decode(json) } catch { throw Rejection(answer: .malformed("\(error)")) }
    default: throw Rejection(answer: .unsupportedType)
    }
    return json
  }

  /// The one walk over a body before the answer: refuses what is no object, and reads what recognises a repetition.
  private static func transition(in json: Data, event: String) throws(Rejection) -> String? {
    do {
      return try JobTransition.read(json, event: event)
    } catch {
      throw Rejection(answer: .malformed("the JSON is malformed: \(error)"))
    }
  }
}

/// A verified message that is answered without being stored.
struct Rejection: Error {
  var answer: WebhookAnswer
}

/// The headers of a delivery, checked for length and characters: they go into tables, logs and pages.
struct WebhookHeaders: Equatable {
  var guid: String
  var hookID: String
  var event: String
  var target: String?

  init(_ request: Request) throws(Rejection) {
    event = try Self.require("X-GitHub-Event", in: request, allowing: "_")
    guid = try Self.require("X-GitHub-Delivery", in: request, allowing: "-_.:")
    hookID = try Self.optional("X-GitHub-Hook-ID", in: request, allowing: "-") ?? ""
    let type = try Self.optional("X-GitHub-Hook-Installation-Target-Type", in: request, allowing: "_-")
    let id = try Self.optional("X-GitHub-Hook-Installation-Target-ID", in: request, allowing: "-")
    target = type.map { type in id.map { "\(type)/\($0)" } ?? type }
  }

  private static func require(_ name: String, in request: Request, allowing marks: String) throws(Rejection) -> String {
    guard let value = try optional(name, in: request, allowing: marks) else {
      throw Rejection(answer: .malformed("the header \(name) is missing"))
    }
    return value
  }

  private static func optional(_ name: String, in request: Request, allowing marks: String) throws(Rejection) -> String? {
    guard let value = request.header(name) else { return nil }
    guard (1...100).contains(value.utf8.count), value.allSatisfy({ $0.isASCII && ($0.isLetter || $0.isNumber) || marks.contains($0) })
    else {
      throw Rejection(answer: .malformed("the header \(name) must have 1 to 100 letters, digits or any of '\(marks)'"))
    }
    return value
  }
}
