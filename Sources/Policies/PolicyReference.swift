/// `docs/policy-reference.md`: the same schema as the annotations, for people.
package enum PolicyReference {
  /// The whole page.
  package static var page: String {
    var lines = [
      "# What policies see, return and use",
      "",
      "Version \(PolicyInput.version): the `api` that a policy file names. Generated from the host's schema (`RUNNERHUB_WRITE_TYPES=1 swift test "
        + "--filter PoliciesTests`); the same stands, for editors, in `policies/types/runnerhub.lua`. How to write, try and change policies is in",
      "[the guide](policy-guide.md).",
      "",
      "A new version of RunnerHub may add fields. A field changes its meaning or goes only together with `api`.",
      "",
      "## Functions",
    ]
    for file in PolicyFile.allCases {
      let (_, doc, functions) = PolicyFunctions.of(file)
      lines += ["", "### `\(file.fileName)`", doc]
      for function in functions {
        lines += ["", "**`\(function.signature)`**\(function.isOptional ? " (if you like)" : "") \(function.doc)"]
        lines += ["", "| Returns | Type | |", "|---|---|---|"]
        lines += function.results.map { "| \($0.name) | `\(cell($0.type))` | \(cell($0.doc)) |" }
      }
    }
    lines += [
      "",
      "An answer of another shape or range is an error of that call: the built-in rule answers in its place, and the decision shows the value "
        + "and what was expected. A reason",
      "is never an error as long as it is a text: control characters in it become blanks, since it often repeats names that others chose.",
      "",
      "## Inputs",
      "Read-only tables. An unknown field is an error with a suggestion; an optional one (`?`) that has no value is nil. Labels are a set without "
        + "case: `labels:has(\"Linux\")`.",
    ]
    for kind in PolicyInput.kinds {
      lines += ["", "### \(PolicyType.object(kind.name).annotation)", kind.doc, "", "| Field | Type | |", "|---|---|---|"]
      lines += kind.fields.map { "| `\($0.name)` | `\(cell($0.type.annotation))` | \(cell($0.doc)) |" }
    }
    lines += [
      "",
      "## What a policy can use",
      "`math`, `string`, `table`, `utf8` and Lua's basic functions, without files, clock, `load`, coroutines and global variables. `pairs` goes "
        + "in sorted order, and `math.random` starts alike in each call: the same input gives the same answer. Beside them:",
      "", "| | |", "|---|---|", "| `\(PolicyFunctions.data.name)` | \(cell(PolicyFunctions.data.doc)) |",
    ]
    lines += PolicyFunctions.sandbox.map { "| `\($0.signature)` | \(cell($0.doc)) |" }
    lines += ["", "In `_test.lua` files also:", "", "| | |", "|---|---|"]
    lines += PolicyFunctions.harness.map { "| `\($0.signature)` | \(cell($0.doc)) |" }
    return lines.joined(separator: "\n") + "\n"
  }

  private static func cell(_ text: String) -> String { text.replacing("|", with: "\\|") }
}
