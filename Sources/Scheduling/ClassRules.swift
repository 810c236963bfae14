import Domain
import Foundation

/// What every registration of a class must be fit for, since the forge and not the planner hands out the jobs of a class.
struct ClassRules {
  let jobClass: JobClass
  /// The largest job that waits or is bound in the class, or was left to others, as far as a pool could hold these.
  var need: Resources?
  /// A fork's job waits or is bound in the class, or was left to others and not taken yet.
  var holdsForkJob: Bool
  /// Repositories whose jobs could get a registration of the class, as far as is known.
  var repositories: Set<String>

  init(jobClass: JobClass, demand: ClassQueue?, bound: [Job], pools: [Pool]) {
    let left = demand?.left ?? LeftJobs()
    var forks = demand?.holdsForkJob == true || left.holdsForkJob
    var own = demand?.largest
    repositories = left.repositories
    for jobs in [demand?.heads ?? [], bound] {
      for index in jobs.indices {
        forks = forks || jobs[index].isFromFork
        if let need = jobs[index].estimate?.resources { own = own?.union(need) ?? need }
        repositories.insert(jobs[index].repository.qualifiedName)
      }
    }
    self.jobClass = jobClass
    need = own
    holdsForkJob = forks
    guard let largest = left.largest else { return }
    // Many are left because no pool can hold them: were these counted, no job of the class would be placed any more.
    let whole = own?.union(largest) ?? largest
    let isHeld = pools.contains { pool in
      pool.maximum > 0 && pool.offers(jobClass.labels, of: jobClass.source) && (pool.acceptsForks || !forks) && pool.resources.covers(whole)
    }
    if isHeld { need = whole }
  }

  /// Takes over whose code may come from another class: the forge gives a runner of this one any job whose labels are among its own.
  mutating func widen(by other: ClassRules) {
    guard other.jobClass != jobClass, other.jobClass.scope == jobClass.scope, other.jobClass.group == jobClass.group,
      other.jobClass.labels.isSatisfied(by: jobClass.labels)
    else { return }
    holdsForkJob = holdsForkJob || other.holdsForkJob
    repositories.formUnion(other.repositories)
  }

  /// What a place for the job must offer.
  func need(of job: Job) -> Resources {
    let own = job.estimate?.resources
    return switch (need, own) {
    case (let all?, let own?): all.union(own)
    case (let all?, nil): all
    case (nil, let own?): own
    // Nothing is known: any size does.
    case (nil, nil): Resources(milliCPUs: 0, memory: ByteCount(bytes: 0), disk: ByteCount(bytes: 0))
    }
  }

  /// Why no container of the pool will do for the class, whatever is free; nil: it will.
  func misfit(_ pool: Pool, need: Resources, forks: Bool) -> Misfit? {
    if !pool.offers(jobClass.labels, of: jobClass.source) { return .labels }
    if forks && !pool.acceptsForks { return .forks }
    if !pool.resources.covers(need) { return .size }
    return nil
  }

  enum Misfit { case labels, forks, size }

  /// Why an idle container will not do for the job; nil: it will.
  func misfit(_ idle: IdleContainer, pool: Pool, job: Job, need: Resources, forks: Bool, now: Date) -> String? {
    let container = idle.container
    if pool.source != jobClass.source { return "for jobs of another source" }
    if !jobClass.labels.isSatisfied(by: container.labels) { return "with other labels" }
    if forks && !pool.acceptsForks { return "not for jobs of forks" }
    if !container.resources.covers(need) { return "too small" }
    if container.isTainted { return "used by a fork's job" }
    guard container.uses > 0 else { return nil }
    if !pool.reuse.isAllowed || container.uses >= pool.reuse.maximumUses { return "used up" }
    if now.timeIntervalSince(container.createdAt) > pool.reuse.maximumAgeSeconds { return "too old" }
    if forks { return "used, and a fork's job waits" }
    // Any job of the class could get the registration, so all of them must be of the container's trust scope.
    if container.trustScope != job.repository.qualifiedName || repositories.contains(where: { $0 != container.trustScope }) {
      return "kept for another repository"
    }
    return nil
  }
}
