/// What is to go wrong, as a value: told to ``EmulatedGitHub/inject(_:)`` or to `POST /_emulator/faults`. Chance depends on the seed alone,
/// so a run with the same calls in the same order repeats.
package struct FaultPlan: Sendable, Equatable {
  /// How often a fault strikes that fits.
  package enum Strikes: Sendable, Equatable {
    case always
    /// 0…1.
    case probability(Double)
    /// The next so many, then never again.
    case next(Int)
  }

  /// What happens to a delivery.
  package struct WebhookFault: Sendable, Equatable {
    package enum Kind: Sendable, Equatable {
      /// Nobody hears of it, and no list of deliveries has it.
      case lose
      /// It comes twice: under its GUID again, or from a second hook under another one.
      case double
      /// It comes so many seconds late.
      case delay(Double)
      /// One to three later ones overtake it, or two seconds go by.
      case reorder
    }

    package var kind: Kind
    /// `workflow_job`; nil fits every event, likewise the action and the job's name.
    package var event: String?
    package var action: String?
    package var job: String?
    package var strikes: Strikes

    package init(_ kind: Kind, event: String? = nil, action: String? = nil, job: String? = nil, strikes: Strikes = .always) {
      self.kind = kind
      self.event = event
      self.action = action
      self.job = job
      self.strikes = strikes
    }
  }

  /// What happens to a REST request.
  package struct RequestFault: Sendable, Equatable {
    package enum Kind: Sendable, Equatable {
      /// Answered with this status, and nothing was done.
      case failBefore(Int)
      /// Done, and answered with this status.
      case failAfter(Int)
      /// The connection is closed, and nothing was done.
      case cutBefore
      /// Done, and the connection is closed without an answer.
      case cutAfter
    }

    package var kind: Kind
    /// `POST`; nil fits every method.
    package var method: String?
    /// A part of the path, such as `/generate-jitconfig`; nil fits every path.
    package var path: String?
    package var strikes: Strikes

    package init(_ kind: Kind, method: String? = nil, path: String? = nil, strikes: Strikes = .always) {
      self.kind = kind
      self.method = method
      self.path = path
      self.strikes = strikes
    }
  }

  /// A runner that has connected gets no job and loses its registration: GitHub removes idle just-in-time runners after minutes
  /// (<https://github.com/actions/runner/issues/4726>).
  package struct Vanishing: Sendable, Equatable {
    /// Seconds from its first question for a job.
    package var after: Double
    package var strikes: Strikes

    package init(after: Double, strikes: Strikes = .always) {
      self.after = after
      self.strikes = strikes
    }
  }

  package var seed: UInt64
  /// Of those that fit, the first that strikes counts.
  package var webhooks: [WebhookFault]
  package var requests: [RequestFault]
  package var vanishing: Vanishing?
  /// For so many seconds from now every connection is closed unanswered, runners' too, and deliveries fail.
  package var unreachable: Double?

  package init(
    seed: UInt64 = 1, webhooks: [WebhookFault] = [], requests: [RequestFault] = [], vanishing: Vanishing? = nil, unreachable: Double? = nil
  ) {
    self.seed = seed
    self.webhooks = webhooks
    self.requests = requests
    self.vanishing = vanishing
    self.unreachable = unreachable
  }
}

/// A fault that struck, for judges: a test whose faults never struck has tested nothing.
package struct Strike: Sendable, Equatable {
  package enum Kind: String, Sendable, CaseIterable {
    case lost, doubled, late, reordered, unreachable, vanished, stolen
    case failedBefore = "failed_before"
    case failedAfter = "failed_after"
    case cutBefore = "cut_before"
    case cutAfter = "cut_after"
    case rateLimited = "rate_limited"
  }

  package let kind: Kind
  /// `workflow_job.queued build`, `POST /orgs/acme/…`, a runner's name.
  package let what: String
}
