package import Foundation
import Synchronization

/// The secrets under which deliveries are accepted now. One that is exchanged holds on for a day beside its successor: GitHub signs with it until
/// somebody changes it there too.
package final class WebhookSecrets: Sendable {
  private struct Accepted {
    var text: String
    /// nil: it has no end.
    var until: Date?
  }
  private struct State {
    /// The newest first.
    var secrets: [Accepted]
    var verifier: SignatureVerifier
  }
  /// Seconds.
  package static let overlap: TimeInterval = 86_400
  /// Former ones that are accepted at most; an older one ends early.
  private static let formers = 3
  private let state: Mutex<State>

  package init(_ secrets: [String]) throws(SignatureVerifier.Refusal) {
    state = Mutex(State(secrets: secrets.map { Accepted(text: $0) }, verifier: try SignatureVerifier(secrets: secrets)))
  }

  /// A new secret is accepted from now on, and those of before for a while.
  package func replace(by secret: String, at now: Date) throws(SignatureVerifier.Refusal) {
    _ = try SignatureVerifier(secrets: [secret])
    state.withLock { state in
      let formers = state.secrets.filter { $0.text != secret }
        .map { Accepted(text: $0.text, until: $0.until ?? now.addingTimeInterval(Self.overlap)) }
      state.secrets = [Accepted(text: secret)] + formers.prefix(Self.formers)
      Self.forget(&state, at: now, always: true)
    }
  }

  func accepts(_ header: String, for body: some DataProtocol, at now: Date) -> Bool {
    let verifier = state.withLock { state in
      Self.forget(&state, at: now, always: false)
      return state.verifier
    }
    return verifier.accepts(header, for: body)
  }

  private static func forget(_ state: inout State, at now: Date, always: Bool) {
    let lasting = state.secrets.filter { $0.until.map { $0 > now } ?? true }
    guard always || lasting.count < state.secrets.count else { return }
    // The newest lasts, and is not empty.
    guard let verifier = try? SignatureVerifier(secrets: lasting.map(\.text)) else { return }
    state.secrets = lasting
    state.verifier = verifier
  }
}
