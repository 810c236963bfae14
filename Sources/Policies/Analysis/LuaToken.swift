/// A word of Lua source, with the bytes it takes.
struct LuaToken: Hashable {
  enum Kind: Hashable {
    case name(String)
    case keyword(Keyword)
    case symbol(Symbol)
    case text(String)
    case integer(Int64)
    case number(Double)
    case end
  }

  enum Keyword: String, CaseIterable {
    case and, `break`, `do`, `else`, elseif, end, `false`, `for`, function, goto, `if`, `in`, local, `nil`, not, or, `repeat`, `return`,
      then, `true`, until, `while`
  }

  enum Symbol: String, CaseIterable {
    case plus = "+"
    case minus = "-"
    case times = "*"
    case divide = "/"
    case floorDivide = "//"
    case modulo = "%"
    case power = "^"
    case length = "#"
    case ampersand = "&"
    case tilde = "~"
    case bar = "|"
    case shiftLeft = "<<"
    case shiftRight = ">>"
    case equal = "=="
    case notEqual = "~="
    case lessOrEqual = "<="
    case greaterOrEqual = ">="
    case less = "<"
    case greater = ">"
    case assign = "="
    case leftParenthesis = "("
    case rightParenthesis = ")"
    case leftBrace = "{"
    case rightBrace = "}"
    case leftBracket = "["
    case rightBracket = "]"
    case doubleColon = "::"
    case semicolon = ";"
    case colon = ":"
    case comma = ","
    case dot = "."
    case concatenation = ".."
    case ellipsis = "..."
  }

  var kind: Kind
  /// Bytes of the source.
  var range: Range<Int>
}

/// Source that is not Lua, or nests deeper than is looked at.
struct LuaSyntaxError: Error, Hashable, CustomStringConvertible {
  var description: String
  var range: Range<Int>
}
