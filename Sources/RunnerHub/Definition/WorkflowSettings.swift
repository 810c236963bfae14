package import Domain
package import Workflow

/// What an operator can set of workflow files.
package struct WorkflowSettings: Sendable, Equatable {
  /// How grave each rule's findings are; a job whose file breaks one that is an error is refused.
  package var rules: RuleSettings
  /// Whether `.github/runnerhub.yaml` of a job's repository is read.
  package var readsHints: Bool
  /// The highest priority that a repository may ask for there.
  package var highestPriority: Priority

  package init(rules: RuleSettings = RuleSettings(), readsHints: Bool = true, highestPriority: Priority = .high) {
    self.rules = rules
    self.readsHints = readsHints
    self.highestPriority = highestPriority
  }
}
