/// Everything that a finding can be about. The raw value is its code: it stands in reports and in the configuration.
public enum ValidationRule: String, Sendable, CaseIterable, Comparable {
  // What GitHub refuses a file for; these cannot be switched off, because GitHub does not run such a file either.
  case yaml
  case limits
  case unknownKey = "unknown-key"
  case missingProperty = "missing-property"
  case unexpectedValue = "unexpected-value"
  case duplicateKey = "duplicate-key"
  case expression
  case expressionNotAllowed = "expression-not-allowed"
  case identifier
  case needs
  case matrix
  case concurrency
  case trigger
  case cron
  case inputType = "input-type"
  case actionReference = "action-reference"
  case calledWorkflow = "called-workflow"
  case permissions
  case containerImage = "container-image"
  case runnerGroup = "runner-group"

  // Container images.
  case imageName = "image-name"
  case imageTag = "image-tag"
  case imagePlatform = "image-platform"

  // Resources.
  case labelConflict = "label-conflict"
  case unservedLabels = "unserved-labels"
  case oversizedRequest = "oversized-request"
  case resourceRequest = "resource-request"

  // Steps.
  case unknownProperty = "unknown-property"
  case valueType = "value-type"
  case constantCondition = "constant-condition"
  case shell
  case environmentName = "environment-name"
  case filterPattern = "filter-pattern"
  case triggerUse = "trigger-use"
  case matrixUse = "matrix-use"
  case stepControl = "step-control"

  // Security.
  case imageRegistry = "image-registry"
  case unpinnedAction = "unpinned-action"
  case headCheckout = "head-checkout"
  case scriptInjection = "script-injection"
  case widePermissions = "wide-permissions"
  case privilegedContainer = "privileged-container"
  case printedSecret = "printed-secret"

  public static func < (left: ValidationRule, right: ValidationRule) -> Bool { left.rawValue < right.rawValue }

  /// The founding document's five kinds of validation.
  public enum Category: String, Sendable, CaseIterable {
    case requiredFields = "required-fields"
    case containerImages = "container-images"
    case resources
    case steps
    case security
  }

  public var category: Category {
    switch self {
    case .yaml, .limits, .unknownKey, .missingProperty, .unexpectedValue, .duplicateKey, .trigger, .cron, .concurrency: .requiredFields
    case .containerImage, .imageName, .imageTag, .imagePlatform: .containerImages
    case .runnerGroup, .labelConflict, .unservedLabels, .oversizedRequest, .resourceRequest: .resources
    case .expression, .expressionNotAllowed, .identifier, .needs, .matrix, .inputType, .actionReference, .calledWorkflow, .unknownProperty,
      .valueType, .constantCondition, .shell, .environmentName, .filterPattern, .triggerUse, .matrixUse, .stepControl:
      .steps
    case .permissions, .imageRegistry, .unpinnedAction, .headCheckout, .scriptInjection, .widePermissions, .privilegedContainer,
      .printedSecret:
      .security
    }
  }

  /// Whether GitHub itself refuses a file for it.
  public var isGitHubs: Bool {
    switch self {
    case .yaml, .limits, .unknownKey, .missingProperty, .unexpectedValue, .duplicateKey, .expression, .expressionNotAllowed, .identifier,
      .needs, .matrix, .concurrency, .trigger, .cron, .inputType, .actionReference, .calledWorkflow, .permissions, .containerImage,
      .runnerGroup:
      true
    default: false
    }
  }

  /// How grave a finding is where the configuration says nothing else.
  public var severity: Diagnostic.Severity {
    switch self {
    // The host itself refuses these jobs, or nothing could ever run them.
    case .imageRegistry, .unservedLabels, .oversizedRequest: .error
    default: isGitHubs ? .error : .warning
    }
  }

  /// What its findings are about, in a sentence; empty for what GitHub itself refuses.
  public var summary: String {
    switch self {
    case .imageName: "A text that is no image reference."
    case .imageTag: "An image without a tag, or with `latest`."
    case .imagePlatform: "A container on Windows or macOS, or a platform that is not Linux."
    case .labelConflict: "Labels of two systems at once."
    case .unservedLabels: "Labels that no pool has."
    case .oversizedRequest: "A request that is more than any pool can give."
    case .resourceRequest: "A request that cannot be understood."
    case .unknownProperty: "A property of `needs`, `steps`, `matrix` or `inputs` that the file does not define."
    case .valueType: "A property of a plain value, a collection in a text, or broken JSON."
    case .constantCondition: "An `if` that is always the same."
    case .shell: "An unknown shell."
    case .environmentName: "A name of an environment variable that is none."
    case .filterPattern: "A filter's pattern that matches nothing, or not what it seems to."
    case .triggerUse: "A filter that its event ignores, or a schedule under five minutes."
    case .matrixUse: "An `exclude` that matches nothing, or a value twice."
    case .stepControl: "A wait for a step, or an end of one, that does nothing."
    case .imageRegistry: "An image that the host does not approve."
    case .unpinnedAction: "An action by tag or branch instead of a commit."
    case .headCheckout: "A stranger's code checked out with secrets at hand."
    case .scriptInjection: "A text of strangers inside a script."
    case .widePermissions: "`write-all`."
    case .privilegedContainer: "Options or volumes of a container that open the host."
    case .printedSecret: "A secret that is written to the log."
    default: ""
    }
  }
}
