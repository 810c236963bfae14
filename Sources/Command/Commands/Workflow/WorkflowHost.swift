import ArgumentParser
import Domain
import Foundation
import RunnerHub
import Workflow

/// What a configuration says of jobs before they run.
enum WorkflowHost {
  static func settings(configuration path: String) throws -> Settings {
    try Configuration.load(file: path, environment: ProcessInfo.processInfo.environment, flags: []).settings
  }

  static func facts(configuration path: String) throws -> HostFacts { facts(try settings(configuration: path)) }

  static func facts(_ settings: Settings) -> HostFacts {
    let offers = settings.pools.map { pool in
      HostFacts.Offer(
        name: pool.name, labels: pool.labels.values, milliCPUs: pool.resources.milliCPUs, memoryBytes: pool.resources.memory.bytes,
        gpus: pool.resources.gpus)
    }
    // One pool without a list takes any image.
    let patterns = settings.pools.map(\.allowedImages)
    let list = patterns.contains { $0 == nil } ? nil : try? ImageAllowList(patterns.compactMap(\.self).flatMap(\.self))
    return HostFacts(allowedImages: patterns.isEmpty ? nil : list, offers: offers)
  }

  /// What the host knows for an estimate.
  static func evidence(_ settings: Settings) -> JobEstimate.Evidence {
    let largest = settings.pools.reduce(ResourceRequest()) { largest, pool in
      ResourceRequest(
        milliCPUs: max(largest.milliCPUs ?? 0, pool.resources.milliCPUs),
        memoryBytes: max(largest.memoryBytes ?? 0, pool.resources.memory.bytes),
        diskBytes: max(largest.diskBytes ?? 0, pool.resources.disk.bytes), gpus: max(largest.gpus ?? 0, pool.resources.gpus))
    }
    return JobEstimate.Evidence(
      labelSizes: settings.sizes.mapValues(ResourceRequest.init), bounds: HintBounds(largest: largest),
      defaultSize: ResourceRequest(settings.defaultSize))
  }
}

extension ResourceRequest {
  init(_ resources: Resources) {
    self.init(
      milliCPUs: resources.milliCPUs, memoryBytes: resources.memory.bytes, diskBytes: resources.disk.bytes, gpus: resources.gpus)
  }
}
