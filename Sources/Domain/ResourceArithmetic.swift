extension Resources {
  /// The sum, at most the greatest number there is.
  package func adding(_ other: Resources) -> Resources {
    Resources(
      milliCPUs: milliCPUs.addingClamped(other.milliCPUs), memory: ByteCount(bytes: memory.bytes.addingClamped(other.memory.bytes)),
      disk: ByteCount(bytes: disk.bytes.addingClamped(other.disk.bytes)), gpus: gpus.addingClamped(other.gpus))
  }
  /// What is left; parts may be less than nothing.
  package func subtracting(_ other: Resources) -> Resources {
    adding(
      Resources(
        milliCPUs: other.milliCPUs.negatedClamped, memory: ByteCount(bytes: other.memory.bytes.negatedClamped),
        disk: ByteCount(bytes: other.disk.bytes.negatedClamped), gpus: other.gpus.negatedClamped))
  }

  package static var nothing: Resources { Resources(milliCPUs: 0, memory: ByteCount(bytes: 0), disk: ByteCount(bytes: 0)) }

  /// Itself, but with nothing where a part is less.
  package var positivePart: Resources {
    Resources(
      milliCPUs: max(0, milliCPUs), memory: ByteCount(bytes: max(0, memory.bytes)), disk: ByteCount(bytes: max(0, disk.bytes)),
      gpus: max(0, gpus))
  }

  /// `2 CPU, 4 GiB`, with GPUs where there are any.
  package var summary: String {
    let cpus = milliCPUs % 1000 == 0 ? "\(milliCPUs / 1000)" : "\(Double(milliCPUs) / 1000)"
    return "\(cpus) CPU, \(memory)" + (gpus > 0 ? ", \(gpus) GPU" : "")
  }
}

extension FixedWidthInteger {
  /// Sums of sizes that come from configuration must not trap.
  fileprivate func addingClamped(_ other: Self) -> Self {
    let (sum, overflow) = addingReportingOverflow(other)
    return overflow ? (other > 0 ? .max : .min) : sum
  }
  fileprivate var negatedClamped: Self { self == .min ? .max : 0 - self }
}
