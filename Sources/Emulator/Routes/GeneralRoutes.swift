import Foundation

/// The App, and what belongs to no room in particular.
extension Route {
  static let apps: [Route] = [
    Route("GET", "/app", .app) { _, github in .json(try await github.appShape()) },
    Route("GET", "/app/installations", .app) { call, github in
      .page([try await github.installationShape()], nil, for: call, baseURL: await github.baseURL)
    },
    Route("GET", "/app/installations/{installation_id}", .app) { call, github in
      let shape = try await github.installationShape()
      guard shape["id"].int == (try call.id("installation_id")) else { throw Refusal.notFound }
      return .json(shape)
    },
    Route("POST", "/app/installations/{installation_id}/access_tokens", .app) { call, github in
      .json(try await github.makeInstallationToken(try call.id("installation_id"), try call.json()), status: 201)
    },
    Route("GET", "/orgs/{org}/installation", .app) { call, github in
      _ = try await github.scope(of: call)
      return .json(try await github.installationShape())
    },
    Route("GET", "/repos/{owner}/{repo}/installation", .app) { call, github in
      _ = try await github.repository(call)
      return .json(try await github.installationShape())
    },
  ]

  static let general: [Route] = [
    Route("GET", "/meta", .anyone) { _, _ in .json(["verifiable_password_authentication": false, "hooks": ["127.0.0.0/8", "::1/128"]]) },
    Route("GET", "/versions", .anyone) { _, _ in .json(["2022-11-28"]) },
    Route("GET", "/rate_limit", .anyone) { call, github in
      let core = await rate(.core, of: call, github)
      let registration = await rate(.registration, of: call, github)
      return .json(["resources": ["core": core, "search": core, "actions_runner_registration": registration], "rate": core])
    },
    Route("GET", "/user", .token([])) { call, github in
      guard call.caller == .person else { throw Refusal(403, "Resource not accessible by integration") }
      return .json(await github.shapes.publicUser("octocat", since: Date(timeIntervalSince1970: 1_300_000_000)))
    },
    Route("GET", "/orgs/{org}/repos", .permission("metadata", "read")) { call, github in
      _ = try await github.scope(of: call)
      let shapes = await github.shapes
      var found = await github.repositories.values.filter { $0.owner.lowercased() == call.text("org").lowercased() }
      if call[query: "sort"] == "pushed" {
        found.sort { ($0.pushedAt, $0.id) > ($1.pushedAt, $1.id) }
      } else {
        found.sort { $0.id < $1.id }
      }
      if call[query: "direction"] == "asc" { found.reverse() }
      return .page(found.map(shapes.fullRepository), nil, for: call, baseURL: shapes.baseURL)
    },
    Route("GET", "/repos/{owner}/{repo}", .permission("metadata", "read")) { call, github in
      // Webhooks carry the same without these two.
      .json(await github.shapes.fullRepository(try await github.repository(call)).merging(["network_count": 0, "subscribers_count": 0]))
    },
  ]

  private static func rate(_ resource: RateMeter.Resource, of call: Call, _ github: EmulatedGitHub) async -> JSON {
    let standing = await github.standing(resource, of: call.caller)
    return [
      "limit": .int(Int64(standing.limit)), "remaining": .int(Int64(standing.remaining)), "used": .int(Int64(standing.used)),
      "reset": .int(standing.reset), "resource": .string(resource.rawValue),
    ]
  }

  static let hooks: [Route] = [
    Route("GET", "/orgs/{org}/hooks/{hook_id}/deliveries", .permission("organization_hooks", "write")) { call, github in
      _ = try await github.scope(of: call)
      let items = await github.deliveries.reversed().filter { $0.deliveredAt != nil }.map(\.item)
      return .page(Array(items), nil, for: call, baseURL: await github.baseURL)
    },
    Route("POST", "/orgs/{org}/hooks/{hook_id}/deliveries/{delivery_id}/attempts", .permission("organization_hooks", "write")) {
      call, github in
      _ = try await github.scope(of: call)
      try await github.redeliver(try call.id("delivery_id"))
      return .json([:], status: 202)
    },
  ]
}

extension Delivery {
  /// As `GET …/deliveries` lists it.
  var item: JSON {
    [
      "id": .int(id), "guid": .string(guid), "delivered_at": .time(deliveredAt), "redelivery": .bool(isRedelivery),
      "duration": .number(duration),
      "status": .string(status), "status_code": .int(Int64(statusCode ?? 0)), "event": .string(event), "action": .string(action),
      "installation_id": nil, "repository_id": .int(repositoryID), "throttled_at": nil,
    ]
  }
}

extension EmulatedGitHub {
  private func app() throws(Refusal) -> EmulatorConfiguration.App {
    guard let app = configuration.app else { throw .notFound }
    return app
  }

  private var start: Date { repositories.values.map(\.createdAt).min() ?? now() }

  func appShape() throws(Refusal) -> JSON { shapes.app(try app(), since: start) }
  func installationShape() throws(Refusal) -> JSON { shapes.installation(try app(), since: start) }

  /// A token for an hour, with the permissions asked for.
  ///
  /// - Throws: 422 for permissions that the App does not have.
  func makeInstallationToken(_ id: Int64, _ body: JSON) throws(Refusal) -> JSON {
    guard try app().installationID == id else { throw .notFound }
    for (name, level) in body["permissions"].object ?? [:] {
      guard let granted = configuration.permissions[name], granted == "write" || level.string == granted else {
        throw Refusal(422, "The permissions requested are not granted to this installation.")
      }
    }
    let token = "ghs_" + UUID().uuidString.replacing("-", with: "")
    let ends = now() + 3600
    installationTokens[token] = ends
    return [
      "token": .string(token), "expires_at": .time(ends),
      "permissions": body["permissions"].isNull ? shapes.permissions : body["permissions"],
      "repository_selection": "all",
    ]
  }
}
