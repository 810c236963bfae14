import Foundation
import Testing

@testable import Policies

/// The tree as text, in the manner of Lisp.
private func draw(_ expression: LuaExpression) -> String {
  func list(_ parts: [LuaExpression]) -> String { parts.map(draw).joined(separator: " ") }
  return switch expression.kind {
  case .none: "nil"
  case .vararg: "..."
  case .bool(let value): "\(value)"
  case .integer(let value): "\(value)"
  case .number(let value): "\(value)"
  case .text(let text): "'\(text)'"
  case .name(let name): name.text
  case .field(let base, let name): "\(draw(base)).\(name.text)"
  case .index(let base, let key): "\(draw(base))[\(draw(key))]"
  case .call(let callee, let arguments): "(call \(draw(callee))\(arguments.isEmpty ? "" : " ")\(list(arguments)))"
  case .method(let base, let name, let arguments): "(\(draw(base)):\(name.text)\(arguments.isEmpty ? "" : " ")\(list(arguments)))"
  case .function(let function): "(function \(function.parameters.map(\.text)))"
  case .binary(let symbol, let left, let right): "(\(symbol.rawValue) \(draw(left)) \(draw(right)))"
  case .and(let left, let right): "(and \(draw(left)) \(draw(right)))"
  case .or(let left, let right): "(or \(draw(left)) \(draw(right)))"
  case .unary(let operand): "(- \(draw(operand)))"
  case .not(let operand): "(not \(draw(operand)))"
  case .table(let items): "{\(items.map { draw($0.value) }.joined(separator: " "))}"
  case .parentheses(let inner): draw(inner)
  }
}

@Suite("The reading of Lua")
struct LuaParserTests {
  private static let expressions: [(String, String)] = [
    ("1 + 2 * 3", "(+ 1 (* 2 3))"), ("(1 + 2) * 3", "(* (+ 1 2) 3)"), ("1 - 2 - 3", "(- (- 1 2) 3)"), ("2 ^ 3 ^ 2", "(^ 2 (^ 3 2))"),
    ("-2 ^ 2", "(- (^ 2 2))"), ("a .. b .. c", "(.. a (.. b c))"), ("not a == b", "(== (not a) b)"),
    ("a or b and c", "(or a (and b c))"), ("a < b == c", "(== (< a b) c)"), ("1 << 2 + 3", "(<< 1 (+ 2 3))"),
    ("a & b | c ~ d", "(| (& a b) (~ c d))"), ("f(1)(2).x:y 'z' [3]", "((call (call f 1) 2).x:y 'z')[3]"),
    ("f{1, 2; 3}", "(call f {1 2 3})"),
    ("{ a = 1, ['b'] = 2, [3] = 4, 5 }", "{1 2 4 5}"), ("a['b'].c", "a.b.c"), ("function(a, ...) end", "(function [\"a\"])"),
    ("-1", "-1"), ("- -1", "1"), ("#a", "(- a)"), ("~1", "(- 1)"), ("7 // 2 % 3", "(% (// 7 2) 3)"), ("a ~= b", "(~= a b)"), ("...", "..."),
  ]

  @Test("operators bind as the manual says", arguments: expressions)
  func expression(source: String, tree: String) throws {
    let chunk = try LuaParser.parse(Array("return \(source)".utf8))
    guard case .returns(let values)? = chunk.body.first?.kind else { Issue.record("no return"); return }
    #expect(draw(values[0]) == tree)
    #expect(values[0].range == 7..<7 + source.utf8.count)
  }

  private static let literals: [(String, String)] = [
    ("0x10", "16"), ("0xffffffffffffffff", "-1"), ("3.5", "3.5"), (".5", "0.5"), ("5.", "5.0"), ("1e2", "100.0"), ("1E-2", "0.01"),
    ("0x.8p1", "1.0"), ("0xA.p0", "10.0"), ("9223372036854775808", "9.223372036854776e+18"),
    ("'a\\n\\65\\x41\\u{20AC}\\z  b'", "'a\nAA€b'"),
    ("\"it's\"", "'it's'"), ("[[\nlong]]", "'long'"), ("[==[a]]b]==]", "'a]]b'"), ("'\\\\'", "'\\'"),
  ]

  @Test("literals have their values", arguments: literals)
  func literal(source: String, value: String) throws {
    let chunk = try LuaParser.parse(Array("return \(source)".utf8))
    guard case .returns(let values)? = chunk.body.first?.kind else { Issue.record("no return"); return }
    #expect(draw(values[0]) == value)
  }

  private static let wrong: [(String, String, Range<Int>)] = [
    ("if x then", "'end' expected near <eof>", 9..<9), ("x = = 1", "unexpected symbol near '='", 4..<5),
    ("local 1", "<name> expected near '1'", 6..<7), ("return 'a", "unfinished string", 7..<9),
    ("x = 3x", "malformed number near '3x'", 4..<6),
    ("a.b", "syntax error near <eof>", 3..<3), ("f() = 1", "cannot assign to this", 0..<3), ("--[[ x", "unfinished long comment", 2..<6),
    ("return [=[ x ]]", "unfinished long text", 7..<15), ("x = '\\q'", "invalid escape sequence", 5..<7),
    ("return 1 x", "'<eof>' expected near 'x'", 9..<10),
    ("for i = 1 do end", "',' expected near 'do'", 10..<12), ("x = $", "unexpected symbol near '$'", 4..<5),
  ]

  @Test("what is not Lua is an error with its place", arguments: wrong)
  func errors(source: String, message: String, range: Range<Int>) {
    let error = #expect(throws: LuaSyntaxError.self) { try LuaParser.parse(Array(source.utf8)) }
    #expect(error?.description == message)
    #expect(error?.range == range)
  }

  @Test("Lua's own compiler and this reading agree on every statement")
  func agreement() throws {
    let sources = [
      "local a <const>, b <close> = 1", "goto done; ::done::", "repeat local x = 1 until x == 1", "while true do break end",
      "for i = 1, 2, 3 do end", "for a, b in pairs({}) do end", "function a.b.c:d(...) return ... end", "local function f() return f() end",
      "do ; ; end", "if a then elseif b then else end", "a, b.c, d[1] = 1, 2", "f'x' f[[y]] f{}", "#!/usr/bin/lua\nreturn 1", "return;",
      "local x = function() end", "x = a and b or not c", "return return", "local function() end", "x.y", "break", "goto nowhere",
      "::a:: ::a::",
      "local x <foo> = 1", "f(", "a = {1,,2}", "a = {,}", "a = {;}", "for 1 do end", "x = 1 2", "x += 1", "local t = {[1]}", "(f)()",
      "(f) = 1", "(f).x = 1",
    ]
    // Lua's compiler also knows of labels, attributes and loops, which this reading leaves to it.
    let leftToLua: Set = ["break", "goto nowhere", "::a:: ::a::", "local x <foo> = 1"]
    for source in sources {
      let runtime = try LuaRuntime(limits: .test)
      try runtime.addSource(module: "m", file: "m.lua", text: Array(source.utf8))
      let isLua = (try? runtime.compile("m")) != nil
      let isRead = (try? LuaParser.parse(Array(source.utf8))) != nil
      #expect(isRead == (isLua || leftToLua.contains(source)), "\(source)")
    }
  }

  private static let tall: [(String, String)] = [
    ("parentheses", "return " + String(repeating: "(", count: 60_000)),
    ("tables", "return " + String(repeating: "{", count: 60_000)),
    ("blocks", String(repeating: "do ", count: 40_000)),
    ("functions", String(repeating: "return function() ", count: 7_000)),
    ("fields", "return a" + String(repeating: ".b", count: 60_000)),
    ("calls", "return f" + String(repeating: "()", count: 60_000)),
    ("sums", "return 1" + String(repeating: "+1", count: 60_000)),
    ("texts", "return ''" + String(repeating: "..''", count: 30_000)),
    ("negations", "return " + String(repeating: "not ", count: 30_000) + "x"),
    ("minus", "return " + String(repeating: "- ", count: 60_000) + "x"),
    ("rows in rows", "return " + String(repeating: "(a", count: 150) + String(repeating: ".b.b.b.b.b.b.b.b.b.b.b.b)", count: 150)),
    ("many branches", "if a then " + String(repeating: "elseif b then ", count: 9_000) + "end"),
    ("long brackets", "return [" + String(repeating: "=", count: 120_000)),
    ("comments", String(repeating: "--[", count: 40_000)),
  ]

  @Test("towers of anything end in a tree or an error", arguments: tall)
  func towers(name: String, source: String) throws {
    let bundle = try PolicyBundle(files: ["routing.lua": Array(source.utf8.prefix(128 << 10))])
    _ = BundleAnalysis(bundle)
  }

  @Test("random bytes, and random words of Lua, never trap or hang")
  func random() throws {
    var generator = SplitMix(state: 20_261_126)
    let words =
      LuaToken.Keyword.allCases.map(\.rawValue) + LuaToken.Symbol.allCases.map(\.rawValue)
      + [
        "job", "fleet", "x", "1", "0x", "1e", "'a'", "\"", "'", "[[", "]]", "--", "---@param job Job\n", "\\", "\n", "has", "route",
        "\u{e9}", "\0",
      ]
    for round in 0..<1_500 {
      var source: [UInt8] = []
      if round % 3 == 0 {
        source = (0..<Int(generator.next() % 300)).map { _ in UInt8(truncatingIfNeeded: generator.next()) }
      } else {
        for _ in 0..<Int(generator.next() % 120) {
          source += Array(words[Int(generator.next() % UInt64(words.count))].utf8)
          if generator.next() % 4 != 0 { source.append(32) }
        }
      }
      let analysis = BundleAnalysis(try PolicyBundle(files: ["routing.lua": source]))
      for finding in analysis.diagnostics { #expect(!finding.lines(folder: "p", source: source).isEmpty) }
    }
  }

  @Test(
    "a sound file with bytes changed at random never traps",
    arguments: ["priority.lua", "routing.lua", "lib/words.lua", "scaling_test.lua"])
  func mutations(file: String) throws {
    var generator = SplitMix(state: 7)
    let sound = Array(try Data(contentsOf: URL(filePath: projectPolicies).appending(path: file)))
    for _ in 0..<150 {
      var source = sound
      for _ in 0...Int(generator.next() % 4) {
        let place = Int(generator.next() % UInt64(source.count))
        switch generator.next() % 3 {
        case 0: source[place] = UInt8(truncatingIfNeeded: generator.next())
        case 1: source.removeSubrange(place..<min(source.count, place + Int(generator.next() % 30)))
        default: source.insert(contentsOf: sound.prefix(Int(generator.next() % 40)), at: place)
        }
        if source.isEmpty { source = [10] }
      }
      _ = PolicyDiagnostic.all(of: try PolicyBundle(files: [file: source]))
    }
  }
}

/// A small generator whose numbers are the same in each run.
struct SplitMix: RandomNumberGenerator {
  var state: UInt64
  mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var word = state
    word = (word ^ (word >> 30)) &* 0xbf58_476d_1ce4_e5b9
    word = (word ^ (word >> 27)) &* 0x94d0_49bb_1331_11eb
    return word ^ (word >> 31)
  }
}
