/// The commits of RunnerHub, each by the step of a job's way that it makes durable. Closed: a commit that is not among them cannot be written,
/// and each has a failpoint before and after it (`Failpoint`), which `Tests/EndToEndTests` must reach.
package enum CommitPoint: String, Sendable, CaseIterable {
  // MARK: Intake
  /// Deliveries as they came, before they are answered.
  case deliveryStored = "delivery-stored"
  /// Their meaning: jobs, and the assignments and containers that they touch.
  case deliveriesApplied = "deliveries-applied"
  /// A delivery whose rows cannot be read is set aside.
  case deliverySetAside = "delivery-set-aside"

  // MARK: Decisions
  /// A job's route, priority and place, or its refusal.
  case jobDecided = "job-decided"
  /// Jobs for which no container came within the limit are left to traditional runners.
  case jobsFellBack = "jobs-fell-back"
  /// Bindings, reasons to wait, evictions.
  case planMade = "plan-made"
  /// An operator closes, opens or ends a pool, a host or a container.
  case fleetSteered = "fleet-steered"
  /// Containers to make or to end.
  case poolScaled = "pool-scaled"

  /// Old decisions, and inputs that none needs any more, are removed.
  case decisionsForgotten = "decisions-forgotten"
  /// Old alerts that are over, and what was told of them, are removed.
  case alertsForgotten = "alerts-forgotten"

  // MARK: Starts
  /// The container of a job runs and waits.
  case containerMade = "container-made"
  /// An idle container runs and waits.
  case containerWarmed = "container-warmed"
  /// An idle container could not be made.
  case warmingFailed = "warming-failed"
  /// The forge's id of a runner.
  case runnerRegistered = "runner-registered"
  /// The runner has its files.
  case runnerStarted = "runner-started"
  /// Job, assignment and container of a failed start part.
  case startFailed = "start-failed"

  // MARK: Ends
  /// Assignment and container part, after the job or without it.
  case assignmentReleased = "assignment-released"
  /// A container is gone from its engine.
  case containerEnded = "container-ended"
  /// Idle containers end, since RunnerHub drains.
  case idleDrained = "idle-drained"

  // MARK: Health and reconciliation
  /// Heartbeats, isolation, recovery.
  case healthJudged = "health-judged"
  /// An idle container cannot serve any more.
  case containerLost = "container-lost"
  /// What went wrong in a job's container is kept, for when the forge ends the job.
  case lossNoted = "loss-noted"
  /// What the forge answered about a job.
  case jobRefreshed = "job-refreshed"
  /// A job that a search brought up, of which no delivery told.
  case jobFound = "job-found"
  /// A refused job outlived the cancellation of its run: a hook is to fail it.
  case refusalOverdue = "refusal-overdue"

  // MARK: Reporting
  /// Statuses that the forge took, or that are put off.
  case statusesSettled = "statuses-settled"
  /// A run's cancellation was asked for, or is put off.
  case cancellationSettled = "cancellation-settled"
  /// A run may not be cancelled: a hook is to fail the refused job.
  case cancellationForbidden = "cancellation-forbidden"

  // MARK: Migration
  /// Whether traditional runners are needed no more was asked and answered.
  case migrationJudged = "migration-judged"

  // MARK: Policies
  /// A bundle and what became of it: it acts, is refused, or comes back.
  case policyChanged = "policy-changed"

  // MARK: Plugins
  /// An operator's wish for a plugin, before it is fulfilled.
  case pluginSteered = "plugin-steered"

  // MARK: Alerts
  /// An alert is raised or resolved, and owed to the notifiers.
  case alertsChanged = "alerts-changed"
  /// A notification arrived, is put off, or is given up.
  case notificationSettled = "notification-settled"

  // MARK: At each start
  /// The name by which an installation knows its containers, and how often it was started.
  case installationNamed = "installation-named"
}
