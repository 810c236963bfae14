import Foundation
import Workflow

/// How runs and jobs go on: from waiting to queued, to a runner, to their end.
extension EmulatedGitHub {
  /// Begins each job of the run whose needs have ended, skips what its condition excludes, and ends the run after its last job.
  func advance(_ runID: Int64) {
    var changed = true
    while changed, let run = runs[runID] {
      changed = false
      let results = results(of: run)
      for key in run.pendingKeys {
        guard let definition = run.file[key] else { continue }
        let contexts = contexts(of: run, needs: definition.needs)
        switch RunPlan.decide(definition, in: run.file, results: results, isCancelled: run.isCancelled, contexts: contexts) {
        case .wait: continue
        case .begin: begin(definition, in: run, contexts: contexts)
        case .skip: end(without: definition, in: run, conclusion: .skipped, note: nil)
        case .fail(let why): end(without: definition, in: run, conclusion: .failure, note: why)
        }
        runs[runID]?.pendingKeys.removeAll { $0 == key }
        changed = true
        break
      }
    }
    finishIfDone(runID)
  }

  /// How the ended jobs of the current attempt did so, by lower-case key. A key counts when its last job has ended.
  func results(of run: RunRecord) -> [String: Conclusion] {
    var ended: [String: [Conclusion]] = [:]
    var open = Set(run.pendingKeys.map { $0.lowercased() })
    for id in run.attempts.last ?? [] {
      guard let job = jobs[id] else { continue }
      let key = job.definition.key.lowercased()
      guard let conclusion = job.conclusion else {
        open.insert(key)
        continue
      }
      // A job that may fail does not fail what needs it.
      let forgiven = conclusion == .failure && job.definition.continueOnError == "true"
      ended[key, default: []].append(forgiven ? .success : conclusion)
    }
    return ended.filter { !open.contains($0.key) }.mapValues(RunPlan.result)
  }

  private func begin(_ definition: JobDefinition, in run: RunRecord, contexts: [String: ExpressionValue]) {
    guard definition.hasRunner else {
      return end(
        without: definition, in: run, conclusion: .failure, note: "the emulator runs no reusable workflows ('\(definition.uses ?? "")')")
    }
    guard let expanded = definition.expand() else {
      return end(without: definition, in: run, conclusion: .failure, note: "the emulator expands no matrix that is made by an expression")
    }
    for job in expanded {
      var contexts = contexts
      contexts["matrix"] = .object(job.matrix)
      let time = now()
      do {
        let name = try job.displayName ?? Self.name(of: definition, job, contexts: contexts)
        let labels = try job.labels ?? Self.labels(of: definition, contexts: contexts)
        let group = try definition.runsOn.group.map { group throws(ExpressionError) in
          try ExpressionTemplate.interpolate(group, contexts: contexts)
        }
        let waits = definition.environment.map(configuration.protectedEnvironments.contains) ?? false
        var record = JobRecord(
          id: makeID(), runID: run.id, attempt: run.attempt, repository: run.repository, definition: definition,
          matrix: .object(job.matrix),
          name: name, labels: labels, group: group, createdAt: time, progress: waits ? .waiting : .queued, startedAt: time)
        record.transitions = [(record.progress.rawValue, time)]
        add(record, to: run.id)
        announce(job: record.id, waits ? "waiting" : "queued")
        if !waits { enqueue(record) }
      } catch {
        end(without: definition, in: run, conclusion: .failure, note: "job \(definition.key): \(error)")
      }
    }
  }

  /// A name with expressions; the matrix's values are added where the name itself does not show them.
  private static func name(
    of definition: JobDefinition, _ job: ExpandedJob, contexts: [String: ExpressionValue]
  ) throws(ExpressionError) -> String {
    let written = definition.name ?? definition.key
    let name = try ExpressionTemplate.interpolate(written, contexts: contexts)
    guard !job.matrix.entries.isEmpty, !written.contains("matrix.") else { return name }
    return "\(name) (\(job.matrix.entries.map(\.value.text).joined(separator: ", ")))"
  }

  /// Labels with expressions; one that is a list stands for all of its items.
  private static func labels(of definition: JobDefinition, contexts: [String: ExpressionValue]) throws(ExpressionError) -> [String] {
    var labels: [String] = []
    for written in definition.runsOn.labels {
      switch try ExpressionTemplate.evaluate(written, contexts: contexts) {
      case .array(let array): labels += array.items.map(\.text)
      case let scalar: labels.append(scalar.text)
      }
    }
    return labels
  }

  private func add(_ job: JobRecord, to run: Int64) {
    jobs[job.id] = job
    guard var record = runs[run] else { return }
    record.attempts[record.attempts.count - 1].append(job.id)
    runs[run] = record
  }

  private func enqueue(_ job: JobRecord) {
    queue.enqueue(.init(id: job.id, repository: job.repository, labels: job.labels, group: job.group, queuedAt: job.createdAt))
  }

  /// A job that ends without ever having been queued, as GitHub reports it: no labels, one `completed` event.
  private func end(without definition: JobDefinition, in run: RunRecord, conclusion: Conclusion, note: String?) {
    let time = now()
    var record = JobRecord(
      id: makeID(), runID: run.id, attempt: run.attempt, repository: run.repository, definition: definition, matrix: .null,
      name: definition.name ?? definition.key, labels: [], group: nil, createdAt: time, progress: .completed, conclusion: conclusion,
      startedAt: time, completedAt: time)
    record.note = note
    record.transitions = [("completed", time)]
    record.timesEnded = 1
    add(record, to: run.id)
    announce(job: record.id, "completed")
  }

  /// A person has approved the environment of a waiting job.
  package func approve(_ jobID: Int64) throws(Refusal) {
    guard let job = jobs[jobID] else { throw .notFound }
    guard job.progress == .waiting else { throw Refusal(422, "Job \(jobID) waits for no approval") }
    move(jobID, to: .queued)
    announce(job: jobID, "queued")
    enqueue(job)
    dispatch()
  }

  func move(_ jobID: Int64, to progress: Progress) {
    jobs[jobID]?.progress = progress
    jobs[jobID]?.transitions.append((progress.rawValue, now()))
  }

  /// Gives queued jobs to idle runners, for as long as there is a match.
  func dispatch() {
    for match in queue.match() {
      if traditional[match.runner] != nil {
        giveTraditional(match.runner, job: match.job)
      } else if let waiter = waiters.removeValue(forKey: match.runner) {
        jobs[match.job]?.offer = (match.runner, now())
        registrations[match.runner]?.state = .busy
        registrations[match.runner]?.job = match.job
        waiter.continuation.resume(returning: match.job)
      } else if let job = jobs[match.job] {
        enqueue(job)
      }
    }
  }

  /// A job is on a runner from now on.
  func start(_ jobID: Int64, on runner: RunnerIdentity) {
    let time = now()
    jobs[jobID]?.runner = runner
    jobs[jobID]?.offer = nil
    jobs[jobID]?.startedAt = time
    jobs[jobID]?.timesStarted += 1
    move(jobID, to: .inProgress)
    announce(job: jobID, "in_progress")
    guard let runID = jobs[jobID]?.runID, runs[runID]?.progress == .queued else { return }
    runs[runID]?.progress = .inProgress
    runs[runID]?.updatedAt = time
    announce(runID, "in_progress")
  }

  /// A job has ended; what needs it goes on.
  func end(_ jobID: Int64, _ conclusion: Conclusion, note: String? = nil) {
    guard let job = jobs[jobID], job.progress != .completed else { return }
    let time = now()
    queue.removeJob(jobID)
    jobs[jobID]?.conclusion = conclusion
    jobs[jobID]?.completedAt = time
    jobs[jobID]?.timesEnded += 1
    jobs[jobID]?.note = note ?? job.note
    jobs[jobID]?.offer = nil
    for index in job.steps.indices where job.steps[index].progress != .completed {
      jobs[jobID]?.steps[index].progress = .completed
      jobs[jobID]?.steps[index].conclusion = conclusion == .success ? .success : .cancelled
      jobs[jobID]?.steps[index].completedAt = time
    }
    move(jobID, to: .completed)
    announce(job: jobID, "completed")
    if conclusion == .failure { failFast(job) }
    advance(job.runID)
  }

  /// A failed job of a matrix cancels its siblings, unless `fail-fast: false` or `continue-on-error` says otherwise.
  private func failFast(_ job: JobRecord) {
    guard let strategy = job.definition.strategy, strategy.matrix != nil, job.definition.continueOnError != "true" else { return }
    if case .boolean(false)? = strategy.failFast { return }
    for id in runs[job.runID]?.attempts.last ?? [] {
      guard let sibling = jobs[id], sibling.definition.key == job.definition.key, sibling.progress != .completed else { continue }
      cancel(sibling)
    }
  }

  /// A job that waits ends at once; one that runs is ended by its runner.
  func cancel(_ job: JobRecord) {
    jobs[job.id]?.isCancelRequested = true
    if job.progress != .inProgress, job.offer == nil { end(job.id, .cancelled) }
  }

  private func finishIfDone(_ runID: Int64) {
    guard let run = runs[runID], run.progress != .completed, run.pendingKeys.isEmpty else { return }
    let ended = (run.attempts.last ?? []).compactMap { jobs[$0] }
    guard ended.allSatisfy({ $0.progress == .completed }) else { return }
    var conclusions = Array(results(of: run).values)
    if run.isCancelled { conclusions.append(.cancelled) }
    runs[runID]?.progress = .completed
    runs[runID]?.conclusion = RunPlan.result(of: conclusions)
    runs[runID]?.updatedAt = now()
    announce(runID, "completed")
  }

  private func giveTraditional(_ runner: Int64, job: Int64) {
    guard let entry = traditional[runner] else { return }
    if thieves.contains(runner) { strike(.stolen, "\(jobs[job]?.name ?? "") by \(entry.runner.name)") }
    traditional[runner] = (entry.runner, job, now() + configuration.traditionalPickup.seconds)
  }

  /// A traditional runner's time has come: it begins its job, or ends it and is idle again.
  private func stepTraditional(_ runner: Int64, _ entry: EmulatorConfiguration.TraditionalRunner, job: Int64) {
    switch jobs[job]?.progress {
    case .queued:
      traditional[runner] = (entry, job, now() + configuration.traditionalDuration.seconds)
      return start(job, on: RunnerIdentity(id: runner, name: entry.name, groupID: 1, groupName: "Default"))
    case .inProgress: end(job, jobs[job]?.isCancelRequested == true ? .cancelled : .success)
    case .waiting, .completed, nil: break
    }
    guard leaving.remove(runner) == nil else {
      traditional[runner] = nil
      return
    }
    traditional[runner] = (entry, nil, nil)
    queue.offer(.init(id: runner, scope: .organisation(configuration.organisation), labels: entry.labels))
  }

  /// What time alone brings: polls that end, offers that nobody took, runners that fell silent, traditional jobs that are done.
  func tick() {
    let time = now()
    tickFaults(at: time)
    for (id, waiter) in waiters where waiter.deadline <= time {
      waiters[id] = nil
      queue.removeRunner(id)
      waiter.continuation.resume(returning: nil)
    }
    for (id, entry) in traditional {
      guard let job = entry.job, let endsAt = entry.endsAt, endsAt <= time else { continue }
      stepTraditional(id, entry.runner, job: job)
    }
    for job in jobs.values where job.progress != .completed {
      if let offer = job.offer, offer.at + configuration.offerExpiresAfter.seconds <= time {
        jobs[job.id]?.offer = nil
        registrations[offer.registration]?.job = nil
        registrations[offer.registration]?.state = .offline
        enqueue(job)
      }
    }
    for registration in registrations.values where registration.state == .busy || registration.state == .online {
      let silence = time.timeIntervalSince(registration.lastContact)
      if registration.state == .online, waiters[registration.id] == nil, silence > 60 { registrations[registration.id]?.state = .offline }
      guard let job = registration.job, jobs[job]?.offer == nil, silence > configuration.runnerLostAfter.seconds else { continue }
      retire(registration.id, "lost")
      end(job, .failure, note: "The self-hosted runner lost communication with the server.")
    }
    dispatch()
  }
}

extension Duration {
  /// In seconds, as `Date` counts them.
  var seconds: TimeInterval { Double(components.seconds) + Double(components.attoseconds) * 1e-18 }
}
