import Domain
import Foundation
package import RunnerHub

/// Reads GitHub's webhook bodies. Lenient in what it does not need, exact in what it does: no JSON makes it trap, and a member of the
/// wrong type or beyond its range is named.
package struct GitHubDeliveryDecoder: DeliveryDecoder {
  package init() {}

  /// The meaning of a delivery: `workflow_job` and `workflow_run` with any action, everything else is ignored with a reason.
  package func decode(_ delivery: Delivery) throws(MalformedDelivery) -> ForgeEvent {
    switch delivery.event {
    case "workflow_job":
      let envelope = try decode(JobEnvelope.self, from: delivery)
      return .job(
        envelope.job.report(
          action: envelope.action, repository: envelope.repository.repository, organization: envelope.organization?.login,
          installationID: envelope.installation?.id))
    case "workflow_run":
      let envelope = try decode(RunEnvelope.self, from: delivery)
      return .run(
        envelope.run.report(
          action: envelope.action, repository: envelope.repository.fullName, defaultBranch: envelope.repository.defaultBranch))
    case "ping":
      return .ignored(reason: "ping: the hook greets")
    default:
      return .ignored(reason: "event \(delivery.event.prefix(100)) has no use here")
    }
  }

  private func decode<Body: Decodable>(_ type: Body.Type, from delivery: Delivery) throws(MalformedDelivery) -> Body {
    do {
      return try JSONDecoder().decode(type, from: delivery.body)
    } catch {
      throw MalformedDelivery("\(delivery.event): \(JSONFault(error).description)")
    }
  }
}

private struct JobEnvelope: Decodable {
  let action: String?
  let job: WireJob
  let repository: WireRepository
  let organization: WireReference?
  let installation: WireReference?

  enum CodingKeys: String, CodingKey {
    case action, repository, organization, installation
    case job = "workflow_job"
  }
}

private struct RunEnvelope: Decodable {
  let action: String?
  let run: WireRun
  let repository: WireRepository

  enum CodingKeys: String, CodingKey {
    case action, repository
    case run = "workflow_run"
  }
}
