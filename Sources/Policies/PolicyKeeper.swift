internal import Dispatch
package import Foundation
package import Logging
package import RunnerHub

/// Keeps what acts: takes bundles from the policies folder, checks and tests them, stores them, and puts them into place. The archive in the store
/// says what acts, so that it survives a restart; the folder is one way to submit.
///
/// What the folder held when it was last judged is remembered in the store. Only another content is judged again: so a rollback holds until the
/// folder changes, over restarts too, and a refused bundle is not tested again and again. A person's reload judges it in any case.
///
/// One change at a time: while a bundle is tested a rollback waits, and then holds.
package struct PolicyKeeper: Sendable {
  /// What is needed of the store.
  package typealias Archive = PolicyArchive & ForgeMemory & ChangeWriter

  package let active: ActivePolicies
  /// Held by every change of a slot, the live one's and those of `SlotKeeper`.
  let turn = AsyncMutex()
  private let path: String
  private let archive: any Archive
  private let logger: Logger
  private let now: @Sendable () -> Date
  /// Under which the store remembers what the folder held when it was last judged.
  private static let judgedKey = "policies/folder"
  /// Who asks at the start of the process.
  private static let starting = "start"
  /// Checks take as long as a bundle's tests do, and must not keep a thread of Swift's pool from decisions.
  private static let workshop = DispatchQueue(label: "RunnerHub policies", qos: .utility, attributes: .concurrent)

  /// - Parameters:
  ///   - path: the policies folder.
  ///   - now: the time, for events.
  package init(
    folder path: String, archive: any Archive, active: ActivePolicies = ActivePolicies(),
    logger: Logger = Logger(label: "runnerhub.policies"), now: @escaping @Sendable () -> Date = { Date() }
  ) {
    self.path = path
    self.archive = archive
    self.active = active
    self.logger = logger
    self.now = now
  }

  /// Puts into place what acted last, and then the folder's bundle if the folder has changed meanwhile. Before anything is decided.
  package func start() async throws(StoreError) {
    var problem: String?
    if let event = try await archive.policyEvent(actingIn: .live), let digest = event.bundle {
      do {
        active.put(try await stored(digest), event: event)
        logger.info("policies of the last time", metadata: ["bundle": "\(digest)", "since": "\(event.at)", "actor": "\(event.actor)"])
      } catch {
        problem = "\(error)"
        logger.error("the bundle that acted last cannot be used", metadata: ["bundle": "\(digest)", "error": "\(error)"])
      }
    }
    // With nothing in place, the folder is judged anew, whatever was said of it before.
    _ = try await judge(by: Self.starting, isForced: active.status.event == nil, because: problem)
  }

  /// Looks at the folder, which may have changed.
  package func lookAgain() async throws(StoreError) -> PolicyChange { try await judge(by: "folder", isForced: false) }

  // MARK: Judging the folder

  private func judge(by actor: String, isForced: Bool, because note: String? = nil) async throws(StoreError) -> PolicyChange {
    try await turn.withLock { () async throws(StoreError) -> PolicyChange in
      try await judgeAlone(by: actor, isForced: isForced, because: note)
    }
  }

  private func judgeAlone(by actor: String, isForced: Bool, because note: String?) async throws(StoreError) -> PolicyChange {
    let previous = active.activeBundle
    let reading = await reading()
    let judged = try await archive.value(forKey: Self.judgedKey)
    switch reading {
    case .bundle(let bundle) where bundle.digest == previous:
      active.setRefusal(nil)
      if judged != reading.mark { try await remember(reading.mark) }
      return PolicyChange(outcome: .unchanged, bundle: previous, previous: previous)
    case _ where reading.mark == judged && !isForced:
      let problem = try await whyNotInPlace(reading)
      active.setRefusal(problem)
      return PolicyChange(outcome: .unchanged, bundle: previous, previous: previous, problem: problem)
    case .unreadable(let problem):
      return try await refuse(nil, problem, reading.mark, by: actor)
    case .bundle(let bundle):
      let check = await Self.check(bundle, runsTests: true)
      if let problem = check.summary { return try await refuse(bundle, problem, reading.mark, by: actor, tests: check.tests.count) }
      try await put(bundle, .activated, by: actor, note: note, mark: reading.mark)
      for file in check.missing {
        logger.warning("\(file.fileName) is missing: the built-in rule answers", metadata: ["bundle": "\(bundle.digest)"])
      }
      return PolicyChange(outcome: .activated, bundle: bundle.digest, previous: previous, tests: check.tests.count)
    }
  }

  /// What is to be said of a folder that was judged before and does not act.
  private func whyNotInPlace(_ reading: FolderReading) async throws(StoreError) -> String {
    guard case .bundle(let bundle) = reading else { return reading.mark }
    let events = try await archive.policyEvents(limit: 100).filter { $0.slot == .live }
    if let refusal = events.first(where: { $0.kind == .refused && $0.bundle == bundle.digest }),
      events.first(where: { $0.kind == .rolledBack }).map({ $0.id < refusal.id }) ?? true
    {
      return refusal.detail ?? "refused"
    }
    let acts = events.first { $0.kind != .refused }
    let how = acts?.kind == .rolledBack ? "rolled back" : "bundle \(acts?.bundle ?? "") was promoted"
    return "\(how): the folder's bundle \(bundle.digest) acts again once the folder changes, or by `runnerhub policy reload`"
  }

  private func refuse(
    _ bundle: PolicyBundle?, _ problem: String, _ mark: String, by actor: String, tests: Int? = nil
  ) async throws(StoreError) -> PolicyChange {
    let stays = active.activeBundle
    let change = PolicyChange(outcome: .refused, bundle: stays, previous: stays, problem: problem, tests: tests)
    active.setRefusal(problem)
    if actor == Self.starting, let newest = try await archive.policyEvents(limit: 1).first, newest.kind == .refused,
      newest.detail == problem
    {
      // A process that is started again and again with nothing in place says so once.
      return change
    }
    var changes = Changes()
    changes.policyEvents = [PolicyEvent(kind: .refused, slot: .live, bundle: bundle?.digest, actor: actor, detail: problem, at: now())]
    changes.memory[Self.judgedKey] = mark
    try await archive.commit(changes, at: .policyChanged)
    HubMetrics.policyChange(.refused)
    logger.error("policies refused; \(stays) stays", metadata: ["folder": "\(path)", "problem": "\(problem)", "actor": "\(actor)"])
    return change
  }

  /// - Parameter mark: of what the folder held, where that was judged in this step; nil: what was remembered stays.
  private func put(
    _ bundle: PolicyBundle, _ kind: PolicyEvent.Kind, by actor: String, note: String?, mark: String? = nil
  ) async throws(StoreError) {
    let at = now()
    var changes = Changes()
    changes.bundles = [StoredBundle(digest: bundle.digest, files: bundle.files.mapValues { Data($0) }, storedAt: at)]
    changes.policyEvents = [PolicyEvent(kind: kind, slot: .live, bundle: bundle.digest, actor: actor, detail: note, at: at)]
    if let mark { changes.memory[Self.judgedKey] = mark }
    for event in try await archive.commit(changes, at: .policyChanged).policyEvents { active.put(bundle, event: event) }
    HubMetrics.policyChange(kind)
    logger.info("policies \(kind.rawValue)", metadata: ["bundle": "\(bundle.digest)", "actor": "\(actor)"])
  }

  private func remember(_ mark: String) async throws(StoreError) {
    var changes = Changes()
    changes.memory[Self.judgedKey] = mark
    try await archive.commit(changes, at: .policyChanged)
  }

  // MARK: Away from Swift's threads

  private func reading() async -> FolderReading {
    await Self.apart { [path] in FolderReading(path) }
  }

  /// With its tests, what is certainly wrong is looked for too: a bundle that comes in is judged as `policy check` and `policy test` judge it.
  static func check(_ bundle: PolicyBundle, runsTests: Bool) async -> BundleCheck {
    await apart { BundleCheck(bundle, runsTests: runsTests, foresees: runsTests) }
  }

  private static func apart<Value: Sendable>(_ work: @escaping @Sendable () -> Value) async -> Value {
    await withCheckedContinuation { continuation in workshop.async { continuation.resume(returning: work()) } }
  }

  func stored(_ digest: String) async throws(PolicyWishError) -> PolicyBundle {
    do {
      guard let found = try await archive.bundle(digest) else {
        throw PolicyWishError.unfit("bundle \(digest) is not in the store")
      }
      return try PolicyBundle(files: found.files.mapValues { Array($0) })
    } catch let error as PolicyWishError {
      throw error
    } catch let error as StoreError {
      throw .unavailable(error.description)
    } catch {
      throw .unfit("bundle \(digest): \(error)")
    }
  }
}

extension PolicyKeeper: PolicyControl {
  package func reload(by actor: String) async throws(PolicyWishError) -> PolicyChange {
    try await answering { () throws(StoreError) in try await judge(by: actor, isForced: true) }
  }

  package func rollBack(to wanted: String?, by actor: String, note: String?) async throws(PolicyWishError) -> PolicyChange {
    // What is meant is said by what acts when the wish comes, not by what may be put into place while it waits.
    let seen = active.activeBundle
    let events = try await answering { () throws(StoreError) in try await archive.policyEvents(limit: 10_000) }
    let digest = try Rollback.target(wanted, present: seen, events: events)
    return try await turn.withLock { () async throws(PolicyWishError) -> PolicyChange in
      try await rollBackAlone(to: digest, by: actor, note: note)
    }
  }

  private func rollBackAlone(to digest: String, by actor: String, note: String?) async throws(PolicyWishError) -> PolicyChange {
    let previous = active.activeBundle
    if digest == previous { return PolicyChange(outcome: .unchanged, bundle: previous, previous: previous) }
    let bundle = try await stored(digest)
    // Its tests were run when it came; that this version of RunnerHub can use it is another thing.
    if let problem = await Self.check(bundle, runsTests: false).summary { throw .unfit("bundle \(digest) cannot act: \(problem)") }
    try await answering { () throws(StoreError) in try await put(bundle, .rolledBack, by: actor, note: note) }
    try await answering { () throws(StoreError) in try await tellStanding(against: digest) }
    return PolicyChange(outcome: .rolledBack, bundle: digest, previous: previous)
  }

  /// Makes a bundle that stood beside the live one the live one, until the folder changes, as after a rollback. The caller holds `turn`.
  func promoteAlone(_ digest: String, by actor: String, note: String) async throws(PolicyWishError) -> PolicyChange {
    let previous = active.activeBundle
    if digest == previous { return PolicyChange(outcome: .unchanged, bundle: previous, previous: previous) }
    let bundle = try await stored(digest)
    try await answering { () throws(StoreError) in try await put(bundle, .activated, by: actor, note: note) }
    try await answering { () throws(StoreError) in try await tellStanding(against: digest) }
    return PolicyChange(outcome: .activated, bundle: digest, previous: previous)
  }

  /// Says why the folder's bundle does not act, if it was judged. One that was saved since and not judged yet is a change: the next look takes it.
  private func tellStanding(against digest: String) async throws(StoreError) {
    let reading = await reading()
    let judged = try await archive.value(forKey: Self.judgedKey)
    if reading.mark == digest || reading.mark != judged { return }
    let problem = try await whyNotInPlace(reading)
    active.setRefusal(problem)
  }

  private func answering<Value: Sendable>(
    _ work: () async throws(StoreError) -> Value
  ) async throws(PolicyWishError) -> Value {
    do { return try await work() } catch { throw .unavailable(error.description) }
  }
}

/// Which bundle a rollback means. Pure.
enum Rollback {
  /// - Parameters:
  ///   - wanted: a digest or its first digits; nil: the bundle that acted before the present one.
  ///   - events: the newest first.
  static func target(_ wanted: String?, present: String, events: [PolicyEvent]) throws(PolicyWishError) -> String {
    var acted: [String] = []
    for event in events where event.slot == .live && (event.kind == .activated || event.kind == .rolledBack) {
      if let bundle = event.bundle, !acted.contains(bundle) { acted.append(bundle) }
    }
    guard let wanted else {
      guard let before = acted.first(where: { $0 != present }) else { throw .unknown("no other bundle has acted before \(present)") }
      return before
    }
    let meant = acted.filter { $0.hasPrefix(wanted.lowercased()) }
    guard let first = meant.first, !wanted.isEmpty else {
      let known = acted.isEmpty ? "none has acted yet" : "these have acted: \(acted.prefix(5).joined(separator: ", "))"
      throw .unknown("no bundle \(wanted) has acted; \(known)")
    }
    guard meant.count == 1 else { throw .unknown("\(wanted) could be \(meant.prefix(5).joined(separator: " or "))") }
    return first
  }
}
