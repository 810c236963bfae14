/// The grammar of an action's metadata (`action.yml`): `action-root-strict` of `action-v1.0.json`.
enum ActionGrammar {
  static let root = Grammar.mapping(
    [
      "name": .nonEmptyString, "description": .string, "author": .string,
      "inputs": .mapping(
        any: .mapping(
          ["description": .string, "required": .boolean, "default": inputDefault, "deprecationMessage": .string], any: .any)),
      "outputs": .mapping(any: .mapping(["description": .string, "value": outputValue])),
      "runs": .oneOf(docker, javaScript, composite),
      "branding": .mapping(["icon": .constants(BrandingIcons.all), "color": .constants(colors)]),
    ], required: ["name", "description", "runs"])

  private static let using = Grammar.constants("docker", "node12", "node16", "node20", "node24", "composite")
  private static let colors = ["white", "yellow", "blue", "green", "orange", "red", "purple", "gray-dark"]

  private static let onRunner: ExpressionScope = [.github, .strategy, .matrix, .job, .runner]
  private static let inSteps: ExpressionScope = [onRunner, .inputs, .steps, .env, .hashFiles]

  private static let inputDefault = Grammar.string.allowing([onRunner, .hashFiles])
  private static let outputValue = Grammar.string.allowing([onRunner, .steps, .inputs, .env])
  private static let condition = Grammar.string.allowing([onRunner, .env, .inputs, .stepStatus, .hashFiles])

  private static let docker = Grammar.mapping(
    [
      "using": using, "image": .nonEmptyString, "entrypoint": .nonEmptyString, "args": .sequence(of: .string.allowing(.inputs)),
      "env": .mapping(any: .string).allowing(.inputs), "pre-entrypoint": .nonEmptyString, "pre-if": condition,
      "post-entrypoint": .nonEmptyString, "post-if": condition,
    ], required: ["using", "image"])

  private static let javaScript = Grammar.mapping(
    ["using": using, "main": .nonEmptyString, "pre": .nonEmptyString, "pre-if": condition, "post": .nonEmptyString, "post-if": condition],
    required: ["using", "main"])

  private static let composite = Grammar.mapping(["using": using, "steps": .sequence(of: step)], required: ["using", "steps"])

  private static let step = Grammar.oneOf(
    .mapping(
      [
        "name": text, "id": .nonEmptyString, "if": stepCondition, "run": text, "shell": text, "env": texts, "continue-on-error": flag,
        "working-directory": text,
      ], required: ["run", "shell"]),
    .mapping(
      [
        "name": text, "id": .nonEmptyString, "if": stepCondition, "uses": .nonEmptyString, "with": texts, "env": texts,
        "continue-on-error": flag,
      ], required: ["uses"]))

  private static let text = Grammar.string.allowing(inSteps)
  private static let texts = Grammar.mapping(any: .string).allowing(inSteps)
  private static let flag = Grammar.boolean.allowing(inSteps)
  private static let stepCondition = Grammar.string.allowing([inSteps, .stepStatus])
}
