package import Foundation
package import Hummingbird
package import Logging
package import Metrics
import NIOCore
package import RunnerHub

/// Takes webhooks of other CI platforms than GitHub at `/webhooks/plugins/NAME`: has the source verify and understand them, stores durably what
/// they tell, and only then answers.
///
/// Nothing of a body is kept before the source has accepted it. Where it cannot be asked the answer is 503: a platform that tries again is heard
/// then, and what one that does not has said is found by asking (`SourceDesk`).
package struct SourceWebhookHandler: Sendable {
  package static let prefix = "/webhooks/plugins/"

  /// Bounds of what one sender, and all senders together, may cost.
  package struct Limits: Sendable {
    /// Bytes of one body. It goes to the plugin in one message of at most 4 MiB.
    package var bodyBytes = 1 << 20
    /// Bytes of all bodies that are held at the same time.
    package var heldBytes = 16 << 20
    /// Bytes of all headers.
    package var headerBytes = 32 << 10
    /// Time from the end of a request's head to the end of its body and the source's word on it.
    package var bodyTime: Duration = .seconds(20)
    /// Time that a sender whose body is not read has to take the answer.
    package var lingerTime: Duration = .seconds(1)
    package init() {}
  }

  private let webhooks: any SourceWebhooks
  private let inbox: any Inbox
  private let limits: Limits
  private let collector: BodyCollector
  private let now: @Sendable () -> Date
  private let wake: @Sendable () -> Void
  private let counters: [String: Counter]
  private let logger: Logger

  /// - Parameters:
  ///   - now: the clock of `receivedAt`.
  ///   - wake: called after something was stored; must return at once.
  package init(
    webhooks: any SourceWebhooks, inbox: any Inbox, limits: Limits = Limits(), metrics: any MetricsFactory, logger: Logger,
    now: @escaping @Sendable () -> Date = { Date() }, wake: @escaping @Sendable () -> Void
  ) {
    self.webhooks = webhooks
    self.inbox = inbox
    self.limits = limits
    self.now = now
    self.wake = wake
    self.logger = logger
    collector = BodyCollector(maximum: limits.bodyBytes, total: limits.heldBytes)
    counters = Dictionary(
      uniqueKeysWithValues: SourceWebhookAnswer.outcomes.map {
        ($0, Counter(label: "runnerhub_source_webhooks", dimensions: [("outcome", $0)], factory: metrics))
      })
  }

  /// Answers one request below `prefix`. Never throws: each failure has its answer.
  package func respond(to request: Request, context: WebContext) async -> Response {
    let deadline = context.channel.closeAfter(TimeAmount(limits.bodyTime))
    defer { deadline.cancel() }
    let (answer, isRead) = await answer(to: request)
    counters[answer.outcome]?.increment()
    var response = answer.response
    if !isRead {
      response.headers[.connection] = "close"
      _ = context.channel.closeAfter(TimeAmount(limits.lingerTime))
    }
    return response
  }

  private func answer(to request: Request) async -> (SourceWebhookAnswer, isRead: Bool) {
    let source = String(request.uri.path.dropFirst(Self.prefix.count))
    guard Self.isName(source) else { return (.unknown, !request.announcesBody) }
    guard let headers = headers(of: request) else {
      return (.malformed("the headers have more than \(limits.headerBytes) bytes"), !request.announcesBody)
    }
    do {
      return (try await collector.withBody(of: request) { await answer(from: source, headers, Data($0.readableBytesView)) }, true)
    } catch BodyCollector.Refusal.tooLarge {
      return (.tooLarge(maximum: limits.bodyBytes), false)
    } catch BodyCollector.Refusal.busy {
      return (.unavailable("too many bodies are being received; try again later"), false)
    } catch {
      logger.debug("a webhook's body was not received whole", metadata: ["error": "\(error)"])
      return (.malformed("the body was not received whole"), false)
    }
  }

  private func answer(from source: String, _ headers: [String: String], _ body: Data) async -> SourceWebhookAnswer {
    do throws(SourceMessageRefusal) {
      return await store(
        try await webhooks.deliveries(of: SourceMessage(headers: headers, body: body, receivedAt: now()), to: source), of: source)
    } catch {
      switch error {
      case .unknownSource: return .unknown
      case .notAccepted(let why): return .unauthorized(why)
      case .malformed(let why): return .malformed(why)
      case .unavailable(let why):
        logger.info("a webhook of a source could not be understood now", metadata: ["source": "\(source)", "reason": "\(why)"])
        return .unavailable("\(source) cannot be asked what this means; try again later")
      }
    }
  }

  private func store(_ deliveries: [Delivery], of source: String) async -> SourceWebhookAnswer {
    var stored = 0
    defer { if stored > 0 { wake() } }
    for delivery in deliveries {
      do {
        if try await inbox.append(delivery) == .stored { stored += 1 }
      } catch {
        logger.error("a job of a source could not be stored", metadata: ["source": "\(source)", "error": "\(error)"])
        return .unavailable("the store cannot be used now; try again later")
      }
    }
    return .accepted(jobs: deliveries.count, stored: stored)
  }

  /// By their names in lower case; nil: too many bytes.
  private func headers(of request: Request) -> [String: String]? {
    var headers: [String: String] = [:]
    var bytes = 0
    for field in request.headers {
      bytes += field.name.rawName.utf8.count + field.value.utf8.count
      guard bytes <= limits.headerBytes else { return nil }
      let name = field.name.canonicalName
      headers[name] = headers[name].map { "\($0), \(field.value)" } ?? field.value
    }
    return headers
  }

  /// As plugins are named: what else comes here is not looked up.
  private static func isName(_ text: String) -> Bool {
    (1...32).contains(text.utf8.count)
      && text.utf8.allSatisfy { (0x61...0x7a).contains($0) || (0x30...0x39).contains($0) || $0 == UInt8(ascii: "-") }
  }
}

/// What the sender of a source's webhook is told. Its name is also the label `outcome` of the counter `runnerhub_source_webhooks_total`.
enum SourceWebhookAnswer: Equatable {
  case accepted(jobs: Int, stored: Int)
  case unauthorized(String)
  case malformed(String)
  case tooLarge(maximum: Int)
  case unknown
  case unavailable(String)

  /// A word for counting.
  var outcome: String {
    switch self {
    case .accepted: "accepted"
    case .unauthorized: "unauthorized"
    case .malformed: "malformed"
    case .tooLarge: "too_large"
    case .unknown: "unknown"
    case .unavailable: "unavailable"
    }
  }

  /// All words of `outcome`.
  static let outcomes = ["accepted", "unauthorized", "malformed", "too_large", "unknown", "unavailable"]

  var response: Response {
    switch self {
    case .accepted(let jobs, let stored):
      let reason = jobs == 0 ? "it tells of no job" : stored == 0 ? "all that it tells was stored before" : "what it tells is stored"
      return JSONAnswer.status(.accepted, ["status": "accepted", "reason": reason])
    case .unauthorized(let reason): return JSONAnswer.status(.unauthorized, ["status": "unauthorized", "reason": reason])
    case .malformed(let reason): return JSONAnswer.status(.badRequest, ["status": "malformed", "reason": reason])
    case .tooLarge(let maximum):
      return JSONAnswer.status(.contentTooLarge, ["status": "too_large", "reason": "the body is larger than \(maximum) bytes"])
    case .unknown: return JSONAnswer.status(.notFound, ["status": "refused", "reason": "no source of this name runs here"])
    case .unavailable(let reason):
      var response = JSONAnswer.status(.serviceUnavailable, ["status": "unavailable", "reason": reason])
      response.headers[.retryAfter] = "10"
      return response
    }
  }
}
