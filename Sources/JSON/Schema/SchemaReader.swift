/// Reads a schema into rules, the first of which is that of the whole.
struct SchemaReader {
  private static let most = (depth: 64, rules: 10_000)

  private let root: JSONValue
  private var rules: [SchemaRule] = []
  private var places: [JSONPointer: SchemaRule.ID] = [:]
  private var finished: Set<SchemaRule.ID> = []
  /// Places that a reference named and nothing has read yet.
  private var awaited: [(place: JSONPointer, from: JSONPointer)] = []

  init(root: JSONValue) { self.root = root }

  mutating func read() throws(JSONSchema.Refusal) -> [SchemaRule] {
    _ = try rule(root, at: JSONPointer())
    while let (place, from) = awaited.popLast() {
      guard let schema = place.value(in: root) else { throw refusal("refers to '#\(place)', which is not there", at: from) }
      _ = try rule(schema, at: place)
    }
    try refuseCircles()
    return rules
  }

  /// Has the place read after all else.
  mutating func awaitRule(at target: JSONPointer, from place: JSONPointer) throws(JSONSchema.Refusal) -> SchemaRule.ID {
    awaited.append((target, place))
    return try id(of: target)
  }

  // MARK: Rules and their numbers

  private mutating func id(of place: JSONPointer) throws(JSONSchema.Refusal) -> SchemaRule.ID {
    if let id = places[place] { return id }
    guard rules.count < Self.most.rules else { throw refusal("has more than \(Self.most.rules) schemas in it", at: JSONPointer()) }
    rules.append(SchemaRule())
    places[place] = rules.count - 1
    return rules.count - 1
  }

  mutating func rule(_ schema: JSONValue, at place: JSONPointer) throws(JSONSchema.Refusal) -> SchemaRule.ID {
    let id = try id(of: place)
    guard finished.insert(id).inserted else { return id }
    guard place.steps.count <= Self.most.depth else { throw refusal("is nested deeper than \(Self.most.depth)", at: place) }
    switch schema {
    case .bool(let allows): rules[id].allowsNothing = !allows
    case .object(let keywords):
      var rule = SchemaRule()
      for (word, value) in keywords.sorted(by: { $0.key < $1.key }) {
        guard let keyword = SchemaKeyword(rawValue: word) else { throw refusal(SchemaKeyword.refusal(of: word), at: place) }
        try read(keyword, value, into: &rule, at: place.appending(word))
      }
      try refuseIdle(rule, at: place)
      rules[id] = rule
    default: throw refusal("a schema is an object, true or false; this is \(schema.shown)", at: place)
    }
    return id
  }

  /// Keywords that do nothing without another.
  private func refuseIdle(_ rule: SchemaRule, at place: JSONPointer) throws(JSONSchema.Refusal) {
    if rule.condition.if == nil, rule.condition.then != nil || rule.condition.else != nil {
      throw refusal("has 'then' or 'else' without 'if': nothing would be checked by it", at: place)
    }
    if rule.list.contains == nil, rule.list.leastContained != nil || rule.list.mostContained != nil {
      throw refusal("has 'minContains' or 'maxContains' without 'contains': nothing would be checked by it", at: place)
    }
  }

  /// A schema that asks itself about the same value would never end.
  private func refuseCircles() throws(JSONSchema.Refusal) {
    enum Mark { case open, done }
    var marks: [SchemaRule.ID: Mark] = [:]
    for start in rules.indices where marks[start] == nil {
      var stack: [(id: SchemaRule.ID, next: Int)] = [(start, 0)]
      marks[start] = .open
      while let top = stack.last {
        let targets = rules[top.id].inPlace
        guard top.next < targets.count else {
          marks[top.id] = .done
          stack.removeLast()
          continue
        }
        stack[stack.count - 1].next += 1
        let target = targets[top.next]
        if marks[target] == .open {
          let place = places.first { $0.value == top.id }?.key ?? JSONPointer()
          throw refusal("refers to itself without going into the value, so that its check would not end", at: place)
        }
        if marks[target] == nil {
          marks[target] = .open
          stack.append((target, 0))
        }
      }
    }
  }
}
