import Domain

/// Fulfils an operator's wishes for plugins: who asked for what is a committed row before anything happens, and one that was disabled stays so when
/// RunnerHub starts again.
package struct PluginDesk: Sendable {
  private static let key = "plugins-disabled"

  package let control: any PluginControl
  private let transactor: Transactor

  package init(control: any PluginControl, transactor: Transactor) {
    self.control = control
    self.transactor = transactor
  }

  /// Names of the plugins that are disabled by an operator's wish.
  package static func disabled(in store: some ForgeMemory) async throws(StoreError) -> Set<String> {
    Set((try await store.value(forKey: key) ?? "").split(separator: ",").map(String.init))
  }

  package func fulfil(_ wish: PluginWish, of name: String, actor: String) async throws(PluginWishError) -> PluginStatus {
    if let objection = control.objection(to: wish, of: name) { throw objection }
    do {
      try await transactor.transact(.pluginSteered) { (unit) throws(StoreError) in
        var disabled = try await Self.disabled(in: transactor.store)
        switch wish {
        case .enable: disabled.remove(name)
        case .disable: disabled.insert(name)
        case .restart: break
        }
        unit.additions.memory[Self.key] = disabled.sorted().joined(separator: ",")
        unit.additions.audit.append(AuditEvent(at: unit.now, actor: actor, action: "plugin-\(wish.rawValue)", detail: name))
      }
    } catch {
      throw .unavailable("nothing is changed, since the store does not answer: \(error)")
    }
    return try await control.fulfil(wish, of: name)
  }
}
