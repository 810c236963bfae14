internal import Domain

/// One check of one value.
struct SchemaCheck {
  private static let most = (problems: 100, depth: 200, work: 2_000_000)

  private let rules: [SchemaRule]
  private var budget = most.work
  private var depth = 0
  /// Once the work or the depth is used up, nothing is valid.
  private var gaveUp: String?
  private(set) var secrets: Set<String> = []

  init(rules: [SchemaRule]) { self.rules = rules }

  mutating func problems(in value: JSONValue) -> [JSONSchema.Problem] {
    var findings = Findings()
    check(value, rule: 0, at: JSONPointer(), into: &findings)
    if let gaveUp { findings.all.append(Finding(place: JSONPointer(), message: gaveUp)) }
    return findings.all.suffix(Self.most.problems).map { JSONSchema.Problem(pointer: $0.place.description, message: $0.message) }
  }

  private struct Finding {
    var place: JSONPointer
    var message: String
    /// The value is of another kind than the one meant, which tells which of several forms was meant.
    var isMismatch = false
  }

  private struct Findings {
    var all: [Finding] = []

    mutating func add(_ message: String, at place: JSONPointer, isMismatch: Bool = false) {
      guard all.count < most.problems else { return }
      all.append(Finding(place: place, message: message, isMismatch: isMismatch))
    }
  }

  /// - Returns: whether there is work left.
  private mutating func spend(_ work: Int) -> Bool {
    budget -= work
    if budget < 0 { gaveUp = "is too large to be checked against this schema" }
    return gaveUp == nil
  }

  // MARK: One rule

  private mutating func check(_ value: JSONValue, rule id: SchemaRule.ID, at place: JSONPointer, into found: inout Findings) {
    depth += 1
    defer { depth -= 1 }
    guard depth <= Self.most.depth else {
      gaveUp = "is nested deeper than can be checked"
      return
    }
    guard spend(1 + place.steps.count) else { return }
    let rule = rules[id]
    guard !rule.allowsNothing else { return found.add("is not allowed here", at: place, isMismatch: true) }
    if rule.isSecret { secrets.insert(place.description) }
    guard matchesKind(value, of: rule) else {
      return found.add("is \(shown(value, of: rule)), expected \(rule.words)", at: place, isMismatch: true)
    }
    switch value {
    case .integer, .number:
      if let number = JSONNumber(value), !rule.number.allows(number) {
        let type: SchemaType = rule.types.contains(.integer) && !rule.types.contains(.number) ? .integer : .number
        found.add("is \(shown(value, of: rule)), expected \(rule.words(of: type))", at: place)
      }
    case .string(let text): check(text, rule, at: place, into: &found)
    case .array(let items): check(items, rule, at: place, into: &found)
    case .object(let members): check(members, rule, at: place, into: &found)
    case .null, .bool: break
    }
    checkLogic(value, rule, at: place, into: &found)
  }

  private func shown(_ value: JSONValue, of rule: SchemaRule) -> String { rule.isSecret ? "a secret that is not shown" : value.shown }

  /// `type`, `enum` and `const`.
  private mutating func matchesKind(_ value: JSONValue, of rule: SchemaRule) -> Bool {
    if !rule.types.isEmpty, !rule.types.contains(where: value.has(type:)) { return false }
    guard rule.values != nil || rule.constant != nil else { return true }
    guard spend(value.size) else { return false }
    let canonical = value.canonical
    return (rule.values?.contains(canonical) ?? true) && (rule.constant.map { $0 == canonical } ?? true)
  }

  private mutating func check(_ text: String, _ rule: SchemaRule, at place: JSONPointer, into found: inout Findings) {
    guard spend(text.utf8.count / 16) else { return }
    let isLongEnough = rule.text.least == 0 || text.unicodeScalars.count >= rule.text.least
    let isShortEnough = text.utf8.count <= rule.text.most || text.unicodeScalars.count <= rule.text.most
    var isRight = isLongEnough && isShortEnough && (rule.text.format?.allows(text) ?? true)
    if isRight, let pattern = rule.text.pattern {
      guard let matches = pattern.matches(text, budget: &budget) else {
        _ = spend(0)
        return
      }
      isRight = matches
    }
    if !isRight {
      found.add("is \(shown(.string(text), of: rule)), expected \(rule.words(of: .string))", at: place)
    }
  }

  private mutating func check(_ items: [JSONValue], _ rule: SchemaRule, at place: JSONPointer, into found: inout Findings) {
    let list = rule.list
    if items.count < list.least || items.count > list.most {
      found.add("is \(shown(.array(items), of: rule)), expected \(rule.words(of: .array))", at: place)
    }
    if list.isUnique, spend(JSONValue.array(items).size) {
      var seen: Set<JSONValue> = []
      for (index, item) in items.enumerated() where !seen.insert(item.canonical).inserted {
        found.add("is \(shown(item, of: rule)) once more, and each item may be there once", at: place.appending("\(index)"))
      }
    }
    if !list.first.isEmpty || list.rest != nil {
      for (index, item) in items.enumerated() where gaveUp == nil {
        guard let schema = index < list.first.count ? list.first[index] : list.rest else { break }
        check(item, rule: schema, at: place.appending("\(index)"), into: &found)
      }
    }
    guard let contains = list.contains else { return }
    var count = 0
    for item in items where gaveUp == nil && isValid(item, contains) { count += 1 }
    let least = list.leastContained ?? 1
    let most = list.mostContained ?? .max
    if count < least || count > most {
      let wanted = least == most ? "\(least)" : most == .max ? "at least \(least)" : "\(least) to \(most)"
      found.add("has \(count) times \(rules[contains].words), expected \(wanted)", at: place)
    }
  }

  private mutating func check(_ members: [String: JSONValue], _ rule: SchemaRule, at place: JSONPointer, into found: inout Findings) {
    let rules = rule.members
    if members.count < rules.least || members.count > rules.most {
      found.add("is \(shown(.object(members), of: rule)), expected \(rule.words(of: .object))", at: place)
    }
    for name in rules.required where members[name] == nil { found.add("has no '\(name)'; it is required", at: place) }
    for dependency in rules.dependentRequired where members[dependency.name] != nil {
      for name in dependency.needs where members[name] == nil {
        found.add("has no '\(name)'; it is required together with '\(dependency.name)'", at: place)
      }
    }
    guard spend(members.count) else { return }
    for (name, value) in members.sorted(by: { $0.key < $1.key }) where gaveUp == nil {
      check(name, value, rule, at: place.appending(name), into: &found)
    }
    for dependency in rules.dependentSchemas where members[dependency.name] != nil {
      check(.object(members), rule: dependency.schema, at: place, into: &found)
    }
  }

  private mutating func check(_ name: String, _ value: JSONValue, _ rule: SchemaRule, at place: JSONPointer, into found: inout Findings) {
    let rules = rule.members
    if let names = rules.names {
      var wrong = Findings()
      check(.string(name), rule: names, at: place, into: &wrong)
      for finding in wrong.all { found.add("its name \(finding.message)", at: place) }
    }
    var isKnown = false
    if let schema = rules.named[name] {
      isKnown = true
      check(value, rule: schema, at: place, into: &found)
    }
    for (pattern, schema) in rules.patterned {
      guard let matches = pattern.matches(name, budget: &budget) else {
        _ = spend(0)
        return
      }
      guard matches else { continue }
      isKnown = true
      check(value, rule: schema, at: place, into: &found)
    }
    guard !isKnown, let others = rules.others else { return }
    if rules.isClosed {
      let known = rules.named.keys.sorted()
      let hint =
        Suggestion.nearest(to: name, among: known).map { " – did you mean '\($0)'?" }
        ?? (known.isEmpty ? "" : "; known are \(known.joined(separator: ", "))")
      found.add("is not known here\(hint)", at: place)
    } else {
      check(value, rule: others, at: place, into: &found)
    }
  }

  // MARK: Several rules about one value

  private mutating func checkLogic(_ value: JSONValue, _ rule: SchemaRule, at place: JSONPointer, into found: inout Findings) {
    if let reference = rule.reference { check(value, rule: reference, at: place, into: &found) }
    for schema in rule.all { check(value, rule: schema, at: place, into: &found) }
    if let any = rule.any {
      let outcomes = outcomes(value, any, at: place)
      if !outcomes.contains(where: \.all.isEmpty) { explain(outcomes, value, rule, any, at: place, into: &found) }
    }
    if let one = rule.one {
      let outcomes = outcomes(value, one, at: place)
      let fitting = outcomes.count(where: \.all.isEmpty)
      if fitting == 0 { explain(outcomes, value, rule, one, at: place, into: &found) }
      if fitting > 1 { found.add("fits \(fitting) of \(one.count) forms, expected exactly one", at: place) }
    }
    if let not = rule.not, isValid(value, not), gaveUp == nil {
      found.add("is \(shown(value, of: rule)), expected anything but \(rules[not].words)", at: place)
    }
    if let condition = rule.condition.if, let then = isValid(value, condition) ? rule.condition.then : rule.condition.else {
      check(value, rule: then, at: place, into: &found)
    }
  }

  private mutating func isValid(_ value: JSONValue, _ schema: SchemaRule.ID) -> Bool {
    var found = Findings()
    check(value, rule: schema, at: JSONPointer(), into: &found)
    return found.all.isEmpty
  }

  private mutating func outcomes(_ value: JSONValue, _ schemas: [SchemaRule.ID], at place: JSONPointer) -> [Findings] {
    var outcomes: [Findings] = []
    for schema in schemas {
      var found = Findings()
      check(value, rule: schema, at: place, into: &found)
      outcomes.append(found)
    }
    return outcomes
  }

  /// Of several forms none fits: what is wrong with the one that was meant, if one can be told; otherwise what each would be.
  private func explain(
    _ outcomes: [Findings], _ value: JSONValue, _ rule: SchemaRule, _ schemas: [SchemaRule.ID], at place: JSONPointer,
    into found: inout Findings
  ) {
    let mismatches = outcomes.map { $0.all.count(where: \.isMismatch) }
    let least = mismatches.min() ?? 0
    if mismatches.count(where: { $0 == least }) == 1, let meant = mismatches.firstIndex(of: least) {
      for finding in outcomes[meant].all { found.add(finding.message, at: finding.place, isMismatch: finding.isMismatch) }
    } else if outcomes.allSatisfy({ $0.all.allSatisfy { $0.place == place && $0.isMismatch } }) {
      let words = schemas.map { rules[$0].words }
      found.add("is \(shown(value, of: rule)), expected \(words.joined(separator: " or "))", at: place, isMismatch: true)
    } else {
      let reasons = outcomes.compactMap(\.all.first).map { finding in
        let inner = JSONPointer(Array(finding.place.steps.dropFirst(place.steps.count)))
        return inner.steps.isEmpty ? "it \(finding.message)" : "\(inner) \(finding.message)"
      }
      found.add("fits none of \(schemas.count) forms: " + reasons.joined(separator: "; or "), at: place)
    }
  }
}

extension JSONValue {
  /// How many values there are in it, itself included; long texts count as more.
  fileprivate var size: Int {
    switch self {
    case .string(let text): 1 + text.utf8.count / 16
    case .array(let items): items.reduce(1) { $0 + $1.size }
    case .object(let members): members.reduce(1) { $0 + 1 + $1.value.size }
    default: 1
    }
  }
}
