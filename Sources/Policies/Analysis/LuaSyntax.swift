/// The tree of a Lua file. Every node knows the bytes that it takes.
struct LuaExpression {
  indirect enum Kind {
    case none, vararg
    case bool(Bool)
    case integer(Int64)
    case number(Double)
    case text(String)
    case name(LuaName)
    /// `base.name`, and `base["name"]`.
    case field(base: LuaExpression, name: LuaName)
    case index(base: LuaExpression, key: LuaExpression)
    case call(LuaExpression, arguments: [LuaExpression])
    case method(base: LuaExpression, name: LuaName, arguments: [LuaExpression])
    case function(LuaFunction)
    case binary(LuaToken.Symbol, LuaExpression, LuaExpression)
    case and(LuaExpression, LuaExpression)
    case or(LuaExpression, LuaExpression)
    case unary(LuaExpression)
    case not(LuaExpression)
    case table([LuaTableItem])
    case parentheses(LuaExpression)
  }
  var kind: Kind
  var range: Range<Int>
  /// Levels of expressions below and including this one.
  var height = 1
}

extension LuaExpression.Kind {
  var tallestChild: Int {
    switch self {
    case .none, .vararg, .bool, .integer, .number, .text, .name: 0
    case .field(let base, _): base.height
    case .index(let base, let key): max(base.height, key.height)
    case .call(let callee, let arguments): arguments.reduce(callee.height) { max($0, $1.height) }
    case .method(let base, _, let arguments): arguments.reduce(base.height) { max($0, $1.height) }
    case .function(let function): function.height
    case .binary(_, let left, let right), .and(let left, let right), .or(let left, let right): max(left.height, right.height)
    case .unary(let operand), .not(let operand), .parentheses(let operand): operand.height
    case .table(let items):
      items.reduce(0) { height, item in
        if case .computed(let key) = item.key { max(height, key.height, item.value.height) } else { max(height, item.value.height) }
      }
    }
  }
}

struct LuaName: Hashable {
  var text: String
  var range: Range<Int>
}

struct LuaTableItem {
  enum Key {
    case position
    case name(LuaName)
    case computed(LuaExpression)
  }
  var key: Key
  var value: LuaExpression
}

struct LuaFunction {
  /// With `self` where it was written with a colon.
  var parameters: [LuaName]
  var isVariadic: Bool
  var body: [LuaStatement]
  var range: Range<Int>
  /// Of the tallest expression in its body.
  var height = 0
}

struct LuaStatement {
  indirect enum Kind {
    case local([LuaName], values: [LuaExpression])
    case assign([LuaExpression], values: [LuaExpression])
    case call(LuaExpression)
    case block([LuaStatement])
    case loop(condition: LuaExpression, body: [LuaStatement])
    /// The condition sees the body's locals.
    case repeatUntil(body: [LuaStatement], condition: LuaExpression)
    case branch([LuaBranch], otherwise: [LuaStatement])
    case numericFor(LuaName, bounds: [LuaExpression], body: [LuaStatement])
    case genericFor([LuaName], values: [LuaExpression], body: [LuaStatement])
    /// `function a.b.c() … end`; a name, or fields of one.
    case function(LuaExpression, LuaFunction)
    case localFunction(LuaName, LuaFunction)
    case returns([LuaExpression])
    case jump
  }
  var kind: Kind
  var range: Range<Int>
}

struct LuaBranch {
  var condition: LuaExpression
  var body: [LuaStatement]
}

/// One file.
struct LuaChunk {
  var body: [LuaStatement]
  var annotations: [LuaLexer.Annotation]
}
