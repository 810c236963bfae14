/// One operation of the server: a method, a path with `{parameters}`, who may call it, and what it does.
struct Route: Sendable {
  /// What a caller needs.
  enum Access: Sendable {
    /// Nothing, and no `User-Agent` either: the emulator's own service.
    case own
    /// Anybody may ask GitHub this.
    case anyone
    /// A token of a person or of an installation, with one of the permissions where any are named.
    case token([(name: String, level: String)])
    /// An installation's token with the permission: GitHub refuses people here.
    case installation(name: String, level: String)
    /// The App's JWT.
    case app

    static func permission(_ name: String, _ level: String) -> Access { .token([(name, level)]) }
  }

  let method: String
  let segments: [Substring]
  let access: Access
  let handle: @Sendable (Call, EmulatedGitHub) async throws -> Answer

  init(
    _ method: String, _ path: String, _ access: Access, _ handle: @escaping @Sendable (Call, EmulatedGitHub) async throws -> Answer
  ) {
    self.method = method
    segments = path.split(separator: "/")
    self.access = access
    self.handle = handle
  }

  /// The parameters, if this route is the one for the path; a last parameter with `*` takes all that is left.
  func match(_ method: String, _ path: [String]) -> [String: String]? {
    guard method == self.method else { return nil }
    var parameters: [String: String] = [:]
    for (index, segment) in segments.enumerated() {
      if segment.hasPrefix("{*") {
        guard path.count > index else { return nil }
        parameters[String(segment.dropFirst(2).dropLast())] = path[index...].joined(separator: "/")
        return parameters
      }
      guard index < path.count else { return nil }
      if segment.hasPrefix("{") {
        parameters[String(segment.dropFirst().dropLast())] = path[index]
      } else if segment != path[index][...] {
        return nil
      }
    }
    return path.count == segments.count ? parameters : nil
  }

  /// Everything that the server answers; more exact paths stand first.
  static let all: [Route] = runners + runs + contents + git + checks + apps + hooks + general + administration + faults + runnerService
}
