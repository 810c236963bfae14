internal import Domain
internal import Foundation
internal import RunnerHub

/// What RunnerHub remembers of one machine: what was asked for, how far the provider is, and what the machine itself has told. Pure.
struct GarmMachine: Hashable, Codable {
  enum Phase: String, Hashable, Codable {
    /// Asked for; whether the provider has made anything, nobody knows.
    case wanted
    /// The provider has it, and `providerID` is known.
    case made
  }

  var spec: ContainerSpec
  var pool: GarmPool
  var phase = Phase.wanted
  /// Creations begun so far: each has a token of its own.
  var attempt = 0
  /// The oldest attempt whose token is good. Older than `attempt` where the provider had the machine already.
  var oldestAttempt = 1
  /// A creation was begun and its end is not known, or it failed: what is left of it is to be deleted before the next one.
  var owesDeletion = false
  var providerID: String?
  var createdAt: Date?
  /// The machine's first call: from here on there is somebody who takes a job.
  var calledAt: Date?
  /// The last word of its own: `installing`, `idle`, `failed`, `terminated`.
  var status: String?
  var message: String?
  /// The use whose files lie ready, once the marker was put.
  var use: Int?
  var endedAt: Date?
  /// Of run.sh, where the machine could tell.
  var exitCode: Int32?
  /// Nobody wants it any more: it gets no answers and no further creation.
  var isUnwanted = false

  init(spec: ContainerSpec, pool: GarmPool) {
    self.spec = spec
    self.pool = pool
  }

  var id: ContainerID { spec.id }
  /// What the provider is asked for it by: its own id, or the name where creation failed before an id was known.
  var reference: String { providerID ?? spec.id.rawValue }
  var hasEnded: Bool { endedAt != nil }

  // MARK: - What happens to it

  mutating func beginCreation(at now: Date) {
    attempt += 1
    oldestAttempt = attempt
    owesDeletion = true
    createdAt = now
    providerID = nil
  }

  mutating func created(_ instance: ProviderInstance, isAdopted: Bool = false) {
    providerID = instance.id
    phase = .made
    owesDeletion = false
    // Which attempt has made it, nobody knows.
    if isAdopted { oldestAttempt = 1 }
  }

  /// What a failed creation has left is deleted.
  mutating func cleared() {
    owesDeletion = false
    providerID = nil
  }

  /// - Returns: whether something is new.
  mutating func called(at now: Date) -> Bool {
    guard calledAt == nil else { return false }
    calledAt = now
    return true
  }

  mutating func told(_ status: String, _ message: String, exitCode code: Int32?, at now: Date) {
    self.status = status
    self.message = message.isEmpty ? nil : message
    guard endedAt == nil, status == "terminated" || status == "failed" else { return }
    endedAt = now
    exitCode = code
  }

  // MARK: - What follows

  /// Whether a token of it is good.
  func accepts(_ token: MachineToken, at now: Date) -> Bool {
    guard !isUnwanted, (oldestAttempt...max(oldestAttempt, attempt)).contains(token.attempt) else { return false }
    return calledAt != nil || now <= token.expiry
  }

  /// What the core sees of it.
  /// - Parameter cloud: the provider's last word; nil where it has none.
  func observation(cloud: ProviderInstance.Status?) -> ContainerObservation {
    var seen = ContainerObservation(id: id, status: .created, startedAt: calledAt)
    if hasEnded {
      seen.status = .exited(code: exitCode)
      if exitCode != nil { (seen.endedUse, seen.runnerExit) = (use, exitCode) }
    } else if cloud == .stopped && calledAt != nil || cloud == .error {
      // It ran, and was switched off by itself or by others.
      seen.status = .exited(code: nil)
    } else if phase == .made && calledAt != nil {
      seen.status = .running
    }
    return seen
  }
}
