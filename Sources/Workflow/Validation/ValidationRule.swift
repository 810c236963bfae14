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
}
