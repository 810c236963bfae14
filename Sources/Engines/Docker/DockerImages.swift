package import Foundation
internal import NIOHTTP1
internal import Synchronization

extension DockerClient {
  /// Makes an image of a file system, without a registry.
  /// - Parameters:
  ///   - files: a tar archive of the root.
  ///   - name: `name:tag`.
  package func importImage(_ files: Data, as name: String) async throws {
    let parts = name.split(separator: ":", maxSplits: 1).map(String.init)
    let query = [("fromSrc", "-"), ("repo", parts[0]), ("tag", parts.count > 1 ? parts[1] : "latest")]
    let call = Call(method: .POST, path: "/images/create", query: query, body: .tar(files), limit: .seconds(300))
    var lines = JSONLines()
    try await stream(call) { part in
      for line in try lines.take(part) {
        if let error = try lines.decode(DockerShapes.Progress.self, line).error { throw DockerFailure.refused(status: 500, message: error) }
      }
      return true
    }
  }

  /// Whether the host has an image.
  func hasImage(_ image: String) async throws -> Bool {
    do {
      _ = try await send(Call(method: .GET, path: "/images/\(Self.escaped(image))/json"))
      return true
    } catch DockerFailure.refused(404, _) {
      return false
    }
  }

  /// Fetches an image from its registry.
  /// - Parameters:
  ///   - registry: where it wants a log-in.
  ///   - patience: how long it may make no progress.
  ///   - progress: told each line that says something new, at most twice a second.
  /// - Throws: `DockerFailure`: `refused` with 404 for what the registry does not have, with 500 where it cannot be reached or breaks off.
  func pull(
    _ image: String, from registry: DockerRegistry? = nil, patience: Duration, progress: @escaping @Sendable (String) -> Void
  ) async throws {
    // A digest goes where a tag would; without either Docker would fetch all tags.
    let parts = image.split(separator: "@", maxSplits: 1).map(String.init)
    let hasTag = image.split(separator: "/").last?.contains(":") ?? false
    let query = parts.count > 1 ? [("fromImage", parts[0]), ("tag", parts[1])] : [("fromImage", hasTag ? image : image + ":latest")]
    let heard = PullProgress(clock: .now)
    var call = Call(method: .POST, path: "/images/create", query: query, limit: patience)
    if let registry { call.headers.append(("X-Registry-Auth", registry.header)) }
    let pull = call
    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask {
        var lines = JSONLines()
        try await self.stream(pull) { part in
          for line in try lines.take(part) {
            let said = try lines.decode(DockerShapes.Progress.self, line)
            if let error = said.error { throw DockerFailure.refused(status: Self.status(ofPullError: error), message: error) }
            if let text = heard.note(said) { progress(text) }
          }
          return true
        }
      }
      group.addTask {
        while heard.silence < patience { try await Task.sleep(for: patience - heard.silence) }
        throw DockerFailure.timedOut("the pull of \(image) made no progress for \(patience)")
      }
      defer { group.cancelAll() }
      try await group.next()
    }
  }

  /// In the stream of a pull only the text tells what the status of a refusal says before it.
  private static func status(ofPullError text: String) -> Int {
    text.contains("not found") || text.contains("manifest unknown") ? 404 : 500
  }
}

/// What a pull has said.
final class PullProgress: Sendable {
  private struct State {
    var heard: ContinuousClock.Instant
    var told: ContinuousClock.Instant?
    var layers: [String: (current: Int64, total: Int64)] = [:]
  }
  private let state: Mutex<State>

  init(clock now: ContinuousClock.Instant) { state = Mutex(State(heard: now)) }

  /// Since anything was heard.
  var silence: Duration { state.withLock { $0.heard.duration(to: .now) } }

  /// - Returns: what to tell, where it is time to.
  func note(_ said: DockerShapes.Progress) -> String? {
    state.withLock { state in
      let now = ContinuousClock.now
      state.heard = now
      if let id = said.id, let detail = said.progressDetail, let total = detail.total, total > 0 {
        state.layers[id] = (min(detail.current ?? 0, total), total)
      }
      if let told = state.told, told.duration(to: now) < .milliseconds(500) { return nil }
      state.told = now
      let done = state.layers.values.reduce(0) { $0 + $1.current }
      let all = state.layers.values.reduce(0) { $0 + $1.total }
      return all > 0 ? "\(done >> 20) of \(all >> 20) MiB" : said.status
    }
  }
}
