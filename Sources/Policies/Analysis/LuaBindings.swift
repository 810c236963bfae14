/// Which declaration each name of a file means, and how often each is read and written.
struct LuaBindings {
  struct Binding {
    enum Kind { case local, function, parameter, loop }
    var name: LuaName
    var kind: Kind
    /// Besides the declaration.
    var writes = 0
    var reads = 0
  }

  private(set) var bindings: [Binding] = []
  /// First byte of a name, where it is used or declared → its binding. Names that are not here are global.
  private(set) var resolved: [Int: Int] = [:]
  private var scopes: [[String: Int]] = [[:]]

  init(_ chunk: LuaChunk) { visit(chunk.body) }

  func binding(of name: LuaName) -> Binding? { resolved[name.range.lowerBound].map { bindings[$0] } }
  func index(of name: LuaName) -> Int? { resolved[name.range.lowerBound] }

  private mutating func declare(_ name: LuaName, _ kind: Binding.Kind) {
    bindings.append(Binding(name: name, kind: kind))
    scopes[scopes.count - 1][name.text] = bindings.count - 1
    resolved[name.range.lowerBound] = bindings.count - 1
  }

  private func lookUp(_ name: String) -> Int? {
    for scope in scopes.reversed() { if let found = scope[name] { return found } }
    return nil
  }

  private mutating func read(_ name: LuaName) {
    guard let found = lookUp(name.text) else { return }
    bindings[found].reads += 1
    resolved[name.range.lowerBound] = found
  }

  private mutating func write(_ name: LuaName) {
    guard let found = lookUp(name.text) else { return }
    bindings[found].writes += 1
    resolved[name.range.lowerBound] = found
  }

  private mutating func scoped(_ body: (inout LuaBindings) -> Void) {
    scopes.append([:])
    body(&self)
    scopes.removeLast()
  }

  private mutating func visit(_ statements: [LuaStatement]) {
    for statement in statements { visit(statement) }
  }

  private mutating func visit(_ statement: LuaStatement) {
    switch statement.kind {
    case .local(let names, let values):
      visit(values)
      for name in names { declare(name, .local) }
    case .assign(let targets, let values):
      visit(values)
      for target in targets {
        if case .name(let name) = target.kind { write(name) } else { visit(target) }
      }
    case .call(let call): visit(call)
    case .block(let body): scoped { $0.visit(body) }
    case .loop(let condition, let body):
      visit(condition)
      scoped { $0.visit(body) }
    case .repeatUntil(let body, let condition):
      scoped {
        $0.visit(body)
        $0.visit(condition)
      }
    case .branch(let branches, let otherwise):
      for branch in branches {
        visit(branch.condition)
        scoped { $0.visit(branch.body) }
      }
      scoped { $0.visit(otherwise) }
    case .numericFor(let name, let bounds, let body):
      visit(bounds)
      scoped {
        $0.declare(name, .loop)
        $0.visit(body)
      }
    case .genericFor(let names, let values, let body):
      visit(values)
      scoped {
        for name in names { $0.declare(name, .loop) }
        $0.visit(body)
      }
    case .function(let target, let function):
      if case .name(let name) = target.kind { write(name) } else { visit(target) }
      visit(function)
    case .localFunction(let name, let function):
      declare(name, .function)
      visit(function)
    case .returns(let values): visit(values)
    case .jump: break
    }
  }

  private mutating func visit(_ function: LuaFunction) {
    scoped {
      for parameter in function.parameters { $0.declare(parameter, .parameter) }
      $0.visit(function.body)
    }
  }

  private mutating func visit(_ expressions: [LuaExpression]) {
    for expression in expressions { visit(expression) }
  }

  private mutating func visit(_ expression: LuaExpression) {
    switch expression.kind {
    case .none, .vararg, .bool, .integer, .number, .text: break
    case .name(let name): read(name)
    case .field(let base, _): visit(base)
    case .index(let base, let key):
      visit(base)
      visit(key)
    case .call(let callee, let arguments):
      visit(callee)
      visit(arguments)
    case .method(let base, _, let arguments):
      visit(base)
      visit(arguments)
    case .function(let function): visit(function)
    case .binary(_, let left, let right), .and(let left, let right), .or(let left, let right):
      visit(left)
      visit(right)
    case .unary(let operand), .not(let operand), .parentheses(let operand): visit(operand)
    case .table(let items):
      for item in items {
        if case .computed(let key) = item.key { visit(key) }
        visit(item.value)
      }
    }
  }
}
