/// One entry under `jobs`. Texts are as written and may hold expressions.
public struct JobDefinition: Sendable, Equatable {
  /// The key under `jobs`; the forge calls it the job's id.
  public let key: String
  public let name: String?
  /// Keys of the jobs that must end first, in the author's order.
  public let needs: [String]
  /// The raw `if`.
  public let condition: String?
  public let runsOn: RunsOn
  public let strategy: Strategy?
  public let container: ContainerDefinition?
  /// In the author's order.
  public let services: [ServiceDefinition]
  /// The expression that stands for all of `services`, where one does; the services are then known only to the run.
  public let servicesExpression: String?
  public let env: [String: String]
  /// The expression that stands for all of `env`, or is merged into it, where one does.
  public let envExpression: String?
  public let defaults: RunDefaults
  /// In order; those of a `parallel` step stand in its place.
  public let steps: [Step]
  /// Where the job waits for, or ends, steps in the background.
  public let stepControls: [StepControl]
  public let timeoutMinutes: String?
  public let continueOnError: String?
  /// The environment's name.
  public let environment: String?
  /// The reusable workflow that the job calls instead of having steps.
  public let uses: String?
  /// The inputs that a called workflow gets.
  public let with: [String: String]
  /// The secrets that a called workflow gets by name; none where it inherits them all.
  public let secrets: [String: String]
  public let inheritsSecrets: Bool
  /// The jobs of the called workflow, where its text was given.
  public let calledJobs: [JobDefinition]
  public let outputs: [String: String]
  /// What its token may do, by scope, as written; nil where the job does not say, and the workflow's count.
  public let permissions: [String: String]?
  /// As written; nil where the job names none of its own.
  public let concurrencyGroup: String?
  /// What its token may do, the workflow's word included; nil where neither says anything.
  public let grants: Permissions?
  /// The image that is made of the runner when the job is done.
  public let snapshot: String?
  /// Where the job's key stands, 1-based.
  public let line: Int

  /// Whether the job runs on a runner, and does not call another workflow.
  public var hasRunner: Bool { uses == nil }
}

/// `runs-on`: what a runner must offer.
public struct RunsOn: Sendable, Equatable {
  /// As written; one label where `runs-on` is a text.
  public let labels: [String]
  public let group: String?
  /// False where an expression is among labels or group.
  public let isLiteral: Bool

  public init(labels: [String], group: String?) {
    self.labels = labels
    self.group = group
    isLiteral = !(labels + [group ?? ""]).contains(where: ExpressionTemplate.containsExpression)
  }
}

/// `container`, or one of `services`.
public struct ContainerDefinition: Sendable, Equatable {
  public struct Credentials: Sendable, Equatable {
    public let username: String?
    public let password: String?
  }

  /// Empty for a service that its expression may switch off.
  public let image: String
  public let env: [String: String]
  /// Arguments of `docker create`, as written.
  public let options: String?
  public let ports: [String]
  public let volumes: [String]
  public let credentials: Credentials?
  public let line: Int
}

/// One of `services`: its name is the host name under which the job reaches it.
public struct ServiceDefinition: Sendable, Equatable {
  public let name: String
  public let container: ContainerDefinition
}

/// One of a job's `steps`. Texts are as written and may hold expressions.
public struct Step: Sendable, Equatable {
  public let id: String?
  public let name: String?
  /// The raw `if`.
  public let condition: String?
  public let uses: String?
  public let with: [String: String]
  public let run: String?
  public let shell: String?
  public let workingDirectory: String?
  public let env: [String: String]
  public let continueOnError: String?
  public let timeoutMinutes: String?
  /// Whether the steps after it start without waiting for it.
  public let isBackground: Bool
  /// Where the step begins, 1-based.
  public let line: Int
}

/// A step that does no work of its own.
public struct StepControl: Sendable, Equatable {
  public enum Action: Sendable, Equatable {
    case wait(for: [String])
    case waitForAll
    case cancel(String)
  }

  public let action: Action
  /// How many of the job's `steps` stand before it.
  public let position: Int
}
