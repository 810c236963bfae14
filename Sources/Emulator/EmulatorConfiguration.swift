package import Foundation

/// What a local GitHub consists of, and what it allows.
package struct EmulatorConfiguration: Sendable {
  /// Where deliveries go.
  package struct Webhook: Sendable {
    /// The address that takes `POST`s, for example `http://127.0.0.1:8080/webhooks/github`.
    package var url: String
    /// The secret that signs them.
    package var secret: String

    package init(url: String, secret: String) {
      self.url = url
      self.secret = secret
    }
  }

  /// A repository as it stands before anything is pushed.
  package struct Repository: Sendable {
    /// `owner/name`.
    package var fullName: String
    package var isPrivate: Bool
    package var defaultBranch: String
    package var isArchived: Bool
    /// Whether Actions are enabled in it.
    package var runsActions: Bool

    package init(
      _ fullName: String, isPrivate: Bool = true, defaultBranch: String = "main", isArchived: Bool = false, runsActions: Bool = true
    ) {
      self.fullName = fullName
      self.isPrivate = isPrivate
      self.defaultBranch = defaultBranch
      self.isArchived = isArchived
      self.runsActions = runsActions
    }
  }

  /// A runner group of the organisation. Group 1, `Default`, always exists and serves all repositories.
  package struct RunnerGroup: Sendable {
    package var id: Int64
    package var name: String
    /// Full names of the repositories that may use it; nil means all.
    package var repositories: Set<String>?

    package init(id: Int64, name: String, repositories: Set<String>? = nil) {
      self.id = id
      self.name = name
      self.repositories = repositories
    }
  }

  /// A GitHub App with one installation in the organisation.
  package struct App: Sendable {
    package var id: Int64
    package var slug: String
    /// PEM of the public key that checks the App's JWTs.
    package var publicKeyPEM: String
    package var installationID: Int64

    package init(id: Int64, slug: String = "runnerhub", publicKeyPEM: String, installationID: Int64) {
      self.id = id
      self.slug = slug
      self.publicKeyPEM = publicKeyPEM
      self.installationID = installationID
    }
  }

  /// A self-hosted runner of the old kind, that is always there and ends each job that it gets with success after a moment.
  package struct TraditionalRunner: Sendable {
    package var name: String
    package var labels: [String]

    package init(name: String, labels: [String]) {
      self.name = name
      self.labels = labels
    }
  }

  package var host: String
  /// 0 lets the system choose; ``EmulatorServer/port()`` tells.
  package var port: Int
  package var organisation: String
  package var repositories: [Repository]
  package var webhook: Webhook?
  /// A personal access token that is accepted.
  package var token: String?
  /// What a classic token shows in `X-OAuth-Scopes`; nil for a fine-grained one, which shows nothing. Not enforced.
  package var tokenScopes: [String]?
  /// Shown with each answer to the token; not enforced.
  package var tokenExpiresAt: Date?
  package var app: App?
  /// What token and installation may do, in GitHub's names: `checks: write`, `actions: write`, `contents: read`…
  package var permissions: [String: String]
  package var runnerGroups: [RunnerGroup]
  package var traditionalRunners: [TraditionalRunner]
  /// How long a traditional runner takes to begin a job that it was given.
  package var traditionalPickup: Duration
  /// How long a traditional runner works on a job.
  package var traditionalDuration: Duration
  /// Environments whose jobs wait for an approval.
  package var protectedEnvironments: Set<String>
  /// What `secrets` gives to workflows; masked in logs by the runner.
  package var secrets: [String: String]
  /// A busy runner that is silent for this long has lost its job, which fails. GitHub waits about 10 minutes.
  package var runnerLostAfter: Duration
  /// A job that was offered to a runner and not begun within this time is queued again. GitHub waits 60 s.
  package var offerExpiresAfter: Duration
  /// How many deliveries may be under way together; 1 keeps their order, which GitHub does not promise.
  package var concurrentDeliveries: Int
  /// How long the answer to a registration takes after it was made; GitHub takes about 150 ms.
  package var registrationLatency: Duration = .zero
  /// Whether a run ends when it is told to. GitHub accepts a cancellation that then has no effect, and has `force-cancel` for that.
  package var heedsCancellations = true
  /// What is enforced; nil shows GitHub's numbers and refuses nothing.
  package var rateLimits: RateLimits?

  /// Everything that a token may be granted and that the emulator looks at.
  package static let allPermissions = [
    "actions": "write", "administration": "write", "checks": "write", "contents": "write", "metadata": "read", "statuses": "write",
    "workflows": "write", "organization_self_hosted_runners": "write", "organization_hooks": "write",
  ]

  package init(
    host: String = "127.0.0.1", port: Int = 0, organisation: String, repositories: [Repository] = [], webhook: Webhook? = nil,
    token: String? = nil, tokenScopes: [String]? = nil, tokenExpiresAt: Date? = nil, app: App? = nil,
    permissions: [String: String] = EmulatorConfiguration.allPermissions,
    runnerGroups: [RunnerGroup] = [], traditionalRunners: [TraditionalRunner] = [], traditionalPickup: Duration = .milliseconds(500),
    traditionalDuration: Duration = .milliseconds(300),
    protectedEnvironments: Set<String> = [], secrets: [String: String] = [:], runnerLostAfter: Duration = .seconds(600),
    offerExpiresAfter: Duration = .seconds(60), concurrentDeliveries: Int = 1, rateLimits: RateLimits? = nil
  ) {
    self.host = host
    self.port = port
    self.organisation = organisation
    self.repositories = repositories
    self.webhook = webhook
    self.token = token
    self.tokenScopes = tokenScopes
    self.tokenExpiresAt = tokenExpiresAt
    self.app = app
    self.permissions = permissions
    self.runnerGroups = runnerGroups
    self.traditionalRunners = traditionalRunners
    self.traditionalPickup = traditionalPickup
    self.traditionalDuration = traditionalDuration
    self.protectedEnvironments = protectedEnvironments
    self.secrets = secrets
    self.runnerLostAfter = runnerLostAfter
    self.offerExpiresAfter = offerExpiresAfter
    self.concurrentDeliveries = concurrentDeliveries
    self.rateLimits = rateLimits
  }
}
