internal import Domain

extension FileWalk {
  /// What is known of an expression's first value. Its parts are looked at, and what it passes on is noted.
  mutating func evaluate(_ expression: LuaExpression) -> AnalysedValue {
    switch expression.kind {
    case .none: return .none
    case .bool(let value): return .bool(value)
    case .integer(let value): return .integer(value)
    case .number(let value): return .number(value)
    case .text(let text): return .text(text)
    case .vararg: return .unknown
    case .name(let name): return value(of: name) ?? global(name)
    case .parentheses(let inner): return evaluate(inner)
    case .field(let base, let name): return field(name, of: evaluate(base))
    case .index(let base, let key):
      let table = evaluate(base)
      use(key)
      consume(table)
      return Self.element(of: table)
    case .call(let callee, let arguments): return call(callee, arguments)
    case .method(let base, let name, let arguments): return method(name, of: base, arguments)
    case .function(let function):
      walk(function, annotatedAbove: nil)
      return .function(site(function.range))
    case .binary(let symbol, let left, let right):
      let (one, other) = (evaluate(left), evaluate(right))
      if symbol == .equal || symbol == .notEqual { compare((one, left), (other, right), symbol) }
      consume(one)
      consume(other)
      return .unknown
    case .and(let left, let right), .or(let left, let right):
      use(left)
      use(right)
      return .unknown
    case .unary(let operand), .not(let operand):
      use(operand)
      return .unknown
    case .table(let items): return table(items, at: site(expression.range))
    }
  }

  private mutating func global(_ name: LuaName) -> AnalysedValue {
    if PolicyLanguage.libraries[name.text] != nil { return .library(name.text) }
    if PolicyLanguage.functions.contains(name.text) || PolicyLanguage.hostFunctions.contains(name.text) { return .builtIn(name.text) }
    if PolicyLanguage.values.contains(name.text) { return .unknown }
    if name.text == PolicyLanguage.data { return .data([]) }
    if isTest, PolicyLanguage.harness.contains(name.text) { return .builtIn(name.text) }
    if PolicyLanguage.outside.contains(name.text) {
      report(name.range, .error, "'\(name.text)' is not available in policies")
      return .unknown
    }
    let words =
      Array(PolicyLanguage.functions) + Array(PolicyLanguage.hostFunctions) + Array(PolicyLanguage.libraries.keys)
      + (isTest ? Array(PolicyLanguage.harness) : [])
      + source.bindings.bindings.map(\.name.text)
    report(name.range, .error, "unknown name '\(name.text)'" + Self.hint(name.text, among: words))
    return .unknown
  }

  static func hint(_ word: String, among words: some Sequence<String>, prefix: String = "") -> String {
    Suggestion.nearest(to: word, among: words).map { " – did you mean '\(prefix)\($0)'?" } ?? ""
  }

  // MARK: - Fields

  mutating func field(_ name: LuaName, of base: AnalysedValue) -> AnalysedValue {
    switch base {
    case .input(let type, let input): return inputField(name, of: type.required, named: input)
    case .library(let library):
      guard let names = PolicyLanguage.libraries[library] else { return .unknown }
      if names.contains(name.text) { return .unknown }
      let hint = Self.hint(name.text, among: names, prefix: library + ".")
      report(name.range, .error, "unknown field '\(library).\(name.text)'" + hint)
      return .unknown
    case .table(let table):
      let read = AnalysedBundle.ReadField(table: table, name: name.text)
      if isTest { found.testedFields.insert(read) } else { found.readFields.insert(read) }
      if known.openTables.contains(table) { return .unknown }
      return known.tables[table]?.value(of: name.text) ?? .unknown
    case .data(let path): return dataField(name, at: path)
    default: return .unknown
    }
  }

  private mutating func inputField(_ name: LuaName, of type: PolicyType, named input: String) -> AnalysedValue {
    switch type {
    case .object(let kind):
      guard let fields = schema.fields[kind] else { return .unknown }
      if let field = fields[name.text] { return .input(field, name: "\(kind).\(name.text)") }
      report(name.range, .error, "unknown field '\(kind).\(name.text)'" + Self.hint(name.text, among: fields.keys, prefix: kind + "."))
    case .labels where name.text != "has":
      report(name.range, .error, "labels have numbers and 'has': write labels:has(\"linux\")")
    case .integer, .number, .boolean:
      report(name.range, .error, "'\(input)' is \(type.noun) and has no field '\(name.text)'")
    default: break
    }
    return .unknown
  }

  private mutating func dataField(_ name: LuaName, at path: [String]) -> AnalysedValue {
    guard let table = source.data.value(at: path) else { return .unknown }
    guard case .map(let values) = table else { return .unknown }
    guard let value = values[name.text] else {
      // Data may grow a key any day, and reading one that is not there is how policies ask for it; a table that is not there is a slip.
      if path.isEmpty {
        report(name.range, .error, "unknown field 'data.\(name.text)'" + Self.hint(name.text, among: values.keys, prefix: "data."))
      }
      consume(.data(path + [name.text]))
      return .unknown
    }
    if case .map = value { return .data(path + [name.text]) }
    consume(.data(path + [name.text]))
    return .unknown
  }

  private mutating func table(_ items: [LuaTableItem], at site: SourceSite) -> AnalysedValue {
    var fields = AnalysedBundle.Table()
    for item in items {
      switch item.key {
      case .name(let name):
        let value = evaluate(item.value)
        fields.fields[name.text, default: [:]][self.site(name.range)] = value
      case .computed(let key):
        use(key)
        use(item.value)
      case .position: use(item.value)
      }
    }
    found.tables[site, default: .init()].fields.merge(fields.fields) { $0.merging($1) { $1 } }
    return .table(site)
  }

  // MARK: - Calls

  private mutating func call(_ callee: LuaExpression, _ arguments: [LuaExpression]) -> AnalysedValue {
    let function = evaluate(callee)
    let endsOpen = arguments.last?.givesMany == true
    switch function {
    case .builtIn(let name): return callBuiltIn(name, arguments)
    case .function(let site):
      let given = arguments.map { evaluate($0) }
      pass(given, endsOpen: endsOpen, to: site)
      for value in given { keepOrConsume(value) }
      return .unknown
    default:
      checkModuleCall(callee)
      consume(function)
      for argument in arguments { use(argument) }
      return .unknown
    }
  }

  /// A parameter carries an input on; a function or table that goes into a parameter is no longer followed.
  private mutating func keepOrConsume(_ value: AnalysedValue) {
    if case .input = value { return }
    consume(value)
  }

  private mutating func callBuiltIn(_ name: String, _ arguments: [LuaExpression]) -> AnalysedValue {
    if isTest, schema.fields[name] != nil {
      checkGiven(arguments.first, kind: name)
      for argument in arguments { use(argument) }
      return .input(.object(name), name: name)
    }
    if name == "require", arguments.count == 1, case .text(let module) = arguments[0].kind { return require(module, arguments[0].range) }
    for argument in arguments {
      // What is called in the guard is guarded; what is evaluated before it is not.
      var isGuarded = false
      if case .function = argument.kind { isGuarded = PolicyLanguage.guards.contains(name) }
      guarded += isGuarded ? 1 : 0
      use(argument)
      guarded -= isGuarded ? 1 : 0
    }
    return .unknown
  }

  private mutating func require(_ module: String, _ range: Range<Int>) -> AnalysedValue {
    let modules = source.modules
    if modules.contains(module) {
      found.requiredModules.insert(module)
      return known.modules[module] ?? .pending
    }
    let hint = Self.hint(module, among: modules)
    report(
      range, .error,
      "no module '\(module)'" + (hint.isEmpty ? ": require reaches lib/ of the policies folder only, as in require \"lib.words\"" : hint))
    return .unknown
  }

  private mutating func method(_ name: LuaName, of base: LuaExpression, _ arguments: [LuaExpression]) -> AnalysedValue {
    let object = evaluate(base)
    let given = arguments.map { evaluate($0) }
    defer { for value in given { keepOrConsume(value) } }
    if object.isText {
      let methods = PolicyLanguage.libraries["string"] ?? []
      if !methods.contains(name.text) {
        report(name.range, .error, "texts have no function '\(name.text)'" + Self.hint(name.text, among: methods))
      }
      return .unknown
    }
    let function = field(name, of: object)
    if case .function(let site) = function {
      pass([object] + given, endsOpen: arguments.last?.givesMany == true, to: site)
    } else if case .table = object {
      consume(object)
    }
    return .unknown
  }

  /// `words.splt(…)` where the table of the module is known, and has no such function.
  private mutating func checkModuleCall(_ callee: LuaExpression) {
    guard case .field(let base, let name) = callee.kind, case .name(let holder) = base.kind, let value = value(of: holder),
      case .table(let table) = value, !known.openTables.contains(table), let fields = known.tables[table], fields.fields[name.text] == nil,
      known.modules.values.contains(.table(table))
    else { return }
    let functions = fields.fields.keys.filter { if case .function? = fields.value(of: $0) { true } else { false } }
    report(
      name.range, .error,
      "'\(holder.text)' has no function '\(name.text)'" + Self.hint(name.text, among: functions, prefix: holder.text + "."))
  }

  /// `job({ enviroment = "x" })` in a test.
  private mutating func checkGiven(_ argument: LuaExpression?, kind: String) {
    guard case .table(let items)? = argument?.kind, let fields = schema.fields[kind] else { return }
    for case .name(let name) in items.map(\.key) where fields[name.text] == nil {
      report(name.range, .error, "a \(kind) has no field '\(name.text)'" + Self.hint(name.text, among: fields.keys))
    }
  }
}

extension AnalysedValue {
  fileprivate var isText: Bool {
    switch self {
    case .text: true
    case .input(let type, _): type.required == .text
    default: false
    }
  }
}

extension PolicyType {
  /// As a sentence says it.
  var noun: String {
    switch self {
    case .integer: "a whole number"
    case .number: "a number"
    case .boolean: "true or false"
    case .text: "a text"
    default: "a table"
    }
  }
}
