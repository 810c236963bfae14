import Foundation
import Workflow

/// How the jobs of a workflow will end on the stand-in runner: nil where its text does not tell. See ``StepForecast``.
struct WorkflowForecast {
  /// The jobs of one key under `jobs`.
  struct Jobs: Equatable {
    /// What each may end with, in the order of the matrix. More than one where a matrix sibling's failure may come first.
    var conclusions: [Set<String>]
    /// Labels by job; empty for a job that never asks for a runner.
    var labels: [[String]]
    /// Whether at least one ends with failure.
    var fails: Bool
    /// Whether somebody else's runner has them, by job: labels that no pool offers.
    var areForwarded: [Bool]
    /// Words that the log of a job that ran here has.
    var shown: String?
  }

  let jobs: [String: Jobs]

  /// - Parameter isOffered: whether a pool offers a label.
  init?(_ file: WorkflowFile, isOffered: (String) -> Bool) {
    var found: [String: Jobs] = [:]
    var left = file.jobs
    // Each job after those that it needs.
    while !left.isEmpty {
      guard let index = left.firstIndex(where: { $0.needs.allSatisfy { found[$0.lowercased()] != nil } }) else { return nil }
      let job = left.remove(at: index)
      guard let forecast = Self.jobs(of: job, in: file, before: job.needs.compactMap { found[$0.lowercased()] }, isOffered) else {
        return nil
      }
      found[job.key.lowercased()] = forecast
    }
    jobs = found
  }

  var count: Int { jobs.values.reduce(0) { $0 + $1.conclusions.count } }

  private static func jobs(of job: JobDefinition, in file: WorkflowFile, before: [Jobs], _ isOffered: (String) -> Bool) -> Jobs? {
    func ended(_ conclusion: String) -> Jobs {
      Jobs(conclusions: [[conclusion]], labels: [[]], fails: conclusion == "failure", areForwarded: [false])
    }
    // Rule 8; what a condition says is not worked out.
    guard job.continueOnError == nil else { return nil }
    let areWell = before.allSatisfy { $0.conclusions.allSatisfy { $0 == ["success"] } }
    if !areWell {
      let saysOtherwise = ["success(", "failure(", "cancelled(", "always("].contains { job.condition?.contains($0) == true }
      return saysOtherwise ? nil : ended("skipped")
    }
    guard job.condition == nil else { return nil }
    // Rule 5.
    guard job.hasRunner else { return ended("failure") }
    guard let expanded = job.expand() else { return ended("failure") }
    guard job.runsOn.group == nil, job.servicesExpression == nil else { return nil }
    guard let (hasFailed, shown) = steps(of: job, in: file) else { return nil }
    var forecast = Jobs(conclusions: [], labels: [], fails: false, areForwarded: [], shown: shown)
    for combination in expanded {
      guard let labels = combination.labels, !labels.isEmpty else { return nil }
      let isForwarded = !labels.allSatisfy(isOffered)
      forecast.labels.append(labels)
      forecast.areForwarded.append(isForwarded)
      // A runner of the old kind ends each job with success.
      forecast.conclusions.append([hasFailed && !isForwarded ? "failure" : "success"])
    }
    forecast.fails = forecast.conclusions.contains(["failure"])
    // Rule 8: a failed job of a matrix cancels its siblings, unless they were faster.
    if forecast.fails, expanded.count > 1, job.strategy?.failFast != .boolean(false) {
      forecast.conclusions = forecast.conclusions.map { $0.union(["cancelled"]) }
    }
    return forecast
  }

  /// Rules 1, 2 and 5 over the steps; nil where they do not tell.
  private static func steps(of job: JobDefinition, in file: WorkflowFile) -> (hasFailed: Bool, shown: String?)? {
    // nil: one that may have failed has run.
    var hasFailed: Bool? = job.container != nil || !job.services.isEmpty
    var shown: String?
    for step in job.steps {
      guard hasFailed != true else { break }
      if step.continueOnError == "true" { continue }
      let outcome = StepForecast(step, defaults: job.defaults, workflowDefaults: file.defaults)
      switch (outcome, step.condition?.replacing("${{", with: "").replacing("}}", with: "").trimmingCharacters(in: .whitespaces)) {
      case (_, "failure()"): continue
      case (.succeeds, "always()"), (.succeeds, "success()"): continue
      case (.succeeds(let words), nil):
        if hasFailed == false { shown = shown ?? words }
      // Failed before or failing now: both are a failure.
      case (.fails(let words), nil), (.fails(let words), "always()"), (.fails(let words), "success()"):
        if step.continueOnError == nil || step.continueOnError == "false" {
          if hasFailed == false { shown = words }
          hasFailed = true
        } else {
          hasFailed = nil
        }
      case (.succeeds, _?): break
      case (.fails, _?), (.unknown, _): hasFailed = nil
      }
    }
    return hasFailed.map { ($0, shown) }
  }
}
