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
  public let defaults: RunDefaults
  /// In order; those of a `parallel` step stand in its place.
  public let steps: [Step]
  public let timeoutMinutes: String?
  public let continueOnError: String?
  /// The environment's name.
  public let environment: String?
  /// The reusable workflow that the job calls instead of having steps.
  public let uses: String?
  public let outputs: [String: String]
  /// What its token may do, by scope, as written; nil where the job does not say, and the workflow's count.
  public let permissions: [String: String]?
  /// As written; nil where the job names none of its own.
  public let concurrencyGroup: String?
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
  /// Where the step begins, 1-based.
  public let line: Int
}
