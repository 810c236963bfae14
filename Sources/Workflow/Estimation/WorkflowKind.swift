/// What a job is for, guessed from its key, its name and its steps: a first idea of its size, where nothing better is known.
public enum WorkflowKind: String, Sendable, CaseIterable {
  case lint, test, build, image, deployment, release, housekeeping, other

  private static let words: [(WorkflowKind, [String])] = [
    (.release, ["release", "publish"]), (.deployment, ["deploy", "rollout"]), (.image, ["docker", "image", "container"]),
    (.lint, ["lint", "format", "style", "typecheck", "shellcheck"]), (.test, ["test", "tests", "spec", "coverage", "e2e", "unit"]),
    (.housekeeping, ["stale", "label", "triage", "greet", "notify", "assign"]), (.build, ["build", "compile", "package"]),
  ]

  public init(_ job: JobDefinition) {
    let names = Set("\(job.key) \(job.name ?? "")".lowercased().split { !$0.isLetter && !$0.isNumber }.map(String.init))
    if let byName = Self.words.first(where: { !names.isDisjoint(with: $0.1) })?.0 {
      self = byName
    } else if job.environment != nil {
      self = .deployment
    } else if job.steps.contains(where: { $0.uses?.hasPrefix("docker/build-push-action@") == true }) {
      self = .image
    } else {
      self = .other
    }
  }

  /// What such jobs usually need.
  var request: ResourceRequest {
    switch self {
    case .lint: ResourceRequest(milliCPUs: 1_000, memoryBytes: 2 << 30, seconds: 180)
    case .test: ResourceRequest(milliCPUs: 2_000, memoryBytes: 4 << 30, seconds: 600)
    case .build: ResourceRequest(milliCPUs: 2_000, memoryBytes: 4 << 30, seconds: 600)
    case .image: ResourceRequest(milliCPUs: 2_000, memoryBytes: 4 << 30, diskBytes: 20 << 30, seconds: 900)
    case .deployment, .release: ResourceRequest(milliCPUs: 1_000, memoryBytes: 2 << 30, seconds: 600)
    case .housekeeping: ResourceRequest(milliCPUs: 500, memoryBytes: 1 << 30, seconds: 60)
    case .other: ResourceRequest()
    }
  }
}
