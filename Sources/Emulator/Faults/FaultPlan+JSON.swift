import Foundation

/// The plan as `POST /_emulator/faults` takes it.
extension FaultPlan {
  /// - Throws: 422 that names what is wrong, and what could stand there.
  init(_ json: JSON) throws(Refusal) {
    try Self.demand(json, "the plan", only: ["seed", "webhooks", "requests", "vanishing", "unreachable_seconds", "limits"])
    self.init()
    if let seed = json["seed"].int { self.seed = UInt64(bitPattern: seed) }
    for item in json["webhooks"].array ?? [] { webhooks.append(try WebhookFault(item)) }
    for item in json["requests"].array ?? [] { requests.append(try RequestFault(item)) }
    if !json["vanishing"].isNull {
      try Self.demand(json["vanishing"], "vanishing", only: ["after_seconds", "next", "probability"])
      vanishing = Vanishing(after: try json["vanishing"].seconds("after_seconds"), strikes: try Strikes(json["vanishing"]))
    }
    if !json["unreachable_seconds"].isNull { unreachable = try json.seconds("unreachable_seconds") }
  }

  /// A misspelt member would be a fault that never strikes.
  fileprivate static func demand(_ json: JSON, _ what: String, only known: Set<String>) throws(Refusal) {
    guard let members = json.object else { throw .invalid("FaultPlan", what, "must be an object") }
    if let stranger = members.keys.sorted().first(where: { !known.contains($0) }) {
      throw .invalid("FaultPlan", stranger, "is not one of \(known.sorted().joined(separator: ", "))")
    }
  }
}

extension FaultPlan.Strikes {
  fileprivate init(_ json: JSON) throws(Refusal) {
    if let count = json["next"].int {
      guard count >= 0 else { throw .invalid("FaultPlan", "next", "must be 0 or more") }
      self = .next(Int(clamping: count))
    } else if let chance = json["probability"].double {
      guard (0...1).contains(chance) else { throw .invalid("FaultPlan", "probability", "must be 0 to 1") }
      self = .probability(chance)
    } else {
      self = .always
    }
  }
}

extension FaultPlan.WebhookFault {
  fileprivate init(_ json: JSON) throws(Refusal) {
    try FaultPlan.demand(json, "webhooks", only: ["fault", "seconds", "event", "action", "job", "next", "probability"])
    let kind: Kind
    switch json["fault"].string {
    case "lose": kind = .lose
    case "double": kind = .double
    case "delay": kind = .delay(try json.seconds("seconds"))
    case "reorder": kind = .reorder
    default: throw .invalid("FaultPlan", "webhooks.fault", "must be lose, double, delay or reorder")
    }
    self.init(
      kind, event: json["event"].string, action: json["action"].string, job: json["job"].string, strikes: try FaultPlan.Strikes(json))
  }
}

extension FaultPlan.RequestFault {
  fileprivate init(_ json: JSON) throws(Refusal) {
    try FaultPlan.demand(json, "requests", only: ["fault", "status", "method", "path", "next", "probability"])
    let status = Int(clamping: json["status"].int ?? 502)
    guard (500...599).contains(status) else { throw .invalid("FaultPlan", "requests.status", "must be 500 to 599") }
    let kind: Kind
    switch json["fault"].string {
    case "fail_before": kind = .failBefore(status)
    case "fail_after": kind = .failAfter(status)
    case "cut_before": kind = .cutBefore
    case "cut_after": kind = .cutAfter
    default: throw .invalid("FaultPlan", "requests.fault", "must be fail_before, fail_after, cut_before or cut_after")
    }
    self.init(kind, method: json["method"].string, path: json["path"].string, strikes: try FaultPlan.Strikes(json))
  }
}

extension RateLimits {
  /// What is not named has GitHub's numbers.
  init(_ json: JSON) throws(Refusal) {
    try FaultPlan.demand(json, "limits", only: ["core", "registration", "content", "registrations"])
    self.init()
    if !json["core"].isNull { core = try Window(json["core"]) }
    if !json["registration"].isNull { registration = try Window(json["registration"]) }
    if let windows = json["content"].array { content = try Self.windows(windows) }
    if let windows = json["registrations"].array { registrations = try Self.windows(windows) }
  }

  private static func windows(_ items: [JSON]) throws(Refusal) -> [Window] {
    var windows: [Window] = []
    for item in items { windows.append(try Window(item)) }
    return windows
  }
}

extension RateLimits.Window {
  fileprivate init(_ json: JSON) throws(Refusal) {
    guard let limit = json["limit"].int, limit >= 0 else { throw .invalid("FaultPlan", "limits.limit", "must be 0 or more") }
    self.init(Int(clamping: limit), per: try json.seconds("seconds"))
  }
}

extension JSON {
  fileprivate var double: Double? {
    switch self {
    case .int(let value): Double(value)
    case .number(let value): value
    default: nil
    }
  }

  fileprivate func seconds(_ member: String) throws(Refusal) -> Double {
    guard let seconds = self[member].double, seconds >= 0, seconds.isFinite else {
      throw .invalid("FaultPlan", member, "must be 0 seconds or more")
    }
    return seconds
  }
}
