/// A number of bytes.
package struct ByteCount: Hashable, Sendable, Codable, Comparable, CustomStringConvertible {
  package let bytes: Int64
  package init(bytes: Int64) { self.bytes = bytes }
  package init(mebibytes: Int64) { bytes = mebibytes.multipliedReportingOverflow(by: 1 << 20).partialValue }
  package init(gibibytes: Int64) { bytes = gibibytes.multipliedReportingOverflow(by: 1 << 30).partialValue }
  package init(from decoder: any Decoder) throws { bytes = try decoder.singleValueContainer().decode(Int64.self) }
  package func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(bytes)
  }
  package static func < (a: ByteCount, b: ByteCount) -> Bool { a.bytes < b.bytes }
  package var mebibytes: Int64 { bytes >> 20 }

  /// `4 GiB`, `512 MiB`, `100 B`.
  package var description: String {
    if bytes >= 1 << 30 && bytes % (1 << 30) == 0 { return "\(bytes >> 30) GiB" }
    if bytes >= 1 << 20 { return "\(bytes >> 20) MiB" }
    return "\(bytes) B"
  }

  /// Reads `512m`, `4g`, `4GiB`, `1.5 GB`, `1048576`. Units are powers of 1024; no unit means bytes.
  package init?(text: String) {
    let trimmed = text.replacing(" ", with: "").lowercased()
    let digits = trimmed.prefix { $0.isASCII && ($0.isNumber || $0 == ".") }
    guard let number = Double(digits), number >= 0 else { return nil }
    let factor: Double
    switch trimmed.dropFirst(digits.count) {
    case "", "b": factor = 1
    case "k", "kb", "kib": factor = 1024
    case "m", "mb", "mib": factor = 1_048_576
    case "g", "gb", "gib": factor = 1_073_741_824
    case "t", "tb", "tib": factor = 1_099_511_627_776
    default: return nil
    }
    let product = number * factor
    guard product.isFinite, product < 9e18 else { return nil }
    bytes = Int64(product)
  }
}

/// CPU, memory, disk and GPUs that a job wants, a container has, or a host offers.
package struct Resources: Hashable, Sendable, Codable {
  /// Thousandths of one CPU core.
  package var milliCPUs: Int
  package var memory: ByteCount
  package var disk: ByteCount
  package var gpus: Int

  package init(milliCPUs: Int, memory: ByteCount, disk: ByteCount = ByteCount(gibibytes: 10), gpus: Int = 0) {
    self.milliCPUs = milliCPUs
    self.memory = memory
    self.disk = disk
    self.gpus = gpus
  }

  /// Whether `self` is enough for `wanted` in every dimension.
  package func covers(_ wanted: Resources) -> Bool {
    milliCPUs >= wanted.milliCPUs && memory >= wanted.memory && disk >= wanted.disk && gpus >= wanted.gpus
  }

  /// The larger of both in every dimension.
  package func union(_ other: Resources) -> Resources {
    Resources(
      milliCPUs: max(milliCPUs, other.milliCPUs), memory: max(memory, other.memory), disk: max(disk, other.disk),
      gpus: max(gpus, other.gpus))
  }
}

/// What a job is expected to need, and where each part of the answer came from.
package struct Estimate: Hashable, Sendable, Codable {
  package var resources: Resources
  /// Expected run time in seconds, where something is known of it.
  package var durationSeconds: Double?
  /// Where each part comes from, for people: `CPUs, memory: label large-runner`.
  package var sources: [String]
  /// What the job's repository asks for in `.github/runnerhub.yaml`, within the host's bounds. nil: nothing.
  package var priorityHint: Priority?
  /// Words for affinity policies, from the same place; nil: none.
  package var affinityHints: [String]?

  package init(
    resources: Resources, durationSeconds: Double? = nil, sources: [String], priorityHint: Priority? = nil, affinityHints: [String]? = nil
  ) {
    self.resources = resources
    self.durationSeconds = durationSeconds
    self.sources = sources
    self.priorityHint = priorityHint
    self.affinityHints = affinityHints
  }
}
