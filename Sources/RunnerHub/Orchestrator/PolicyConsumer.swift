/// One consumer's own policy engine, renewed when another bundle becomes active. No decision waits for a reload.
package struct PolicyConsumer {
  private let source: any PolicySource
  private var bundle: String
  private var current: any PolicyEngine

  package init(source: any PolicySource) {
    self.source = source
    bundle = source.activeBundle
    current = source.makeEngine()
  }

  /// The engine of the bundle that is active now.
  package mutating func engine() -> any PolicyEngine {
    let active = source.activeBundle
    if active != bundle {
      bundle = active
      current = source.makeEngine()
    }
    return current
  }
}
