import Fuzzing
package import Policies

/// One random attempt on the border between Swift and Lua.
package struct FuzzCase {
  private let number: UInt64
  private var random: CaseGenerator

  package init(_ number: UInt64) {
    self.number = number
    random = CaseGenerator(number)
  }

  /// - Parameter echo: a state made by `makeEcho`, which cases share: none may spoil it for the next.
  package static func run(_ number: UInt64, echo: LuaRuntime) throws {
    var one = FuzzCase(number)
    switch UInt64.random(in: 0..<10, using: &one.random) {
    case 0...2: try one.roundTrip(echo)
    case 3...5: try one.mutatedArguments(echo)
    case 6, 7: try one.mutatedResult()
    case 8: try one.hostileResult()
    default: try one.hostileProgram()
    }
  }

  package static func makeEcho() throws -> LuaRuntime {
    let runtime = try LuaRuntime(limits: .decision, kinds: ["thing": ["x": "list", "labels": "labels", "age_seconds": "number"]])
    // The names of all fields stand in it: so they are sent.
    let source =
      "return { echo = function(...) return ... end, seven = function() return 7 end, fields = { 'x', 'labels', 'age_seconds' } }"
    try runtime.addSource(module: "echo", file: "echo.lua", text: Array(source.utf8))
    _ = try runtime.load("echo")
    return runtime
  }

  // MARK: Values

  private mutating func roundTrip(_ echo: LuaRuntime) throws {
    let values = (0..<Int.random(in: 0...4, using: &random)).map { _ in value() }
    let back = try echo.call("echo", values)
    if back != values.map(\.plain) { throw FuzzFailure(description: "\(values) came back as \(back)") }
  }

  private mutating func mutatedArguments(_ echo: LuaRuntime) throws {
    var encoder = LuaEncoder()
    for _ in 0..<Int.random(in: 1...3, using: &random) { encodeAny(into: &encoder) }
    let bytes = mutated(encoder.bytes)
    do {
      _ = try echo.call("echo", bytes: bytes)
    } catch {
      if error.kind == .host { throw FuzzFailure(description: "a result could not be read: \(error)") }
    }
    if try echo.call("seven", []) != [.integer(7)] { throw FuzzFailure(description: "the state answers something else afterwards") }
  }

  private mutating func mutatedResult() throws {
    var encoder = LuaEncoder()
    for _ in 0..<Int.random(in: 1...3, using: &random) { encoder.encode(value().plain) }
    let bytes = mutated(encoder.bytes)
    var decoder = LuaDecoder(bytes)
    var values: [LuaValue] = []
    do {
      switch UInt64.random(in: 0...2, using: &random) {
      case 0: while !decoder.isAtEnd { values.append(try decoder.decode()) }
      case 1: while !decoder.isAtEnd { _ = try decoder.answer(into: &values) }
      default: while !decoder.isAtEnd { _ = try decoder.traceStep() }
      }
    } catch {
      return  // `Malformed`: the answer to bytes that are none.
    }
  }

  private mutating func encodeAny(into encoder: inout LuaEncoder) {
    let slot = UInt32.random(in: 0...3, using: &random)
    switch UInt64.random(in: 0...4, using: &random) {
    case 0: encoder.encodeKept(slot)
    case 1, 2:
      if Bool.random(using: &random) { encoder.encodeNote() }
      encoder.encodeKeep(slot)
      encodeFields(into: &encoder, depth: 0)
    default: encoder.encode(value())
    }
  }

  /// The echo's one kind, of which all fields are sent: its number is that of the first.
  private mutating func encodeFields(into encoder: inout LuaEncoder, depth: Int) {
    encoder.encodeFields(Int.random(in: 0...9, using: &random) == 0 ? random.next() : 0b111, of: .clock)
    encoder.encodeMoment(Double(bitPattern: random.next()))
    encoder.encode(.labels([text(), text()]))
    encodePart(into: &encoder, depth: depth + 1)
  }

  private mutating func encodePart(into encoder: inout LuaEncoder, depth: Int) {
    switch UInt64.random(in: 0...(depth < 4 ? 4 : 1), using: &random) {
    case 0: encoder.encode(value())
    case 1: encoder.encodeSame()
    case 2:
      encoder.encodePart()
      encodeFields(into: &encoder, depth: depth)
    default:
      let count = Int.random(in: 0...3, using: &random)
      encoder.encodeParts(count)
      for _ in 0..<count { encodePart(into: &encoder, depth: depth + 1) }
    }
  }

  private mutating func mutated(_ bytes: [UInt8]) -> [UInt8] {
    var bytes = bytes
    for _ in 0..<Int.random(in: 0...4, using: &random) where !bytes.isEmpty {
      let place = Int.random(in: 0..<bytes.count, using: &random)
      switch UInt64.random(in: 0...4, using: &random) {
      case 0: bytes[place] = UInt8.random(in: 0...255, using: &random)
      case 1: bytes[place] = UInt8.random(in: 0...20, using: &random)
      case 2: bytes.removeSubrange(place...)
      case 3: bytes.insert(contentsOf: (0..<5).map { _ in UInt8.random(in: 0...255, using: &random) }, at: place)
      default: bytes.remove(at: place)
      }
    }
    return bytes
  }

  private mutating func text() -> String {
    let letters = Array("abcXYZ 0189_-äß日🚀\0\n\"%")
    return String((0..<Int.random(in: 0...12, using: &random)).map { _ in letters.randomElement(using: &random) ?? "a" })
  }

  private mutating func value(depth: Int = 0) -> LuaValue {
    switch Int.random(in: 0...(depth > 4 ? 4 : 9), using: &random) {
    case 0: return .bool(Bool.random(using: &random))
    case 1: return .integer(Int64.random(in: .min ... .max, using: &random))
    case 2: return .number(Double(bitPattern: UInt64.random(in: 0...0x7FEF_FFFF_FFFF_FFFF, using: &random)))
    case 3, 4: return .text(text())
    case 5, 6: return .list(values(depth))
    case 7: return .sealedList(values(depth))
    case 8: return .labels((0..<Int.random(in: 0...3, using: &random)).map { _ in text() })
    default:
      // An empty map comes back as an empty list: a table of Lua does not say which it is.
      var map: [String: LuaValue] = [text(): value(depth: depth + 1)]
      for _ in 0..<Int.random(in: 0...4, using: &random) { map[text()] = value(depth: depth + 1) }
      return .map(map)
    }
  }

  private mutating func values(_ depth: Int) -> [LuaValue] {
    var values: [LuaValue] = []
    for _ in 0..<Int.random(in: 0...5, using: &random) { values.append(value(depth: depth + 1)) }
    return values
  }

  // MARK: Programs

  private mutating func hostileResult() throws {
    try run("function m.ask(a) local t = {} ; return \(expression(0)), \(expression(0)) end")
  }

  private mutating func hostileProgram() throws {
    var body = ""
    for _ in 0..<Int.random(in: 1...6, using: &random) { body += statement(0) + "\n" }
    try run(
      "local kept = setmetatable({}, { __index = {} })\nfunction m.ask(a)\nlocal t, n, s = {}, 0, 'x'\nlocal f = function() return 1 end\n\(body)return t, n, s\nend"
    )
  }

  /// Loads and asks it twice: it must end within its budgets, with values or an error, and the second answer must be that of the first.
  private func run(_ source: String) throws {
    let runtime = try LuaRuntime(limits: .decision)
    let clock = ContinuousClock()
    let start = clock.now
    try runtime.addSource(module: "case", file: "case.lua", text: Array("local m = {}\n\(source)\nreturn m".utf8))
    do {
      _ = try runtime.load("case")
    } catch {
      if error.kind == .host { throw FuzzFailure(description: "\(error) of\n\(source)") }
      return
    }
    let answers = (0..<2).map { _ in Result { () throws(LuaFailure) in try runtime.call("ask", [.integer(1)]) } }
    if case .failure(let failure) = answers[0], failure.kind == .host { throw FuzzFailure(description: "\(failure) of\n\(source)") }
    if answers.map({ "\($0)" }).count != 2 || !Self.alike(answers[0], answers[1]) {
      throw FuzzFailure(description: "two answers, \(answers[0]) and \(answers[1]), of\n\(source)")
    }
    let spent = clock.now - start
    if spent > .seconds(20) { throw FuzzFailure(description: "\(spent) spent on\n\(source)") }
  }

  private static func alike(_ one: Result<[LuaValue], LuaFailure>, _ other: Result<[LuaValue], LuaFailure>) -> Bool {
    switch (one, other) {
    case (.success(let one), .success(let other)): "\(one)" == "\(other)"
    // Where a budget ends may depend on what was allocated before; that it ends does not.
    case (.failure(let one), .failure(let other)): one.kind == other.kind || (isLimit(one) && isLimit(other))
    default: false
    }
  }

  private static func isLimit(_ failure: LuaFailure) -> Bool { failure.kind == .budget || failure.kind == .memory }

  private mutating func expression(_ depth: Int) -> String {
    let leaves = [
      "nil", "true", "1", "-1.5", "0/0", "math.huge", "math.mininteger", "'x'", "'\\xff\\0'", "a", "t", "print", "t.t", "('x'):rep(100)",
      "percent('a')", "tostring(t)", "#'abc'", "select('#', a)", "data", "string", "math.random(9)", "function() end", "('%q'):format('x')",
      "utf8.char(8364)", "t[1]", "getmetatable('')", "{ ('a b'):gmatch('%a') }", "select(2, pcall(error, t))",
      "getmetatable(setmetatable({}, string))", "select(2, pcall(setmetatable, {}, data))", "getmetatable(data)", "getmetatable(kept)",
    ]
    guard depth < 4, Int.random(in: 0...2, using: &random) > 0 else { return leaves.randomElement(using: &random) ?? "nil" }
    let (one, other) = (expression(depth + 1), expression(depth + 1))
    return [
      "{ \(one), \(other) }", "{ x = \(one), y = \(other) }", "{ [\(one)] = \(other) }", "{ \(one), x = \(other) }",
      "setmetatable({ \(one) }, { __index = function() return \(other) end })", "setmetatable({}, { __pairs = \(one), __len = \(other) })",
      "setmetatable({}, { __tostring = function() return \(one) end, __name = \(other) })", "(function() t.t = t; return t end)()",
      "(\(one)) == (\(other))", "pcall(function() return \(one) .. \(other) end)", "tostring(\(one))",
      "{ pcall(table.concat, \(one), \(other)) }",
      "{ pcall(string.find, \(one), \(other)) }", "{ pcall(table.sort, \(one)) }", "{ pcall(ipairs, \(one)) }", "{ pcall(pairs, \(one)) }",
      "{ pcall(setmetatable, \(one), \(other)) }", "{ pcall(table.unpack, \(one)) }",
    ].randomElement(using: &random) ?? "nil"
  }

  private mutating func statement(_ depth: Int) -> String {
    let plain = [
      "n = n + 1", "t[#t + 1] = \(expression(2))", "s = s .. s", "kept[1] = n", "t = setmetatable({}, t)", "f()",
      "local _ <close> = setmetatable({}, { __close = function() n = n + 1 end })", "pcall(f)",
      "table.sort(t, function(x, y) return n end)",
      "s = s:gsub('.', '%0%0')", "for _ in pairs(t) do n = n + 1 end", "n = n + #s", "t[s] = t", "error(t)", "require('case')",
      "f = function() return f() end", "f = function() return 1 + f() end", "print(s, t)", "s = ('%s%s'):format(s, n)",
      "pcall(string.rep, s, 1 << 20)", "pcall(string.find, s, ('a*'):rep(30) .. 'b')", "t.__index = t", "t.__gc = f", "t.__mode = 'k'",
      "xpcall(f, f)", "select(-1, table.unpack(t))", "n = math.random(5)", "local _ENV = t",
      "pcall(function() getmetatable(setmetatable({}, string)).seen = n end)",
      "n = n + (pcall(function() return string.seen end) and 1 or 0)",
      "pcall(function() getmetatable(kept).__gc = f end)",
    ]
    guard depth < 3, Int.random(in: 0...2, using: &random) > 0 else { return plain.randomElement(using: &random) ?? "f()" }
    let inner = statement(depth + 1) + "; " + statement(depth + 1)
    return [
      "while true do \(inner) end", "for i = 1, 1000 do \(inner) end", "pcall(function() \(inner) end)",
      "xpcall(function() \(inner) end, function(e) \(inner) end)", "f = function() \(inner) end", "do \(inner) end",
      "do local _ <close> = setmetatable({}, { __close = function() \(inner) end }) \(plain[0]) end",
      "t = setmetatable(t, { __index = function() \(inner) end })", "for _, v in pairs({ 1, 2, x = 3 }) do \(inner) end",
      "repeat \(inner) until n > 100", "if n > 3 then \(inner) end",
    ].randomElement(using: &random) ?? inner
  }
}
