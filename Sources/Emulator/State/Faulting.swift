import Foundation

/// Faults as they strike the state: deliveries that do not go as they should, requests, registrations, thieves.
extension EmulatedGitHub {
  /// A delivery that waits for its time or to be overtaken.
  struct HeldDelivery: Sendable {
    let delivery: Delivery
    let until: Date
    /// Deliveries that must go first; nil: only time lets it go.
    var overtakers: Int?
  }

  /// From now on these faults and no others. What an earlier plan has put off stays put off, and what is unreachable stays so until its time.
  package func inject(_ plan: FaultPlan) {
    faults = Faults(plan)
    if let seconds = plan.unreachable { unreachableUntil = now() + seconds }
  }

  /// The same from JSON, with limits beside; those that are not named end.
  ///
  /// - Throws: 422 that names what is wrong.
  package func inject(_ json: JSON) throws(Refusal) {
    let plan = try FaultPlan(json)
    let limits = json["limits"].isNull ? nil : try RateLimits(json["limits"])
    inject(plan)
    limit(to: limits)
  }

  /// From now on these limits; nil: no request is refused. What was spent is forgotten.
  package func limit(to limits: RateLimits?) { meter = RateMeter(limits) }

  /// How often a kind of fault has struck since the start.
  package func strikes(of kind: Strike.Kind) -> Int { strikes.count { $0.kind == kind } }

  func strike(_ kind: Strike.Kind, _ what: String) { strikes.append(Strike(kind: kind, what: what)) }

  var isUnreachable: Bool { unreachableUntil.map { $0 > now() } ?? false }

  // MARK: - Deliveries

  /// Puts a delivery on its way, or does to it what the faults say.
  func send(_ delivery: Delivery) {
    let job = delivery.body["workflow_job"]["name"].string
    let what = "\(delivery.event).\(delivery.action)" + (job.map { " \($0)" } ?? "")
    if isUnreachable {
      strike(.unreachable, what)
      return delivered(delivery.id, statusCode: 0, status: "failed to connect to host", duration: 0)
    }
    switch faults.fate(ofDelivery: delivery.event, action: delivery.action, job: job) {
    case .send: put(delivery)
    case .lose:
      strike(.lost, what)
      mark(delivery.id, "lost")
    case .double(let fromOtherHook):
      strike(.doubled, what)
      put(delivery)
      let second = delivery.again(
        id: makeID(), at: now(), guid: fromOtherHook ? UUID().uuidString.lowercased() : nil,
        hookID: fromOtherHook ? delivery.hookID + 1 : delivery.hookID)
      deliveries.append(second)
      put(second)
    case .delay(let seconds):
      strike(.late, what)
      held.append(HeldDelivery(delivery: delivery, until: now() + seconds, overtakers: nil))
    case .reorder(let overtakers):
      strike(.reordered, what)
      held.append(HeldDelivery(delivery: delivery, until: now() + 2, overtakers: overtakers))
    }
  }

  private func put(_ delivery: Delivery) {
    outgoing.yield(delivery)
    for index in held.indices {
      if let left = held[index].overtakers { held[index].overtakers = left - 1 }
    }
    let free = held.filter { $0.overtakers.map { $0 <= 0 } ?? false }
    held.removeAll { $0.overtakers.map { $0 <= 0 } ?? false }
    for waiting in free { outgoing.yield(waiting.delivery) }
  }

  private func mark(_ id: Int64, _ status: String) {
    guard let index = deliveries.lastIndex(where: { $0.id == id }) else { return }
    deliveries[index].status = status
  }

  // MARK: - Time

  /// What time brings to what the faults have put off.
  func tickFaults(at time: Date) {
    let due = held.filter { $0.until <= time }.sorted { $0.until < $1.until }
    held.removeAll { $0.until <= time }
    for waiting in due { outgoing.yield(waiting.delivery) }
    for registration in registrations.values {
      guard let moment = registration.vanishesAt, moment <= time, registration.state != .gone else { continue }
      strike(.vanished, registration.name)
      retire(registration.id, "vanished")
    }
  }

  // MARK: - Requests

  /// What the faults do to a request; nil: it is served.
  func fate(ofRequest method: String, path: String) -> FaultPlan.RequestFault.Kind? {
    let fate = faults.fate(ofRequest: method, path: path)
    switch fate {
    case .failBefore?: strike(.failedBefore, "\(method) \(path)")
    case .failAfter?: strike(.failedAfter, "\(method) \(path)")
    case .cutBefore?: strike(.cutBefore, "\(method) \(path)")
    case .cutAfter?: strike(.cutAfter, "\(method) \(path)")
    case nil: break
    }
    return fate
  }

  /// Counts a request against the limits of its caller.
  ///
  /// - Throws: 403 for one too many.
  func spend(_ charge: RateMeter.Charge, by caller: Caller, what: String) throws(Refusal) {
    do {
      try meter.spend(charge, by: caller, at: now())
    } catch {
      strike(.rateLimited, what)
      throw error
    }
  }

  func refund(_ charge: RateMeter.Charge, by caller: Caller) { meter.refund(charge, by: caller, at: now()) }

  func standing(_ resource: RateMeter.Resource, of caller: Caller) -> RateMeter.Standing { meter.standing(resource, of: caller, at: now()) }

  // MARK: - Thieves

  /// Another runner comes, of the old kind: it takes each queued job whose labels it has. Each job that it gets counts as stolen.
  package func hire(_ runner: EmulatorConfiguration.TraditionalRunner) {
    let id = makeID()
    traditional[id] = (runner, nil, nil)
    thieves.insert(id)
    queue.offer(.init(id: id, scope: .organisation(configuration.organisation), labels: runner.labels))
    dispatch()
  }

  /// It leaves, after the job that it has.
  ///
  /// - Throws: 404 where no traditional runner has the name.
  package func dismiss(_ name: String) throws(Refusal) {
    guard let (id, entry) = traditional.first(where: { $0.value.runner.name == name }) else { throw .notFound }
    queue.removeRunner(id)
    if entry.job == nil { traditional[id] = nil } else { leaving.insert(id) }
  }
}
