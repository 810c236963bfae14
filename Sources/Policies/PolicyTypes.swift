/// The LuaLS annotations of what policies see and return, from which editors complete. Generated from the schema; kept in
/// `policies/types/runnerhub.lua`.
package enum PolicyTypes {
  /// The whole file.
  package static var annotations: String {
    var lines = [
      "---@meta",
      "-- What policies see and return, version \(PolicyInput.version). Generated from the host's schema: do not edit.",
      "",
      "--- Labels in lower case, sorted. `labels:has(\"Linux\")` compares without case; `ipairs` and `#` work as on any list.",
      "---@class Labels",
      "---@field [integer] string",
      "---@field has fun(self: Labels, label: string): boolean",
    ]
    for kind in PolicyInput.kinds {
      lines += ["", "--- \(kind.doc)", "---@class \(PolicyType.object(kind.name).annotation)"]
      for field in kind.fields {
        var name = field.name
        var type = field.type
        if case .optional(let inner) = type {
          name += "?"
          type = inner
        }
        lines.append("---@field \(name) \(type.annotation) \(field.doc)")
      }
    }
    return (lines + [answers]).joined(separator: "\n")
  }

  private static let answers = #"""

    ---@class Routing
    ---@field api 1
    ---@field route fun(job: Job, fleet: Fleet): "orchestrator"|"traditional", string?

    ---@class PriorityPolicy
    ---@field api 1
    ---@field prioritise fun(job: Job, fleet: Fleet): "CRITICAL"|"HIGH"|"NORMAL"|"LOW", string?

    ---@class Affinity
    ---@field api 1
    ---@field filter? fun(job: Job, container: Container): boolean, string?
    ---@field score fun(job: Job, container: Container): number, string?
    ---@field strategy? fun(job: Job): "round-robin"|"least-loaded"|"resource-aware"|"affinity"|nil

    ---@class Scaling
    ---@field api 1
    ---@field scale fun(pool: Pool, fleet: Fleet): integer, string?

    -- In _test.lua files only.

    ---@class Expectation
    ---@field equals fun(wanted: any) Equal, tables by content.
    ---@field contains fun(part: string) A text that contains another.
    ---@field between fun(low: number, high: number) A number within bounds.
    ---@field fails fun(part?: string) A function that raises an error, with this text in it.

    ---@param name string
    ---@param body fun()
    function test(name, body) end

    ---@param value any
    ---@return Expectation
    function expect(value) end

    ---@param given? table Fields that matter for the test; the others are filled.
    ---@return Job
    function job(given) end

    ---@param given? table
    ---@return Pool
    function pool(given) end

    ---@param given? table
    ---@return Fleet
    function fleet(given) end

    ---@param given? table
    ---@return Container
    function container(given) end

    """#
}
