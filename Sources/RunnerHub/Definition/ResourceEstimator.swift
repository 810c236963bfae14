package import Domain

/// What a job is expected to need: explicit requests in labels, then those of its file, then size labels, else the default.
package struct ResourceEstimator: Sendable {
  private let settings: Settings

  package init(settings: Settings) {
    self.settings = settings
  }

  /// Pure. Explicit requests are labels of the form `cpu-4`, `mem-8g` (or `memory-8g`), `disk-50g`, `gpu-1`, and what the definition asks for.
  package func estimate(_ job: Job, _ definition: DefinitionFinding) -> Estimate {
    var resources = settings.defaultSize
    var sources: [String] = []
    let labels = job.labels.map { $0.lowercased() }
    for label in labels {
      guard let size = settings.sizes[label] else { continue }
      resources = resources.union(size)
      sources.append("label \(label)")
    }
    let requested = definition.definition?.requested
    if let requested {
      requested.apply(to: &resources)
      sources += requested.sources
    }
    for label in labels where settings.sizes[label] == nil {
      guard let request = Self.request(label) else { continue }
      request.apply(&resources)
      sources.append("label \(label)")
    }
    if sources.isEmpty { sources.append("default size") }
    var duration = requested?.seconds
    if let minutes = definition.definition?.timeoutMinutes, minutes.isFinite, minutes > 0, duration ?? .infinity > minutes * 60 {
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

extension ResourceRequestFinding {
  fileprivate func apply(to resources: inout Resources) {
    resources.milliCPUs = milliCPUs ?? resources.milliCPUs
    resources.memory = memory ?? resources.memory
    resources.disk = disk ?? resources.disk
    resources.gpus = gpus ?? resources.gpus
  }
}
