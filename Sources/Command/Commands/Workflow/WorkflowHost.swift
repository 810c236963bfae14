import ArgumentParser
import Domain
import RunnerHub
import Workflow

/// What a configuration says of jobs before they run. Credentials may be missing, and the environment is not read.
struct WorkflowHost {
  let settings: Settings
  /// How rules are graded, by their names.
  let grades: [String: String]

  init(configuration path: String) throws {
    let configuration = try Configuration.rehearsed(file: path)
    settings = configuration.settings
    grades = configuration.ruleGrades
  }

  /// - Throws: what is no pattern among the images of a pool.
  func facts() throws -> HostFacts {
    var offers = settings.pools.map { pool in
      HostFacts.Offer(
        name: pool.name, labels: pool.labels.values, milliCPUs: pool.resources.milliCPUs, memoryBytes: pool.resources.memory.bytes,
        gpus: pool.resources.gpus)
    }
    let traditional = settings.migration.traditionalLabels
    if !traditional.isEmpty { offers.append(HostFacts.Offer(name: "traditional runners", labels: traditional.values)) }
    return HostFacts(allowedImages: try approvedImages(), offers: offers)
  }

  /// nil: one pool without a list takes any image.
  private func approvedImages() throws -> ImageAllowList? {
    let patterns = settings.pools.compactMap(\.allowedImages)
    if patterns.isEmpty || patterns.count < settings.pools.count { return nil }
    do {
      return try ImageAllowList(patterns.flatMap(\.self))
    } catch {
      throw ValidationError("--config: the images of a pool cannot be read: \(error)")
    }
  }
}
