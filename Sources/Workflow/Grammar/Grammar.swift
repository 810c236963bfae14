/// What may stand at a place of a file, in the terms of GitHub's own grammar (`workflow-v1.0.json`): scalars, sequences, mappings, and choices
/// between them.
///
/// A class, because grammars are shared and refer to each other.
final class Grammar: Sendable {
  /// One kind of scalar.
  enum Scalar: Sendable, Equatable {
    case null, boolean, number
    case string, nonEmptyString
    case constants([String])
  }

  /// What expressions here and below may name, beside what the parents allow.
  let scope: ExpressionScope
  let scalars: [Scalar]
  /// Present where a sequence may stand: what its items are.
  let item: Reference?
  /// More than one where keys decide between them.
  let mappings: [MappingGrammar]

  /// A grammar that is looked up when it is needed, so that grammars can be recursive.
  struct Reference: Sendable {
    let resolve: @Sendable () -> Grammar
  }

  init(scope: ExpressionScope = [], scalars: [Scalar] = [], item: Reference? = nil, mappings: [MappingGrammar] = []) {
    self.scope = scope
    self.scalars = scalars
    self.item = item
    self.mappings = mappings
  }

  static let null = Grammar(scalars: [.null])
  static let boolean = Grammar(scalars: [.boolean])
  static let number = Grammar(scalars: [.number])
  static let string = Grammar(scalars: [.string])
  static let nonEmptyString = Grammar(scalars: [.nonEmptyString])
  static let scalar = oneOf(.string, .boolean, .number)
  /// Whatever YAML can say.
  static let any: Grammar = Grammar(
    scalars: [.null, .boolean, .number, .string], item: Reference { any },
    mappings: [MappingGrammar(loose: .init(key: .string, value: Reference { any }))])

  static func constants(_ values: String...) -> Grammar { Grammar(scalars: [.constants(values)]) }

  static func constants(_ values: [String]) -> Grammar { Grammar(scalars: [.constants(values)]) }

  static func sequence(of item: Grammar) -> Grammar { Grammar(item: Reference { item }) }

  static func sequence(ofLater item: @escaping @Sendable () -> Grammar) -> Grammar { Grammar(item: Reference(resolve: item)) }

  /// A mapping with known keys and no others.
  static func mapping(_ properties: KeyValuePairs<String, Grammar>, required: Set<String> = []) -> Grammar {
    Grammar(mappings: [MappingGrammar(properties: properties, required: required)])
  }

  /// A mapping whose keys the author chooses, beside any known ones.
  static func mapping(
    _ properties: KeyValuePairs<String, Grammar> = [:], required: Set<String> = [], any value: Grammar, key: Scalar = .nonEmptyString
  ) -> Grammar {
    Grammar(
      mappings: [MappingGrammar(properties: properties, required: required, loose: .init(key: key, value: Reference { value }))])
  }

  static func oneOf(_ choices: Grammar...) -> Grammar {
    Grammar(
      scope: choices.reduce([]) { $0.union($1.scope) }, scalars: choices.flatMap(\.scalars), item: choices.lazy.compactMap(\.item).first,
      mappings: choices.flatMap(\.mappings))
  }

  static func oneOrMore(_ item: Grammar) -> Grammar { oneOf(item, .sequence(of: item)) }

  /// The same, where expressions may name these contexts too.
  func allowing(_ scope: ExpressionScope) -> Grammar {
    Grammar(scope: self.scope.union(scope), scalars: scalars, item: item, mappings: mappings)
  }
}

/// A mapping of the grammar.
final class MappingGrammar: Sendable {
  /// Keys that the author chooses.
  struct Loose: Sendable {
    let key: Grammar.Scalar
    let value: Grammar.Reference
  }

  let properties: [String: Grammar]
  /// In the order in which their absence is reported.
  let required: [String]
  let loose: Loose?

  init(properties: KeyValuePairs<String, Grammar> = [:], required: Set<String> = [], loose: Loose? = nil) {
    self.properties = Dictionary(properties.map { ($0.key, $0.value) }, uniquingKeysWith: { first, _ in first })
    self.required = properties.map(\.key).filter(required.contains)
    self.loose = loose
  }

  init(table: [String: Grammar]) {
    properties = table
    required = []
    loose = nil
  }
}
