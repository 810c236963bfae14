package import Foundation

/// Fills and empties the slots beside the live bundle, and promotes what stands there, by a person's wish.
package protocol SlotControl: Sendable {
  /// Puts a bundle into a slot once it is checked and tested.
  /// - Parameters:
  ///   - slot: the shadow's or the canary's.
  ///   - percent: canary: the share of jobs that it decides, 0…100.
  ///   - actor: who asks: `api`.
  func fill(
    _ slot: PolicySlot, with choice: BundleChoice, percent: Double?, by actor: String, note: String?
  ) async throws(PolicyWishError) -> PolicyChange
  func clear(_ slot: PolicySlot, by actor: String, note: String?) async throws(PolicyWishError) -> PolicyChange
  /// Makes the bundle of a slot the live one, until the folder changes, and empties the slot.
  /// - Parameter slot: nil: the one that is filled; where both are, it must be said.
  func promote(_ slot: PolicySlot?, by actor: String, note: String?) async throws(PolicyWishError) -> PolicyChange
}

/// Which bundle is meant.
package enum BundleChoice: Hashable, Sendable {
  /// Contents by path below the policies folder.
  case files([String: Data])
  /// A digest of a bundle that came before, or its first digits.
  case digest(String)
}
