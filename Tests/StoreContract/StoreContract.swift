package import RunnerHub
import Testing

/// One sentence of the ports of the store, and how it is checked on an empty store.
package struct StoreContract: Sendable, CustomTestStringConvertible {
  package let sentence: String
  package let check: @Sendable (any Store) async throws -> Void

  init(_ sentence: String, _ check: @escaping @Sendable (any Store) async throws -> Void) {
    self.sentence = sentence
    self.check = check
  }

  package var testDescription: String { sentence }

  /// The whole contract: what every adapter of `Store` must pass, each on a store of its own.
  package static var all: [StoreContract] {
    inbox + jobs + queue + bindings + outbox + records + decisionLog + policies + migration + alerts + walks
  }
}
