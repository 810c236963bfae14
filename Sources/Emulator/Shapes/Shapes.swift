import Foundation

/// GitHub's shapes of users, repositories and Apps. Pure: records in, JSON out. Source: GitHub's OpenAPI description 2022-11-28.
struct Shapes: Sendable {
  let baseURL: String
  let configuration: EmulatorConfiguration

  static func nodeID(_ kind: String, _ id: Int64) -> String { Data("0\(kind.count):\(kind)\(id)".utf8).base64EncodedString() }

  /// An identifier for a login, the same at every start.
  static func identifier(of login: String) -> Int64 {
    Int64(login.lowercased().utf8.reduce(UInt32(2_166_136_261)) { ($0 ^ UInt32($1)) &* 16_777_619 } >> 4)
  }

  func user(_ login: String, type: String = "User") -> JSON {
    let id = Self.identifier(of: login)
    let url = "\(baseURL)/users/\(login)"
    return [
      "login": .string(login), "id": .int(id), "node_id": .string(Self.nodeID(type, id)), "avatar_url": "\(baseURL)/avatars/u/\(id)",
      "gravatar_id": "", "url": .string(url), "html_url": "\(baseURL)/\(login)", "followers_url": "\(url)/followers",
      "following_url": "\(url)/following{/other_user}", "gists_url": "\(url)/gists{/gist_id}",
      "starred_url": "\(url)/starred{/owner}{/repo}", "subscriptions_url": "\(url)/subscriptions", "organizations_url": "\(url)/orgs",
      "repos_url": "\(url)/repos", "events_url": "\(url)/events{/privacy}", "received_events_url": "\(url)/received_events",
      "type": .string(type), "site_admin": false,
    ]
  }

  /// The answer of `GET /user`.
  func publicUser(_ login: String, since: Date) -> JSON {
    user(login).merging([
      "name": .string(login), "company": nil, "blog": "", "location": nil, "email": nil, "hireable": nil, "bio": nil, "public_repos": 0,
      "public_gists": 0, "followers": 0, "following": 0, "created_at": .time(since), "updated_at": .time(since),
    ])
  }

  /// The organisation, as webhooks carry it.
  func organisation() -> JSON {
    let login = configuration.organisation
    let id = Self.identifier(of: login)
    let url = "\(baseURL)/orgs/\(login)"
    return [
      "login": .string(login), "id": .int(id), "node_id": .string(Self.nodeID("Organization", id)), "url": .string(url),
      "repos_url": "\(url)/repos", "events_url": "\(url)/events", "hooks_url": "\(url)/hooks", "issues_url": "\(url)/issues",
      "members_url": "\(url)/members{/member}", "public_members_url": "\(url)/public_members{/member}",
      "avatar_url": "\(baseURL)/avatars/u/\(id)", "description": "",
    ]
  }

  func owner(of repository: RepositoryRecord) -> JSON {
    user(repository.owner, type: repository.owner.lowercased() == configuration.organisation.lowercased() ? "Organization" : "User")
  }

  /// What runs carry of their repository.
  func minimalRepository(_ repository: RepositoryRecord) -> JSON {
    let url = "\(baseURL)/repos/\(repository.fullName)"
    let links = [
      "archive": "/{archive_format}{/ref}", "assignees": "/assignees{/user}", "blobs": "/git/blobs{/sha}", "branches": "/branches{/branch}",
      "collaborators": "/collaborators{/collaborator}", "comments": "/comments{/number}", "commits": "/commits{/sha}",
      "compare": "/compare/{base}...{head}", "contents": "/contents/{+path}", "contributors": "/contributors",
      "deployments": "/deployments",
      "downloads": "/downloads", "events": "/events", "forks": "/forks", "git_commits": "/git/commits{/sha}", "git_refs": "/git/refs{/sha}",
      "git_tags": "/git/tags{/sha}", "hooks": "/hooks", "issue_comment": "/issues/comments{/number}",
      "issue_events": "/issues/events{/number}",
      "issues": "/issues{/number}", "keys": "/keys{/key_id}", "labels": "/labels{/name}", "languages": "/languages", "merges": "/merges",
      "milestones": "/milestones{/number}", "notifications": "/notifications{?since,all,participating}", "pulls": "/pulls{/number}",
      "releases": "/releases{/id}", "stargazers": "/stargazers", "statuses": "/statuses/{sha}", "subscribers": "/subscribers",
      "subscription": "/subscription", "tags": "/tags", "teams": "/teams", "trees": "/git/trees{/sha}",
    ]
    var members: [String: JSON] = [
      "id": .int(repository.id), "node_id": .string(Self.nodeID("Repository", repository.id)), "name": .string(repository.name),
      "full_name": .string(repository.fullName), "private": .bool(repository.isPrivate), "owner": owner(of: repository),
      "html_url": "\(baseURL)/\(repository.fullName)", "description": nil, "fork": false, "url": .string(url),
    ]
    for (name, path) in links { members["\(name)_url"] = .string(url + path) }
    return .object(members)
  }

  /// What webhooks and `GET /repos/{owner}/{repo}` carry.
  func fullRepository(_ repository: RepositoryRecord) -> JSON {
    let page = "\(baseURL)/\(repository.fullName)"
    let pushed = repository.pushedAt
    return minimalRepository(repository).merging([
      "created_at": .time(repository.createdAt), "updated_at": .time(pushed), "pushed_at": .time(pushed),
      "git_url": "git://\(configuration.host)/\(repository.fullName).git",
      "ssh_url": "git@\(configuration.host):\(repository.fullName).git",
      "clone_url": "\(page).git", "svn_url": .string(page), "homepage": nil, "size": 0, "stargazers_count": 0, "watchers_count": 0,
      "language": nil, "has_issues": true, "has_projects": true, "has_downloads": true, "has_wiki": true, "has_pages": false,
      "has_discussions": false, "forks_count": 0, "mirror_url": nil, "archived": .bool(repository.isArchived), "disabled": false,
      "open_issues_count": 0,
      "license": nil, "allow_forking": true, "is_template": false, "web_commit_signoff_required": false, "topics": [],
      "visibility": repository.isPrivate ? "private" : "public", "forks": 0, "open_issues": 0, "watchers": 0,
      "default_branch": .string(repository.defaultBranch), "custom_properties": [:],
    ])
  }

  func app(_ app: EmulatorConfiguration.App, since: Date) -> JSON {
    [
      "id": .int(app.id), "slug": .string(app.slug), "node_id": .string(Self.nodeID("Integration", app.id)), "client_id": "Iv1.\(app.id)",
      "owner": user(configuration.organisation, type: "Organization"), "name": .string(app.slug), "description": nil,
      "external_url": .string(baseURL), "html_url": "\(baseURL)/apps/\(app.slug)", "created_at": .time(since), "updated_at": .time(since),
      "permissions": permissions, "events": ["workflow_job", "workflow_run"], "installations_count": 1,
    ]
  }

  var permissions: JSON { .object(configuration.permissions.mapValues { .string($0) }) }

  func installation(_ app: EmulatorConfiguration.App, since: Date) -> JSON {
    [
      "id": .int(app.installationID), "account": user(configuration.organisation, type: "Organization"), "repository_selection": "all",
      "access_tokens_url": "\(baseURL)/app/installations/\(app.installationID)/access_tokens",
      "repositories_url": "\(baseURL)/installation/repositories",
      "html_url": "\(baseURL)/organizations/\(configuration.organisation)/settings/installations/\(app.installationID)",
      "app_id": .int(app.id),
      "client_id": "Iv1.\(app.id)", "app_slug": .string(app.slug), "target_id": .int(Self.identifier(of: configuration.organisation)),
      "target_type": "Organization", "permissions": permissions, "events": ["workflow_job", "workflow_run"], "created_at": .time(since),
      "updated_at": .time(since), "single_file_name": nil, "has_multiple_single_files": false, "single_file_paths": [],
      "suspended_by": nil, "suspended_at": nil,
    ]
  }
}
