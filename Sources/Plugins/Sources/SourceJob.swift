package import Foundation

/// A job of another CI platform, as its plugin tells it (`docs/plugin-protocol.md`).
package struct SourceJob: Hashable, Sendable, Codable {
  package struct Repository: Hashable, Sendable, Codable {
    package var id: Int64
    /// `group/project`.
    package var name: String
    package var isPrivate: Bool
    package var defaultBranch: String?

    package init(id: Int64, name: String, isPrivate: Bool, defaultBranch: String? = nil) {
      self.id = id
      self.name = name
      self.isPrivate = isPrivate
      self.defaultBranch = defaultBranch
    }

    enum CodingKeys: String, CodingKey {
      case id, name, defaultBranch
      case isPrivate = "private"
    }
  }

  package enum Status: String, Hashable, Sendable, Codable {
    case queued, waiting, completed
    case inProgress = "in_progress"
  }

  package var id: Int64
  package var run: Int64
  package var attempt: Int?
  package var name: String
  package var workflow: String?
  package var labels: [String]
  package var repository: Repository
  /// Where its runner is registered: any runner there with its labels may get it. nil: its repository.
  package var scope: String?
  package var status: Status
  package var conclusion: String?
  package var commit: String
  package var branch: String?
  package var url: String?
  /// Name of the runner that works, or worked, on it.
  package var runner: String?
  /// The image in which its steps run.
  package var image: String?
  /// Images of what runs beside it.
  package var services: [String]?
  /// What triggered its run.
  package var event: String?
  package var actor: String?
  /// Id of the repository that its code comes from. Where a public repository's job does not say, it counts as a fork's.
  package var headRepository: Int64?
  package var createdAt: Date?
  package var startedAt: Date?
  package var completedAt: Date?
  /// The same text whenever the same change is told.
  package var transition: String
}
