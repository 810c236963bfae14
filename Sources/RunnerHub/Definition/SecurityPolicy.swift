package import Domain
import Workflow

/// Whether a job may run in a pool at all. Host rules: no policy stands above them. Each answer is a sentence, or nil where nothing speaks
/// against it.
package enum SecurityPolicy {
  package static func forkObjection(to job: Job, in pool: Pool) -> String? {
    job.isFromFork && !pool.acceptsForks ? "it runs code of a fork, and pool \(pool.name) does not accept forks" : nil
  }

  /// An image that the file alone does not decide cannot be approved: an expression that is left in it is no image's name.
  package static func definitionObjection(to definition: DefinitionFinding, in pool: Pool) -> String? {
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
