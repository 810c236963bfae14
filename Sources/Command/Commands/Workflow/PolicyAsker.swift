import ArgumentParser
import Domain
import Foundation
import Policies
import RunnerHub
import Workflow

/// Asks the policies of a folder about a job that has not run yet.
struct PolicyAsker {
  struct Answer {
    let route: String
    /// Nil where the job does not come to us.
    let priority: String?
    let reasons: [String]
  }

  private let engine: any PolicyEngine
  private let repository: String
  private let branch: String
  private let event: String
  private let workflow: WorkflowFile
  private let fleet = PolicyFleet(now: Date(), pools: [], pending: 0, active: 0)

  init(folder: String?, repository: String, branch: String, event: String, workflow: WorkflowFile) throws {
    if let folder {
      do {
        engine = LuaPolicyEngine(bundle: try PolicyBundle(folder: folder), builtIn: BuiltInPolicy())
      } catch {
        throw ValidationError("--policies names \(folder), which is no bundle: \(error)")
      }
    } else {
      engine = BuiltInPolicy()
    }
    self.repository = repository
    self.branch = branch
    self.event = event
    self.workflow = workflow
  }

  func ask(about planned: PlannedJob, _ estimate: Estimate) -> Answer {
    let job = policyJob(planned, estimate)
    let route = engine.route(job, fleet: fleet)
    var reasons = [route.reason]
    var priority: String?
    if route.value == .orchestrator {
      let verdict = engine.prioritise(job, fleet: fleet)
      priority = verdict.value.word
      reasons.append(verdict.reason)
    }
    return Answer(route: route.value.rawValue, priority: priority, reasons: reasons)
  }

  private func policyJob(_ planned: PlannedJob, _ estimate: Estimate) -> PolicyJob {
    let definition = planned.definition
    var job = PolicySamples.job
    job.name = planned.displayName ?? definition.key
    job.workflow = workflow.name
    job.workflowPath = workflow.path
    job.repository = repository
    job.branch = branch
    job.event = event
    job.labels = planned.combination?.labels ?? definition.runsOn.labels
    job.definition = DefinitionFinding.Definition(
      path: workflow.path, commit: job.commit, key: definition.key, isExact: planned.combination != nil,
      images: definition.images.map { image in planned.combination?.resolve(image.text) ?? image.text },
      environment: definition.environment,
      timeoutMinutes: definition.timeoutMinutes.flatMap(Double.init), container: definition.container?.image,
      services: definition.services.map(\.name), needs: definition.needs, runnerGroup: definition.runsOn.group,
      concurrencyGroup: definition.concurrencyGroup ?? workflow.concurrencyGroup,
      permissions: definition.permissions ?? workflow.permissions)
    job.estimate = estimate
    return job
  }
}
