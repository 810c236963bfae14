package import Domain

/// What a job is expected to need: size labels first, then explicit requests in labels, else the default.
package struct ResourceEstimator: Sendable {
  private let settings: Settings

  package init(settings: Settings) {
    self.settings = settings
  }

  /// Pure. Explicit requests are labels of the form `cpu-4`, `mem-8g` (or `memory-8g`), `disk-50g`, `gpu-1`.
  package func estimate(_ job: Job, _ definition: DefinitionFinding) -> Estimate {
    var resources = settings.defaultSize
    var sources: [String] = []
    for label in job.labels.map({ $0.lowercased() }) {
      if let size = settings.sizes[label] {
        resources = resources.union(size)
        sources.append("label \(label)")
      } else if let request = Self.request(label) {
        request.apply(&resources)
        sources.append("label \(label)")
      }
    }
    if sources.isEmpty { sources.append("default size") }
    var duration: Double?
    if let minutes = definition.definition?.timeoutMinutes, minutes.isFinite, minutes > 0 {
      duration = minutes * 60
      sources.append("timeout-minutes \(minutes)")
    }
    return Estimate(resources: resources, durationSeconds: duration, sources: sources)
  }

  private struct Request {
    var apply: (inout Resources) -> Void
  }

  private static func request(_ label: String) -> Request? {
    guard let dash = label.firstIndex(of: "-") else { return nil }
    let value = String(label[label.index(after: dash)...])
    switch label[..<dash] {
    case "cpu":
      guard let cores = Int(value), (1...1024).contains(cores) else { return nil }
      return Request { $0.milliCPUs = cores * 1000 }
    case "gpu":
      guard let gpus = Int(value), (0...64).contains(gpus) else { return nil }
      return Request { $0.gpus = gpus }
    case "mem", "memory":
      guard let size = ByteCount(text: value), size.bytes > 0 else { return nil }
      return Request { $0.memory = size }
    case "disk":
      guard let size = ByteCount(text: value), size.bytes > 0 else { return nil }
      return Request { $0.disk = size }
    default: return nil
    }
  }
}
