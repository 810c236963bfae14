import RunnerHub
import Testing

/// The kinds of `StoreError`.
enum Refusal { case conflict, unavailable, damaged }

/// Expects that an action fails with an error of a kind whose text has all the words.
func expect(
  _ kind: Refusal, saying words: String..., sourceLocation: SourceLocation = #_sourceLocation, _ action: () async throws -> Void
) async {
  let failure: any Error
  do {
    try await action()
    Issue.record("nothing failed", sourceLocation: sourceLocation)
    return
  } catch {
    failure = error
  }
  let isExpected =
    switch (failure as? StoreError, kind) {
    case (.conflict, .conflict), (.unavailable, .unavailable), (.damaged, .damaged): true
    default: false
    }
  #expect(isExpected, "failed with \(failure)", sourceLocation: sourceLocation)
  for word in words { #expect("\(failure)".contains(word), sourceLocation: sourceLocation) }
}
