import Foundation

/// A private folder of its own for what servers of ours write.
enum ScratchFolder {
  /// Makes it for the time of the body. Where the body fails it stays, to be looked at; where it is cancelled it does not.
  /// - Parameters:
  ///   - name: the first part of its name.
  ///   - contents: what is in it, for whoever looks at it.
  static func with<Result: Sendable>(
    _ name: String, holding contents: String, _ body: @Sendable (URL) async throws -> Result
  ) async throws -> Result {
    let folder = FileManager.default.temporaryDirectory.appending(
      path: "\(name)-\(UUID().uuidString.prefix(8))", directoryHint: .isDirectory)
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
    do {
      let result = try await body(folder)
      try FileManager.default.removeItem(at: folder)
      return result
    } catch is CancellationError {
      try FileManager.default.removeItem(at: folder)
      throw CancellationError()
    } catch {
      Terminal.say("what was left to look at: \(folder.path(percentEncoded: false)) (\(contents))")
      throw error
    }
  }
}
