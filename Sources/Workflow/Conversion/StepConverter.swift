/// Makes the steps of one job, whose ids must differ.
struct StepConverter {
  private let collector: DiagnosticCollector
  /// Whether they are an action's: that two of these share an id is found only when the action runs.
  private let isOfAction: Bool
  private var ids = IdentifierBuilder()

  /// The steps in order, those of a `parallel` in its place, each with an id.
  static func convert(_ token: TemplateToken, _ collector: DiagnosticCollector, isOfAction: Bool = false) -> [TemplateStep] {
    var converter = StepConverter(collector: collector, isOfAction: isOfAction)
    var steps = (token.items ?? []).flatMap { converter.steps(of: $0) }
    // After all that authors wrote, which come first.
    for index in steps.indices where steps[index].id == nil { steps[index].id = converter.ids.generate(from: steps[index].idSource) }
    return steps
  }

  private init(collector: DiagnosticCollector, isOfAction: Bool) {
    self.collector = collector
    self.isOfAction = isOfAction
  }

  private mutating func steps(of token: TemplateToken) -> [TemplateStep] {
    if let inner = token["parallel"]?.items { return inner.flatMap { steps(of: $0) } }
    let id = token["id"]
    if let id, let text = id.string, let complaint = ids.add(text) {
      if isOfAction, ids.contains(text) {
        collector.warning(complaint, at: id, rule: .identifier)
      } else {
        collector.error(complaint, at: id, rule: .identifier)
      }
    }
    guard let kind = kind(of: token) else { return [] }
    var step = TemplateStep(kind: kind, line: token.line, column: token.column)
    step.id = id?.string
    step.hasOwnID = id != nil
    step.name = token["name"]
    step.continueOnError = token["continue-on-error"]
    step.timeoutMinutes = token["timeout-minutes"]
    step.env = token["env"]
    step.isBackground = token["background"]?.boolean ?? false
    step.writtenCondition = token["if"]
    switch kind {
    case .run, .action:
      let condition = ConditionConverter(collector: collector, scope: [.onRunner, .stepStatus, .hashFiles])
      step.condition = token["if"].map(condition.convert) ?? ConditionConverter.success
    case .wait, .waitForAll, .cancel: break
    }
    return [step]
  }

  private func kind(of token: TemplateToken) -> TemplateStep.Kind? {
    if let script = token["run"] { return .run(script: script, workingDirectory: token["working-directory"], shell: token["shell"]) }
    if let uses = token["uses"] {
      checkFormat(of: uses)
      return .action(uses: uses, with: token["with"])
    }
    if let names = token["wait"] { return .wait(for: names.oneOrMore) }
    if token["wait-all"] != nil { return .waitForAll }
    return token["cancel"].map(TemplateStep.Kind.cancel)
  }

  private func checkFormat(of uses: TemplateToken) {
    guard let text = uses.string, !text.isEmpty, !ActionReference.isLocalOrImage(text), ActionReference(text) == nil else { return }
    collector.error(
      "Expected format {org}/{repo}[/path]@ref. Actual '\(text)'", at: uses, rule: .actionReference,
      hint: text.contains("@") ? nil : "add the version, such as '@v4' or a commit")
  }
}

extension TemplateStep {
  /// What a generated id is made of.
  fileprivate var idSource: String {
    switch kind {
    case .run: return "run"
    case .wait: return "wait"
    case .waitForAll: return "wait-all"
    case .cancel: return "cancel"
    case .action(let uses, _):
      let text = uses.authored
      if text.hasPrefix("docker://") { return String(text.dropFirst("docker://".count)) }
      if text.hasPrefix("./") || text.hasPrefix(".\\") { return "self" }
      return ActionReference(text).map { "\($0.owner)/\($0.repository)" } ?? "run"
    }
  }
}

/// `owner/repository[/path]@ref`: an action in a repository.
public struct ActionReference: Sendable, Equatable {
  public let owner: String
  public let repository: String
  /// Below the repository's root; empty where the action is at the root.
  public let path: String
  public let ref: String

  /// Nil for a path, an image, or what has no such form.
  public init?(_ text: String) {
    // An accent on the `@` makes it another character, so bytes are looked at only where all are characters.
    let isASCII = text.utf8.allSatisfy { $0 < 0x80 }
    let halves =
      isASCII
      ? text.utf8.split(separator: UInt8(ascii: "@"), omittingEmptySubsequences: false).map { Substring($0) }
      : text.split(separator: "@", omittingEmptySubsequences: false)
    guard halves.count == 2, !halves[1].isEmpty, !Self.isLocalOrImage(text) else { return nil }
    let parts =
      isASCII
      ? halves[0].utf8.split { $0 == UInt8(ascii: "/") || $0 == UInt8(ascii: "\\") }.map { Substring($0) }
      : halves[0].split { $0 == "/" || $0 == "\\" }
    guard parts.count >= 2 else { return nil }
    owner = String(parts[0])
    repository = String(parts[1])
    path = parts.count > 2 ? parts.dropFirst(2).joined(separator: "/") : ""
    ref = String(halves[1])
  }

  /// Whether the ref is a whole commit, which nobody can move.
  public var isPinned: Bool { (ref.utf8.count == 40 || ref.utf8.count == 64) && ref.utf8.allSatisfy { Self.isHexadecimal($0) } }

  private static func isHexadecimal(_ byte: UInt8) -> Bool {
    (0x30...0x39).contains(byte) || (0x61...0x66).contains(byte) || (0x41...0x46).contains(byte)
  }

  static func isLocalOrImage(_ text: String) -> Bool { text.hasPrefix("docker://") || text.hasPrefix("./") || text.hasPrefix(".\\") }
}
