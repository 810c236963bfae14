/// What a host offers and forbids, as far as a workflow can be held against it. Without any, only the file itself is looked at.
public struct HostFacts: Sendable {
  /// What one kind of runner can ever give.
  public struct Offer: Sendable, Equatable {
    public let name: String
    /// A job that asks for no others is served.
    public let labels: [String]
    public let milliCPUs: Int?
    public let memoryBytes: Int64?
    public let gpus: Int?

    public init(name: String, labels: [String], milliCPUs: Int? = nil, memoryBytes: Int64? = nil, gpus: Int? = nil) {
      self.name = name
      self.labels = labels
      self.milliCPUs = milliCPUs
      self.memoryBytes = memoryBytes
      self.gpus = gpus
    }
  }

  /// Nil where every image is approved.
  public var allowedImages: ImageAllowList?
  /// Empty where they are not known.
  public var offers: [Offer]
  /// Labels of jobs that the host leaves to others, such as `ubuntu-latest`.
  public var foreignLabels: [String]

  public init(allowedImages: ImageAllowList? = nil, offers: [Offer] = [], foreignLabels: [String] = []) {
    self.allowedImages = allowedImages
    self.offers = offers
    self.foreignLabels = foreignLabels
  }
}
