import Domain
import RunnerHub
import Testing

/// Expects a `ForgeError` whose text has these words.
/// - Returns: the error, for a closer look.
@discardableResult
func expectRefusal<Value>(
  _ words: String, sourceLocation: SourceLocation = #_sourceLocation, _ work: () async throws -> Value
) async -> ForgeError? {
  do {
    _ = try await work()
    Issue.record("nothing was thrown, expected “\(words)”", sourceLocation: sourceLocation)
  } catch let error as ForgeError {
    #expect(error.description.contains(words), sourceLocation: sourceLocation)
    return error
  } catch {
    Issue.record("\(error) is no ForgeError", sourceLocation: sourceLocation)
  }
  return nil
}

extension Repository {
  static let shop = Repository(id: 1, fullName: "acme/shop", isPrivate: true, defaultBranch: "main")
}
