/// The LuaLS annotations of what policies see, return and use, from which editors complete. Generated from the schema; kept in
/// `policies/types/runnerhub.lua`.
package enum PolicyTypes {
  /// The whole file.
  package static var annotations: String {
    let lines =
      [
        "---@meta",
        "-- What policies see, return and use, version \(PolicyInput.version). Generated from the host's schema: do not edit.",
        "",
        "--- Labels in lower case, sorted. `labels:has(\"Linux\")` compares without case; `ipairs` and `#` work as on any list.",
        "---@class Labels",
        "---@field [integer] string",
        "---@field has fun(self: Labels, label: string): boolean",
      ] + PolicyInput.kinds.flatMap(of) + PolicyFile.allCases.flatMap(of)
      + ["", "--- \(PolicyFunctions.data.doc)", "---@type \(PolicyFunctions.data.type)", "\(PolicyFunctions.data.name) = {}"]
      + PolicyFunctions.sandbox.flatMap(of) + ["", "-- In _test.lua files only."] + expectation + PolicyFunctions.harness.flatMap(of)
    return lines.joined(separator: "\n") + "\n"
  }

  private static func of(_ kind: PolicyKindDescription) -> [String] {
    ["", "--- \(kind.doc)", "---@class \(PolicyType.object(kind.name).annotation)"]
      + kind.fields.map { field in
        if case .optional(let inner) = field.type { return "---@field \(field.name)? \(inner.annotation) \(field.doc)" }
        return "---@field \(field.name) \(field.type.annotation) \(field.doc)"
      }
  }

  private static func of(_ file: PolicyFile) -> [String] {
    let (className, doc, functions) = PolicyFunctions.of(file)
    return ["", "--- \(doc)", "---@class \(className)", "---@field api \(PolicyInput.version)"]
      + functions.map { "---@field \($0.name)\($0.isOptional ? "?" : "") \($0.annotation) \($0.doc)" }
  }

  private static func of(_ function: PolicyFunction) -> [String] {
    ["", "--- \(function.doc)"] + function.parameters.map { annotation("param", $0.name, $0.type, $0.doc) }
      + function.results.map { annotation("return", $0.type, $0.name, $0.doc) } + ["function \(function.signature) end"]
  }

  /// `table?` of a parameter is written `given? table`.
  private static func annotation(_ tag: String, _ first: String, _ second: String, _ doc: String) -> String {
    let isOptional = tag == "param" && second.hasSuffix("?")
    let text = isOptional ? "---@\(tag) \(first)? \(second.dropLast())" : "---@\(tag) \(first) \(second)"
    return doc.isEmpty ? text : "\(text) \(doc)"
  }

  private static let expectation = [
    "", "---@class Expectation",
    "---@field equals fun(wanted: any) Equal, tables by content.",
    "---@field contains fun(part: string) A text that contains another.",
    "---@field between fun(low: number, high: number) A number within bounds.",
    "---@field fails fun(part?: string) A function that raises an error, with this text in it.",
  ]
}
