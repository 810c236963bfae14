extension LuaChunk {
  /// Bytes of every function of the file.
  var functions: [Range<Int>] {
    var collector = FunctionCollector()
    collector.visit(body)
    return collector.found
  }
}

private struct FunctionCollector {
  var found: [Range<Int>] = []

  mutating func visit(_ statements: [LuaStatement]) {
    for statement in statements {
      switch statement.kind {
      case .local(_, let values), .returns(let values): visit(values)
      case .assign(let targets, let values): visit(targets + values)
      case .call(let call): visit([call])
      case .block(let body): visit(body)
      case .loop(let condition, let body), .repeatUntil(let body, let condition):
        visit([condition])
        visit(body)
      case .branch(let branches, let otherwise):
        for branch in branches {
          visit([branch.condition])
          visit(branch.body)
        }
        visit(otherwise)
      case .numericFor(_, let values, let body), .genericFor(_, let values, let body):
        visit(values)
        visit(body)
      case .function(_, let function), .localFunction(_, let function): visit(function)
      case .jump: continue
      }
    }
  }

  private mutating func visit(_ function: LuaFunction) {
    found.append(function.range)
    visit(function.body)
  }

  private mutating func visit(_ expressions: [LuaExpression]) {
    for expression in expressions {
      switch expression.kind {
      case .none, .vararg, .bool, .integer, .number, .text, .name: continue
      case .function(let function): visit(function)
      case .field(let base, _): visit([base])
      case .index(let base, let key): visit([base, key])
      case .call(let callee, let arguments): visit([callee] + arguments)
      case .method(let base, _, let arguments): visit([base] + arguments)
      case .binary(_, let left, let right), .and(let left, let right), .or(let left, let right): visit([left, right])
      case .unary(let operand), .not(let operand), .parentheses(let operand): visit([operand])
      case .table(let items):
        for item in items {
          if case .computed(let key) = item.key { visit([key]) }
          visit([item.value])
        }
      }
    }
  }
}
