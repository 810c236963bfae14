/// The grammar of `steps`: `steps-item` of `workflow-v1.0.json`.
enum StepGrammar {
  static let steps = Grammar.sequence(of: step)

  private static let step: Grammar = .oneOf(
    .mapping(
      [
        "name": name, "id": id, "if": condition, "timeout-minutes": minutes, "run": text, "continue-on-error": continueOnError,
        "env": texts,
        "working-directory": text, "shell": .nonEmptyString, "background": .boolean,
      ], required: ["run"]),
    .mapping(
      [
        "name": name, "id": id, "if": condition, "continue-on-error": continueOnError, "timeout-minutes": minutes, "uses": .nonEmptyString,
        "with": texts, "env": texts, "background": .boolean,
      ], required: ["uses"]),
    .mapping(
      ["name": name, "id": id, "continue-on-error": continueOnError, "wait": .oneOrMore(.nonEmptyString)], required: ["wait"]),
    .mapping(
      ["name": name, "id": id, "continue-on-error": continueOnError, "wait-all": .oneOf(.null, .boolean)], required: ["wait-all"]),
    .mapping(["name": name, "id": id, "continue-on-error": continueOnError, "cancel": .nonEmptyString], required: ["cancel"]),
    .mapping(["parallel": .sequence(ofLater: { step })], required: ["parallel"]))

  private static let text = Grammar.string.allowing(.inSteps)
  private static let name = text
  private static let id = Grammar.nonEmptyString
  private static let texts = Grammar.mapping(any: .string).allowing(.inSteps)
  private static let minutes = Grammar.number.allowing(.inSteps)
  private static let continueOnError = Grammar.boolean.allowing(.inSteps)
  private static let condition = Grammar.string.allowing([.onRunner, .stepStatus, .hashFiles])
}
