import Hummingbird

/// What a sender of a webhook is told. Its name is also the label `outcome` of the counter `runnerhub_webhooks_total`.
enum WebhookAnswer: Equatable {
  case stored
  case duplicate
  case repeated
  case pong
  /// A message that cannot be understood; the sender is told why.
  case malformed(String)
  case unauthorized(String)
  case tooLarge(maximum: Int)
  case unsupportedType
  case busy
  case unavailable
  case damaged

  /// A word for counting.
  var outcome: String {
    switch self {
    case .stored: "stored"
    case .duplicate: "duplicate"
    case .repeated: "repeated"
    case .pong: "ping"
    case .malformed: "malformed"
    case .unauthorized: "unauthorized"
    case .tooLarge: "too_large"
    case .unsupportedType: "unsupported_type"
    case .busy: "busy"
    case .unavailable: "unavailable"
    case .damaged: "damaged"
    }
  }

  /// All words of `outcome`.
  static let outcomes = [
    stored, duplicate, repeated, pong, malformed(""), unauthorized(""), tooLarge(maximum: 0), unsupportedType, busy, unavailable, damaged,
  ]
  .map(\.outcome)

  var response: Response {
    switch self {
    case .stored: JSONAnswer.status(.accepted, ["status": "accepted", "reason": "the delivery is stored"])
    case .duplicate: JSONAnswer.status(.ok, ["status": "duplicate", "reason": "this delivery was stored before; nothing was done again"])
    case .repeated:
      JSONAnswer.status(
        .ok, ["status": "repeated", "reason": "another delivery has told this of the job before; nothing was stored or done again"])
    case .pong: JSONAnswer.status(.ok, ["status": "ok", "message": "pong", "reason": "the signature is right and the delivery is stored"])
    case .malformed(let reason): JSONAnswer.status(.badRequest, ["status": "malformed", "reason": reason])
    case .unauthorized(let reason): JSONAnswer.status(.unauthorized, ["status": "unauthorized", "reason": reason])
    case .tooLarge(let maximum):
      JSONAnswer.status(.contentTooLarge, ["status": "too_large", "reason": "the body is larger than \(maximum) bytes"])
    case .unsupportedType:
      JSONAnswer.status(
        .unsupportedMediaType,
        ["status": "unsupported_type", "reason": "Content-Type must be application/json or application/x-www-form-urlencoded"])
    case .busy: later("busy", "too many bodies are being received; try again later")
    case .unavailable: later("unavailable", "the store cannot be used now; ask for a redelivery later")
    case .damaged:
      JSONAnswer.status(.internalServerError, ["status": "error", "reason": "the store cannot be read; see the log of RunnerHub"])
    }
  }

  private func later(_ status: String, _ reason: String) -> Response {
    var response = JSONAnswer.status(.serviceUnavailable, ["status": status, "reason": reason])
    response.headers[.retryAfter] = "5"
    return response
  }
}
