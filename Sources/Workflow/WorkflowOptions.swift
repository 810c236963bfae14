/// How a workflow is read, where GitHub's own rules leave a choice or the reader knows more than the file.
public struct WorkflowOptions: Sendable {
  /// Texts of reusable workflows, by the reference that `uses` names them with. Calls of others are not followed.
  public var calledWorkflows: [String: String]
  /// Whether `./…` in a file of another repository is looked for as `OWNER/REPOSITORY/…@REF` of that repository, as ``WorkflowReference``
  /// resolves it. GitHub's conformance cases name each file as it stands in `uses`.
  public var resolvesReferences: Bool
  /// What a token may do where nothing is said; nil where that is not known, and calls are not checked against it.
  public var permissionPolicy: Permissions.Policy?
  /// Levels of calls; GitHub allows ten.
  public var maximumCallDepth: Int
  /// Jobs over all files, a matrix counted once.
  public var maximumJobs: Int
  /// Levels of collections.
  public var maximumDepth: Int
  /// UTF-16 units of one file.
  public var maximumLength: Int
  /// What the values of all files may take, in bytes as GitHub's service counts them.
  public var maximumResultSize: Int
  /// Whether the files of a run are numbered by their names, as when a part of it is run again.
  public var sortsFiles: Bool
  /// Whether triggers are held against GitHub's grammar, as they are when a file is pushed; the part of the service that plans jobs does not.
  public var checksTriggers: Bool

  public init(
    calledWorkflows: [String: String] = [:], resolvesReferences: Bool = false, permissionPolicy: Permissions.Policy? = nil,
    maximumCallDepth: Int = 10,
    maximumJobs: Int = 10_000, maximumDepth: Int = WorkflowFile.maximumDepth, maximumLength: Int = WorkflowFile.maximumLength,
    maximumResultSize: Int = 10_485_760, sortsFiles: Bool = false, checksTriggers: Bool = true
  ) {
    self.calledWorkflows = calledWorkflows
    self.resolvesReferences = resolvesReferences
    self.permissionPolicy = permissionPolicy
    self.maximumCallDepth = maximumCallDepth
    self.maximumJobs = maximumJobs
    self.maximumDepth = maximumDepth
    self.maximumLength = maximumLength
    self.maximumResultSize = maximumResultSize
    self.sortsFiles = sortsFiles
    self.checksTriggers = checksTriggers
  }
}
