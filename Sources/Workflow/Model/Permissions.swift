/// What a job's token may do, by scope.
public struct Permissions: Sendable, Equatable {
  public enum Level: Int, Sendable, Comparable {
    case none, read, write

    public static func < (left: Level, right: Level) -> Bool { left.rawValue < right.rawValue }

    /// The word that authors write.
    public var word: String {
      switch self {
      case .none: "none"
      case .read: "read"
      case .write: "write"
      }
    }

    init?(word: String) {
      switch word {
      case "none": self = .none
      case "read": self = .read
      case "write": self = .write
      default: return nil
      }
    }
  }

  /// Every scope, in alphabetical order.
  public static let scopes = [
    "actions", "artifact-metadata", "attestations", "checks", "code-quality", "contents", "copilot-requests", "deployments", "discussions",
    "drives", "id-token", "issues", "models", "packages", "pages", "pull-requests", "repository-projects", "security-events", "statuses",
    "vulnerability-alerts",
  ]

  /// Scopes that can only be read.
  static let readOnlyScopes: Set<String> = ["models", "vulnerability-alerts"]

  /// Scopes that are named, with their level; any other has none.
  public private(set) var levels: [String: Level]

  public init(_ levels: [String: Level] = [:]) { self.levels = levels }

  /// `read-all` or `write-all`.
  public init(all level: Level) {
    levels = Dictionary(
      Self.scopes.map { ($0, Self.readOnlyScopes.contains($0) ? min(level, .read) : level) }, uniquingKeysWith: { first, _ in first })
  }

  public subscript(scope: String) -> Level { levels[scope] ?? .none }

  /// What a token may do where no workflow says anything: the repository's setting.
  public enum Policy: String, Sendable {
    /// Contents and packages can be read.
    case limitedRead = "LimitedRead"
    case write = "Write"

    var permissions: Permissions {
      switch self {
      case .limitedRead: Permissions(["contents": .read, "packages": .read])
      case .write: Permissions(all: .write)
      }
    }
  }

  /// Scopes in which more is asked than allowed, in GitHub's order.
  func excess(over allowed: Permissions) -> [(scope: String, asked: Level, allowed: Level)] {
    Self.scopesInComparison.compactMap { scope in self[scope] > allowed[scope] ? (scope, self[scope], allowed[scope]) : nil }
  }

  /// GitHub compares in this order, `id-token` and what is younger last.
  private static let scopesInComparison: [String] = {
    let late = ["id-token", "models", "vulnerability-alerts"]
    return scopes.filter { !late.contains($0) } + late
  }()
}
