import Domain
import RunnerHub

/// Where runners are registered: an organisation or a repository.
enum RunnerScope: Hashable, Sendable {
  case organization(String)
  case repository(String)

  init(_ jobClass: JobClass) {
    self = jobClass.scope.contains("/") ? .repository(jobClass.scope) : .organization(jobClass.scope)
  }

  /// The path of the scope's runners and what follows it.
  func path(_ rest: String...) throws(ForgeError) -> [String] {
    switch self {
    case .organization(let name): ["orgs", name, "actions"] + rest
    case .repository(let name): try GitHubRequest.repository(name) + ["actions"] + rest
    }
  }

  /// - Parameters:
  ///   - repository: the job's. An installation belongs to one account, so the one that its delivery named also serves the organisation's
  ///     runners when that is the repository's owner.
  func ground(repository: String, installationID: Int64?) -> Ground {
    switch self {
    case .organization(let name):
      let isOwner = repository.prefix { $0 != "/" }.lowercased() == name.lowercased()
      return .organization(name, installationID: isOwner ? installationID : nil)
    case .repository(let name):
      return .repository(name, installationID: name.lowercased() == repository.lowercased() ? installationID : nil)
    }
  }
}
