package import Domain

/// What stands above every policy when a job comes in. Pure.
package enum HostRules {
  /// Why the job must not run; nil: it may. Forks need one pool that takes them, which the planner then keeps to. Images must please every
  /// pool that offers the labels: a runner of any of them may get the job.
  package static func refusal(of job: Job, in pools: [Pool]) -> String? {
    let labels = Labels(job.labels)
    let offering = pools.filter { $0.offers(labels, of: job.source) }
    let open = offering.filter { SecurityPolicy.forkObjection(to: job, in: $0) == nil }
    guard !open.isEmpty else { return offering.lazy.compactMap { SecurityPolicy.forkObjection(to: job, in: $0) }.first }
    let definition = job.definition ?? .unknown(reason: "not looked up")
    if let objection = definition.definition?.objections?.first { return "its workflow file breaks a rule of this host: \(objection)" }
    return open.lazy.compactMap { SecurityPolicy.definitionObjection(to: definition, in: $0) }.first
  }
}
