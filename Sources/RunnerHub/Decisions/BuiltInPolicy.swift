package import Domain
package import Foundation

/// The seed's rules in Swift: they answer where no policy is, or where one breaks. Pure; the default policy files say the same in Lua.
package final class BuiltInPolicy: PolicyEngine, Sendable {
  /// The labels that decide a route.
  package struct Rules: Hashable, Sendable {
    /// One of these is needed to come here.
    package var orchestratorLabels: Labels
    /// One of these keeps a job on traditional runners.
    package var traditionalLabels: Labels

    package init(
      orchestratorLabels: Labels = ["self-hosted", "linux", "docker"], traditionalLabels: Labels = ["windows", "macos"]
    ) {
      self.orchestratorLabels = orchestratorLabels
      self.traditionalLabels = traditionalLabels
    }
  }

  private let rules: Rules
  package init(rules: Rules = Rules()) { self.rules = rules }

  // MARK: Routing

  package func route(_ job: PolicyJob, fleet: PolicyFleet) -> Verdict<Route> {
    let labels = Labels(job.labels)
    if let label = labels.values.first(where: rules.traditionalLabels.contains) {
      return Verdict(.traditional, reason: "label \(label)")
    }
    guard labels.values.contains(where: rules.orchestratorLabels.contains) else {
      return Verdict(.traditional, reason: "no label of \(rules.orchestratorLabels.values.joined(separator: ", "))")
    }
    let isLinux = labels.contains("linux") || labels.contains("docker")
    return Verdict(.orchestrator, reason: isLinux ? "linux container job" : "self-hosted job")
  }

  // MARK: Priority

  package func prioritise(_ job: PolicyJob, fleet: PolicyFleet) -> Verdict<Priority> {
    let labels = Labels(job.labels)
    if let deployment = Self.deployment(of: job) {
      let hasOwnLabel = labels.values.contains { NameWords($0).nameDeployment || $0.hasPrefix("run-") }
      return Verdict(.critical, reason: deployment + (hasOwnLabel ? " (own label)" : ""))
    }
    if let label = labels.values.first(where: ["high-priority", "urgent"].contains) {
      return Verdict(.high, reason: "label \(label)")
    }
    if let hint = job.estimate?.priorityHint { return Verdict(hint, reason: "asked for in .github/runnerhub.yaml") }
    if let branch = job.branch, NameWords(branch).contains("hotfix") {
      return Verdict(.high, reason: "hotfix branch \(branch)")
    }
    if job.event == "schedule" { return Verdict(.low, reason: "scheduled run") }
    if let label = labels.values.first(where: ["background", "low-priority", "nightly"].contains) {
      return Verdict(.low, reason: "label \(label)")
    }
    return Verdict(.normal, reason: "standard job")
  }

  /// Why a job deploys or releases, or nil. The surest sign comes first.
  private static func deployment(of job: PolicyJob) -> String? {
    if let environment = job.environment, !environment.isEmpty { return "deploys to \(environment)" }
    if job.event == "release" || job.event == "deployment" { return "\(job.event) event" }
    // `build (ubuntu, release)` names a variant of a matrix, not a release.
    let name = job.name.prefix { $0 != "(" }
    if NameWords(name).nameDeployment { return "deployment job \(name.trimmingSpaces)" }
    if let workflow = job.workflow, NameWords(workflow).nameDeployment { return "deployment workflow \(workflow)" }
    return nil
  }

  // MARK: Affinity and scaling

  package func place(_ job: PolicyJob, candidates: [PolicyContainer], now: Date) -> Verdict<Placement> {
    let verdicts = candidates.map { _ in CandidateVerdict(score: 50, reason: "no preference") }
    return Verdict(
      Placement(candidates: verdicts, strategy: nil), reason: "\(candidates.count) of \(candidates.count) candidates allowed")
  }

  /// Up by what waits beyond the idle ones; down by half of what is idle beyond the warm ones, so that a lull does not empty the pool.
  package func scale(_ pool: PolicyPool, fleet: PolicyFleet) -> Verdict<Int> {
    let percent = Int((pool.utilisation * 100).rounded())
    let wanted: Int
    let reason: String
    if pool.pending > 5 && pool.utilisation > 0.8 {
      wanted = pool.total + max(1, pool.pending - pool.idle)
      reason = "\(pool.pending) pending at \(percent)% utilisation"
    } else if pool.active < 2 && pool.utilisation < 0.3 {
      let spare = max(0, pool.idle - pool.warm)
      wanted = pool.total - (spare + 1) / 2
      reason = "\(pool.active) active at \(percent)% utilisation"
    } else {
      wanted = pool.total
      reason = "no change"
    }
    return Verdict(max(pool.minimum, min(pool.maximum, wanted)), reason: reason)
  }
}

/// The words of a name, in lower case: `Deploy to AKS` → deploy, to, aks; `release/v2` → release, v2; `deployApp` → deploy, app.
///
/// Whole words only, so that `undeployed`, `redeploy-check` as `redeploy`, or `prerelease` are not taken for a deployment.
package struct NameWords: Hashable, Sendable {
  package let values: [String]

  package init(_ name: some StringProtocol) {
    var words: [String] = []
    var word = ""
    var wasLower = false
    for byte in name.utf8 {
      let isUpper = 65...90 ~= byte
      let isPart = isUpper || 97...122 ~= byte || 48...57 ~= byte || byte >= 128
      if !isPart || (isUpper && wasLower), !word.isEmpty {
        words.append(word)
        word = ""
      }
      if isPart { word.append(Character(Unicode.Scalar(isUpper ? byte + 32 : byte))) }
      wasLower = isPart && !isUpper
    }
    if !word.isEmpty { words.append(word) }
    values = words
  }

  package func contains(_ word: String) -> Bool { values.contains(word) }

  /// Whether the words name a deployment or a release. `release notes` and `release drafter` only write about one.
  package var nameDeployment: Bool {
    values.indices.contains { index in
      switch values[index] {
      case "deploy", "deploys", "deployment", "deployments": true
      case "release", "releases":
        !(values.indices.contains(index + 1) && ["notes", "note", "drafter", "draft"].contains(values[index + 1]))
      default: false
      }
    }
  }
}

extension Substring {
  fileprivate var trimmingSpaces: String {
    String(drop { $0 == " " }.reversed().drop { $0 == " " }.reversed())
  }
}
