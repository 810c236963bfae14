package import Foundation

/// One webhook message as it came, before anybody looked into it.
package struct Delivery: Hashable, Sendable {
  /// `X-GitHub-Delivery`. Not signed: it spares work, and protects nothing.
  package var guid: String
  /// `X-GitHub-Hook-ID`; empty where absent. One event that matches several hooks comes once per hook.
  package var hookID: String
  /// `X-GitHub-Event`.
  package var event: String
  /// `X-GitHub-Hook-Installation-Target-Type` and `-ID`, where given.
  package var target: String?
  /// What the signed body says of a job, e.g. `29679449526.1/in_progress/in_progress`: job id, run attempt, action, status. It recognises a
  /// repetition that comes with a fresh GUID. The status is part of it, because `queued` may come with the status `waiting` and, after an
  /// approval, with `queued`. nil for other events and where a body does not say it all: then only the GUID recognises a repetition.
  package var transition: String?
  /// The JSON, byte for byte as signed (or as it stood in the form field `payload`).
  package var body: Data
  package var receivedAt: Date

  package init(
    guid: String, hookID: String, event: String, target: String? = nil, transition: String? = nil, body: Data, receivedAt: Date
  ) {
    self.guid = guid
    self.hookID = hookID
    self.event = event
    self.target = target
    self.transition = transition
    self.body = body
    self.receivedAt = receivedAt
  }
}

/// What became of a delivery.
package enum DeliveryStatus: String, Sendable, Codable, CaseIterable {
  /// Stored, not yet looked at.
  case pending
  /// Its meaning is applied.
  case processed
  /// An event or action that has no use here.
  case ignored
  /// A repetition of a transition that was applied before.
  case repeated
  /// Its body could not be understood; the reason is beside it.
  case malformed
}

/// A delivery in the inbox.
package struct StoredDelivery: Hashable, Sendable, Identifiable {
  /// Rises in the order of storing.
  package let id: Int64
  package var delivery: Delivery
  package var status: DeliveryStatus
  /// Why it was ignored or could not be understood.
  package var note: String?

  package init(id: Int64, delivery: Delivery, status: DeliveryStatus, note: String? = nil) {
    self.id = id
    self.delivery = delivery
    self.status = status
    self.note = note
  }
}

/// The answer to storing a delivery.
package enum DeliveryReceipt: Hashable, Sendable {
  case stored
  /// The same GUID from the same hook is there already; nothing was written.
  case duplicate
  /// Another delivery with the same `transition` is there already, from whichever hook; nothing was written.
  case repeated
}
