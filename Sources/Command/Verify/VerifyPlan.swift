import Domain

/// What is verified, and where.
struct VerifyPlan: Sendable {
  static let publicAPI = "https://api.github.com"
  static let standIn = "stand-in"

  enum Engine: Sendable, CustomStringConvertible {
    case process(image: String)
    case docker(host: String, image: String)

    var description: String {
      switch self {
      case .process(let image): "engine process (no isolation), image \(image)"
      case .docker(let host, let image): "engine docker (\(host)), image \(image)"
      }
    }
  }

  let repository: String
  let apiURL: String
  let engine: Engine
  let policies: String
  let allowsPublic: Bool
  /// Between two looks at GitHub.
  let interval: Duration
  /// How long the jobs get, from the start of `serve`.
  let timeLimit: Duration
  let token: String
  /// Branch, label and workflow carry this name, so that no other runner or job is touched and all of it is found again.
  let tag: String
  /// Two halves of a word that the first job puts together: no log holds the whole word before the job has run.
  let halves: (String, String)
  let webhookSecret: String

  init(
    repository: String, apiURL: String, engine: Engine, policies: String, allowsPublic: Bool, interval: Duration, timeLimit: Duration,
    token: String, identities: any IdentitySource
  ) {
    self.repository = repository
    self.apiURL = apiURL
    self.engine = engine
    self.policies = policies
    self.allowsPublic = allowsPublic
    self.interval = interval
    self.timeLimit = timeLimit
    self.token = token
    tag = "runnerhub-verify-\(identities.token(digits: 8))"
    halves = (identities.token(digits: 6), identities.token(digits: 6))
    webhookSecret = identities.token(digits: 32)
  }

  var word: String { halves.0 + halves.1 }

  static let succeeding = "succeeds"
  static let failing = "fails-as-written"

  /// The one file of the branch.
  var workflow: String {
    """
    name: \(tag)
    on: push
    permissions: {}
    jobs:
      \(Self.succeeding):
        runs-on: [self-hosted, linux, \(tag)]
        timeout-minutes: 5
        steps:
          - name: print a word
            run: printf 'the word is %s%s\\n' \(halves.0) \(halves.1)
      \(Self.failing):
        runs-on: [self-hosted, linux, \(tag)]
        timeout-minutes: 5
        steps:
          - name: fail as written
            run: exit 7

    """
  }

  /// What `serve` is started with.
  func configuration(webhooks: String, data: String) -> String {
    let (section, pool) =
      switch engine {
      case .process(let image): ("", "engine: process, image: \"\(image)\"")
      case .docker(let host, let image): ("docker: { host: \"\(host)\" }", "engine: docker, image: \"\(image)\"")
      }
    return """
      webhooks: { listen: "\(webhooks)" }
      administration: { listen: "127.0.0.1:0" }
      github: { api-url: "\(apiURL)" }
      data-directory: "\(data)"
      policies: { directory: "\(policies)" }
      orchestrator: { drain-limit: 30 }
      \(section)
      pools:
        verify: { \(pool), labels: [self-hosted, linux, \(tag)], maximum: 2, warm: 1 }

      """
  }
}
