internal import Foundation
internal import NIOCore
internal import NIOHTTP1

/// The API's calls for containers, one to one. Names are checked before they come here, so they stand in paths as they are.
extension DockerClient {
  func create(_ name: String, _ creation: DockerShapes.Creation) async throws {
    _ = try await send(
      Call(
        method: .POST, path: "/containers/create", query: [("name", name)], body: .json(try JSONEncoder().encode(creation)),
        limit: .seconds(60)))
  }

  /// - Returns: nil where there is no such container.
  func inspect(_ name: String) async throws -> DockerShapes.Inspected? {
    do {
      return try await json(Call(method: .GET, path: "/containers/\(name)/json"))
    } catch DockerFailure.refused(404, _) {
      return nil
    }
  }

  /// Ends PID 1, and with it everything in the container. One that does not run is no failure.
  func kill(_ name: String) async throws {
    do {
      try await signal(name, "SIGKILL")
    } catch DockerFailure.refused(409, _) {
      return
    }
  }

  /// All containers with the label, in whatever state.
  func containers(labelled label: String) async throws -> [DockerShapes.Listed] {
    try await json(
      Call(
        method: .GET, path: "/containers/json", query: [("all", "1"), ("filters", Self.filters(["label": [label]]))], limit: .seconds(60)))
  }

  /// One that runs already is no failure (304).
  func start(_ name: String) async throws {
    _ = try await send(Call(method: .POST, path: "/containers/\(name)/start", limit: .seconds(60)))
  }

  func signal(_ name: String, _ signal: String) async throws {
    _ = try await send(Call(method: .POST, path: "/containers/\(name)/kill", query: [("signal", signal)]))
  }

  func update(_ name: String, _ limits: DockerShapes.Limits) async throws {
    _ = try await send(Call(method: .POST, path: "/containers/\(name)/update", body: .json(try JSONEncoder().encode(limits))))
  }

  /// Ends and removes a container with its anonymous volumes; waits for a removal that is under way already.
  func remove(_ name: String) async throws {
    do {
      _ = try await send(
        Call(method: .DELETE, path: "/containers/\(name)", query: [("force", "1"), ("v", "1")], limit: .seconds(60)))
    } catch DockerFailure.refused(404, _) {
      return
    } catch DockerFailure.refused(409, _) {
      _ = try await wait(name, for: "removed", limit: .seconds(60))
    }
  }

  /// Waits until a container is in a state.
  /// - Parameters:
  ///   - condition: `not-running`, `next-exit` or `removed`.
  ///   - limit: for all of it.
  /// - Returns: its exit code; nil where there is no such container.
  @discardableResult
  func wait(_ name: String, for condition: String, limit: Duration) async throws -> Int32? {
    let call = Call(method: .POST, path: "/containers/\(name)/wait", query: [("condition", condition)], limit: limit)
    let waited: DockerShapes.Waited
    do {
      waited = try await json(call)
    } catch DockerFailure.refused(404, _) {
      return nil
    }
    if let message = waited.Error?.Message, !message.isEmpty { throw DockerFailure.refused(status: 500, message: message) }
    return waited.StatusCode
  }

  /// Unpacks a tar archive below a folder of the container, which must be there.
  func put(_ archive: Data, at path: String, in name: String) async throws {
    _ = try await send(
      Call(method: .PUT, path: "/containers/\(name)/archive", query: [("path", path)], body: .tar(archive), limit: .seconds(60)))
  }

  /// What a path in a container is, of a running one or not.
  /// - Returns: nil where there is no such path.
  func stat(_ path: String, in name: String) async throws -> DockerShapes.PathStat? {
    let call = Call(method: .HEAD, path: "/containers/\(name)/archive", query: [("path", path)])
    do {
      let answer = try await send(call)
      guard let text = answer.headers.first(name: "X-Docker-Container-Path-Stat"), let json = Data(base64Encoded: text) else {
        throw DockerFailure.unreadable("HEAD \(call.path) has no X-Docker-Container-Path-Stat")
      }
      return try decode(DockerShapes.PathStat.self, from: json, of: call)
    } catch DockerFailure.refused(404, _) {
      return nil
    }
  }

  /// One sample of what a container uses.
  func stats(_ name: String) async throws -> DockerShapes.Stats {
    try await json(Call(method: .GET, path: "/containers/\(name)/stats", query: [("stream", "0"), ("one-shot", "1")]))
  }

  /// Hands on the messages of a container's log, each with its time, until they end or the body returns false.
  /// - Parameters:
  ///   - since: the first is of this time or later.
  func log(
    of name: String, stdout: Bool = true, since: DockerTime? = nil, tail: Int? = nil,
    _ body: (DockerLogMessage) async throws -> Bool
  ) async throws {
    var query = [(stdout ? "stdout" : "stderr", "1"), ("timestamps", "1")]
    if let since { query.append(("since", since.stamp)) }
    if let tail { query.append(("tail", "\(tail)")) }
    var frames = DockerFrameDecoder()
    try await stream(Call(method: .GET, path: "/containers/\(name)/logs", query: query)) { part in
      for frame in try frames.take(part) {
        if !(try await body(try DockerLogMessage(frame.payload))) { return false }
      }
      return true
    }
    if frames.isCut { throw DockerFailure.unreachable("the log of \(name) was cut in the middle of a message") }
  }

  /// Hands on events of containers with the label as they come, until the stream ends. The daemon remembers few of them, and none over a
  /// restart: an event is a hint to look, never the truth.
  func events(labelled label: String, onWatch: () async throws -> Void, _ body: (DockerShapes.Event) async throws -> Void) async throws {
    let filters = Self.filters(["label": [label], "type": ["container"], "event": ["die", "oom", "destroy"]])
    var lines = JSONLines()
    try await stream(Call(method: .GET, path: "/events", query: [("filters", filters)]), onHead: onWatch) { part in
      for line in try lines.take(part) { try await body(try lines.decode(DockerShapes.Event.self, line)) }
      return true
    }
  }

  func info() async throws -> DockerShapes.Info { try await json(Call(method: .GET, path: "/info")) }

  static func filters(_ filters: [String: [String]]) -> String {
    // Texts and lists of them always encode; without a filter the answer would only be longer.
    (try? JSONEncoder().encode(filters)).map { String(decoding: $0, as: UTF8.self) } ?? "{}"
  }
}
