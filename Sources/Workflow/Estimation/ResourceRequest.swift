/// What a job is said to need; nil where nothing is said of a dimension.
public struct ResourceRequest: Sendable, Equatable {
  /// Thousandths of a core.
  public var milliCPUs: Int?
  public var memoryBytes: Int64?
  public var diskBytes: Int64?
  public var gpus: Int?
  /// How long it is expected to run.
  public var seconds: Double?

  public init(
    milliCPUs: Int? = nil, memoryBytes: Int64? = nil, diskBytes: Int64? = nil, gpus: Int? = nil, seconds: Double? = nil
  ) {
    self.milliCPUs = milliCPUs
    self.memoryBytes = memoryBytes
    self.diskBytes = diskBytes
    self.gpus = gpus
    self.seconds = seconds
  }

  public var isEmpty: Bool { self == ResourceRequest() }

  /// One dimension by the word that authors write.
  enum Dimension: String, CaseIterable {
    case cpus, memory, disk, gpus, minutes
  }

  /// Sets a dimension from a text; nil, or why the text says nothing.
  mutating func set(_ dimension: Dimension, _ text: String) -> String? {
    switch dimension {
    case .cpus:
      guard let value = Double(text), (0.001...1_024).contains(value) else { return "'\(text)' is no number of CPUs (up to 1024)" }
      milliCPUs = Int((value * 1_000).rounded())
    case .gpus:
      if text == "all" {
        gpus = max(gpus ?? 1, 1)
      } else {
        guard let value = Int(text), (0...64).contains(value) else { return "'\(text)' is no number of GPUs (up to 64)" }
        gpus = value
      }
    case .minutes:
      guard let value = Double(text), value > 0, value <= 43_200 else { return "'\(text)' is no number of minutes (up to 30 days)" }
      seconds = value * 60
    case .memory, .disk:
      guard let bytes = ByteSize.parse(text), bytes > 0 else { return "'\(text)' is no size: write 512m, 4g or 1.5g" }
      if dimension == .memory { memoryBytes = bytes } else { diskBytes = bytes }
    }
    return nil
  }

  /// Takes what is missing here from the other.
  func completed(by other: ResourceRequest) -> ResourceRequest {
    ResourceRequest(
      milliCPUs: milliCPUs ?? other.milliCPUs, memoryBytes: memoryBytes ?? other.memoryBytes, diskBytes: diskBytes ?? other.diskBytes,
      gpus: gpus ?? other.gpus, seconds: seconds ?? other.seconds)
  }
}

extension ResourceRequest {
  /// The larger of both in every dimension.
  func union(_ other: ResourceRequest) -> ResourceRequest {
    func larger<Value: Comparable>(_ one: Value?, _ two: Value?) -> Value? {
      guard let one, let two else { return one ?? two }
      return max(one, two)
    }
    return ResourceRequest(
      milliCPUs: larger(milliCPUs, other.milliCPUs), memoryBytes: larger(memoryBytes, other.memoryBytes),
      diskBytes: larger(diskBytes, other.diskBytes), gpus: larger(gpus, other.gpus), seconds: larger(seconds, other.seconds))
  }

  /// The smaller of both in every dimension; what is not said of one is without a bound there.
  func intersection(_ other: ResourceRequest) -> ResourceRequest {
    func smaller<Value: Comparable>(_ one: Value?, _ two: Value?) -> Value? {
      guard let one, let two else { return one ?? two }
      return min(one, two)
    }
    return ResourceRequest(
      milliCPUs: smaller(milliCPUs, other.milliCPUs), memoryBytes: smaller(memoryBytes, other.memoryBytes),
      diskBytes: smaller(diskBytes, other.diskBytes), gpus: smaller(gpus, other.gpus), seconds: smaller(seconds, other.seconds))
  }

  /// Cuts off what is beyond a bound.
  /// - Returns: what was cut, in sentences.
  mutating func cut(to bound: ResourceRequest) -> [String] {
    var cuts: [String] = []
    func cut<Value: Comparable>(_ value: inout Value?, _ most: Value?, _ name: String, _ shown: (Value) -> String) {
      guard let asked = value, let most, asked > most else { return }
      value = most
      cuts.append("\(name) \(shown(asked)) cut to \(shown(most)) by the host")
    }
    cut(&milliCPUs, bound.milliCPUs, "CPUs") { ExpressionNumber.text(Double($0) / 1_000) }
    cut(&memoryBytes, bound.memoryBytes, "memory", ByteSize.text)
    cut(&diskBytes, bound.diskBytes, "disk", ByteSize.text)
    cut(&gpus, bound.gpus, "GPUs") { "\($0)" }
    cut(&seconds, bound.seconds, "minutes") { ExpressionNumber.text($0 / 60) }
    return cuts
  }

  /// Whether this is enough of everything but time; what is not said here is enough.
  func covers(_ asked: ResourceRequest) -> Bool {
    func suffices<Value: Comparable>(_ offered: Value?, _ wanted: Value?) -> Bool {
      guard let offered, let wanted else { return true }
      return offered >= wanted
    }
    return suffices(milliCPUs, asked.milliCPUs) && suffices(memoryBytes, asked.memoryBytes) && suffices(diskBytes, asked.diskBytes)
      && suffices(gpus, asked.gpus)
  }
}

/// Sizes as Docker writes them: `512m`, `4g`, `1.5 GiB`. Units are powers of 1024; no unit means bytes.
enum ByteSize {
  static func parse(_ text: String) -> Int64? {
    let trimmed = text.filter { !$0.isWhitespace }.lowercased()
    let digits = trimmed.prefix { $0.isASCII && ($0.isNumber || $0 == ".") }
    guard let number = Double(digits), number >= 0 else { return nil }
    let shift: Double
    switch trimmed.dropFirst(digits.count) {
    case "", "b": shift = 1
    case "k", "kb", "kib", "ki": shift = 1_024
    case "m", "mb", "mib", "mi": shift = 1_048_576
    case "g", "gb", "gib", "gi": shift = 1_073_741_824
    case "t", "tb", "tib", "ti": shift = 1_099_511_627_776
    default: return nil
    }
    let bytes = number * shift
    return bytes.isFinite && bytes < 9e15 ? Int64(bytes) : nil
  }

  static func text(_ bytes: Int64) -> String {
    if bytes >= 1 << 30 { return "\(ExpressionNumber.text((Double(bytes) / Double(1 << 30) * 100).rounded() / 100)) GiB" }
    return bytes >= 1 << 20 ? "\(bytes >> 20) MiB" : "\(bytes) B"
  }
}
