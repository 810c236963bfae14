internal import Domain

/// Something that is wrong with a file.
struct Finding: Hashable {
  var range: Range<Int>
  var severity: PolicyDiagnostic.Severity
  var message: String
}

/// One walk over one file: what it tells of functions and tables, and, in the last round, what is wrong with it.
struct FileWalk {
  let source: AnalysedSource
  /// What the round before found.
  let known: AnalysedBundle
  let schema: PolicySchemaIndex
  /// What this round finds, in all files so far.
  var found: AnalysedBundle
  private(set) var findings: Set<Finding> = []

  private var values: [Int: AnalysedValue] = [:]
  /// Depth of functions whose errors somebody catches or expects.
  var guarded = 0
  /// Functions around the place that is walked, the innermost last.
  var functions: [SourceSite] = []

  init(_ source: AnalysedSource, known: AnalysedBundle, found: AnalysedBundle, schema: PolicySchemaIndex) {
    self.source = source
    self.known = known
    self.found = found
    self.schema = schema
  }

  var isTest: Bool { source.isTest }
  var bindings: LuaBindings { source.bindings }

  mutating func run() {
    walk(source.chunk.body)
    if case .returns(let result)? = source.chunk.body.last?.kind, let first = result.first {
      found.modules[source.module] = evaluate(first)
    }
  }

  func site(_ range: Range<Int>) -> SourceSite { SourceSite(file: source.path, offset: range.lowerBound) }

  mutating func report(_ range: Range<Int>, _ severity: PolicyDiagnostic.Severity, _ message: String) {
    if guarded > 0 { return }
    findings.insert(Finding(range: range, severity: severity, message: message))
  }

  // MARK: - Statements

  mutating func walk(_ statements: [LuaStatement]) {
    for statement in statements { walk(statement) }
  }

  private mutating func walk(_ statement: LuaStatement) {
    switch statement.kind {
    case .local(let names, let values): declare(names, values)
    case .assign(let targets, let values): assign(targets, values)
    case .call(let call): _ = evaluate(call)
    case .block(let body): walk(body)
    case .loop(let condition, let body):
      use(condition)
      walk(body)
    case .repeatUntil(let body, let condition):
      walk(body)
      use(condition)
    case .branch(let branches, let otherwise):
      for branch in branches {
        use(branch.condition)
        walk(branch.body)
      }
      walk(otherwise)
    case .numericFor(_, let bounds, let body):
      for bound in bounds { use(bound) }
      walk(body)
    case .genericFor(let names, let values, let body):
      walkLoop(names, values)
      walk(body)
    case .function(let target, let function):
      let value = AnalysedValue.function(site(function.range))
      store(value, in: target)
      walk(function, annotatedAbove: statement.range.lowerBound)
    case .localFunction(let name, let function):
      set(name, to: .function(site(function.range)))
      walk(function, annotatedAbove: statement.range.lowerBound)
    case .returns(let values): walkReturn(values)
    case .jump: break
    }
  }

  private mutating func declare(_ names: [LuaName], _ values: [LuaExpression]) {
    let evaluated = values.map { evaluate($0) }
    for (index, name) in names.enumerated() {
      set(name, to: index < values.count ? evaluated[index] : values.last?.givesMany == true ? .unknown : .none)
    }
    for extra in evaluated.dropFirst(names.count) { consume(extra) }
  }

  private mutating func assign(_ targets: [LuaExpression], _ values: [LuaExpression]) {
    let evaluated = values.map { evaluate($0) }
    for (index, target) in targets.enumerated() { store(index < evaluated.count ? evaluated[index] : .unknown, in: target) }
    for extra in evaluated.dropFirst(targets.count) { consume(extra) }
  }

  /// A local that nothing writes again is followed; any other may hold something else where it is read.
  private mutating func set(_ name: LuaName, to value: AnalysedValue) {
    guard let index = bindings.index(of: name), bindings.bindings[index].writes == 0 else { return consume(value) }
    values[index] = value
  }

  func value(of name: LuaName) -> AnalysedValue? {
    bindings.index(of: name).map { bindings.bindings[$0].writes == 0 ? values[$0] ?? .unknown : .unknown }
  }

  private mutating func store(_ value: AnalysedValue, in target: LuaExpression) {
    switch target.kind {
    case .name(let name):
      if bindings.index(of: name) == nil { report(name.range, .error, "global names are read-only: write 'local \(name.text)'") }
      consume(value)
    case .field(let base, let name):
      switch evaluate(base) {
      case .table(let table): found.tables[table, default: .init()].fields[name.text, default: [:]][site(name.range)] = value
      case .input(let type, let input) where type.required.isTable:
        report(target.range, .error, "\(input) is read-only")
        consume(value)
      case .library(let library):
        report(target.range, .error, "\(library) is read-only")
        consume(value)
      case let other:
        consume(other)
        consume(value)
      }
    case .index(let base, let key):
      use(base)
      use(key)
      consume(value)
    default: consume(value)
    }
  }

  private mutating func walkLoop(_ names: [LuaName], _ values: [LuaExpression]) {
    var element = AnalysedValue.unknown
    if values.count == 1, case .call(let callee, let arguments) = values[0].kind, arguments.count == 1, let name = names.dropFirst().first,
      case .name(let iterator) = callee.kind, bindings.index(of: iterator) == nil, ["ipairs", "pairs"].contains(iterator.text)
    {
      let list = evaluate(arguments[0])
      element = Self.element(of: list)
      consume(list)
      set(name, to: element)
      return
    }
    for value in values { use(value) }
  }

  /// What a list of the host holds.
  static func element(of value: AnalysedValue) -> AnalysedValue {
    guard case .input(let type, let name) = value else { return .unknown }
    switch type.required {
    case .list(.object(let kind)): return .input(.object(kind), name: kind)
    case .list(let element): return .input(element, name: name + "[]")
    case .labels: return .input(.text, name: name + "[]")
    default: return .unknown
    }
  }

  // MARK: - Functions

  /// - Parameter annotatedAbove: where the statement begins whose comment may tell the kinds of parameters.
  mutating func walk(_ function: LuaFunction, annotatedAbove start: Int?) {
    let site = site(function.range)
    let given = known.parameters[site] ?? []
    let annotated = start.map { source.annotatedParameters(above: $0) } ?? [:]
    let entry = source.entry(of: site, in: known)
    for (index, parameter) in function.parameters.enumerated() {
      var value = annotated[parameter.text].flatMap { schema.input(named: $0) } ?? .pending
      value = value.joined(with: index < given.count ? given[index] : .pending)
      if known.escapedFunctions.contains(site) { value = annotated[parameter.text].flatMap { schema.input(named: $0) } ?? .unknown }
      if let entry, index < entry.inputs.count { value = .input(.object(entry.inputs[index]), name: entry.inputs[index]) }
      set(parameter, to: value)
    }
    functions.append(site)
    walk(function.body)
    functions.removeLast()
  }

  /// A call whose function is known gives its parameters their values.
  mutating func pass(_ arguments: [AnalysedValue], endsOpen: Bool, to function: SourceSite) {
    // What a test passes is not what the host passes.
    if isTest && function.file != source.path { return }
    // A call in the last place may fill any of the parameters behind it.
    let arguments = arguments + (endsOpen ? Array(repeating: .unknown, count: 16) : [])
    var known = found.parameters[function] ?? []
    for (index, value) in arguments.enumerated() {
      if index < known.count { known[index] = known[index].joined(with: value) } else { known.append(value) }
    }
    found.parameters[function] = known
  }

  private mutating func walkReturn(_ values: [LuaExpression]) {
    if let function = functions.last, let entry = source.entry(of: function, in: known), let first = values.first {
      checkAnswer(first, of: entry)
    }
    let isModule = functions.isEmpty
    for (index, value) in values.enumerated() {
      let result = evaluate(value)
      // The table of a module is read by those who require it, and they are seen.
      if !(isModule && index == 0) { consume(result) }
    }
  }

  // MARK: - Values that are no longer followed

  mutating func use(_ expression: LuaExpression) { consume(evaluate(expression)) }

  mutating func consume(_ value: AnalysedValue) {
    switch value {
    case .function(let site): found.escapedFunctions.insert(site)
    case .table(let site): found.openTables.insert(site)
    case .data(let path): if !isTest { found.readData.insert(path) }
    default: break
    }
  }
}

extension LuaExpression {
  /// Whether it may give more values than one.
  var givesMany: Bool {
    switch kind {
    case .call, .method, .vararg: true
    default: false
    }
  }
}

extension PolicyType {
  /// Whether Lua sees a table.
  var isTable: Bool {
    switch self {
    case .text, .integer, .number, .boolean: false
    default: true
    }
  }
}
