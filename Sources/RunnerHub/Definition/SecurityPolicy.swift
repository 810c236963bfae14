package import Domain
import Workflow

/// Whether a job may run in a pool at all. Host rules: no policy stands above them.
package enum SecurityPolicy {
  /// - Returns: why it may not, in a sentence; nil when it may.
  package static func refusal(of job: Job, definition: DefinitionFinding, in pool: Pool) -> String? {
    if job.isFromFork, !pool.acceptsForks { return "it runs code of a fork, and pool \(pool.name) does not accept forks" }
    guard let found = definition.definition else {
      guard pool.definition == .required, case .unknown(let reason) = definition else { return nil }
      return "its definition is unknown (\(reason)), and pool \(pool.name) requires it"
    }
    guard let allowed = pool.allowedImages else { return nil }
    let list: ImageAllowList
    do {
      list = try ImageAllowList(allowed)
    } catch {
      return "the allow-list of pool \(pool.name) cannot be read: \(error)"
    }
    for image in found.images {
      do {
        let reference = try ImageReference.parse(image)
        if !list.allows(reference) { return "image \(reference) is not approved" }
      } catch {
        return "image \(image) cannot be checked: \(error)"
      }
    }
    return nil
  }
}
