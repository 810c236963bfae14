/// A value of GitHub's expression language.
///
/// `==` compares content. The language's own `==`, which folds case, coerces kinds and compares collections by identity, is
/// ``Expression``'s business.
public enum ExpressionValue: Sendable, Equatable {
  case null
  case boolean(Bool)
  case number(Double)
  case string(String)
  case array(ExpressionArray)
  case object(ExpressionObject)
}

/// An array of the expression language. A class, because the language compares arrays by identity.
public final class ExpressionArray: Sendable, Equatable, ExpressibleByArrayLiteral {
  public let items: [ExpressionValue]
  /// True for what `.*` gives: an index on it is applied to every item.
  let isFiltered: Bool

  public convenience init(_ items: [ExpressionValue]) { self.init(items, isFiltered: false) }
  public convenience init(arrayLiteral elements: ExpressionValue...) { self.init(elements) }

  init(_ items: [ExpressionValue], isFiltered: Bool) {
    self.items = items
    self.isFiltered = isFiltered
  }

  public static func == (left: ExpressionArray, right: ExpressionArray) -> Bool { left === right || left.items == right.items }
}

/// An object of the expression language: ordered, and its keys match without case. A class, because the language compares objects by identity.
public final class ExpressionObject: Sendable, Equatable, ExpressibleByDictionaryLiteral {
  public struct Entry: Sendable, Equatable {
    public let key: String
    public let value: ExpressionValue

    public init(key: String, value: ExpressionValue) {
      self.key = key
      self.value = value
    }
  }

  /// In the order and spelling of their source.
  public let entries: [Entry]
  private let positions: [String: Int]

  /// Of two entries with the same key (without case), the later one replaces the earlier one in its place.
  public init(_ entries: [Entry]) {
    var kept: [Entry] = []
    var positions: [String: Int] = [:]
    for entry in entries {
      let folded = entry.key.expressionFolded
      if let position = positions[folded] {
        kept[position] = entry
      } else {
        positions[folded] = kept.count
        kept.append(entry)
      }
    }
    self.entries = kept
    self.positions = positions
  }

  public convenience init(dictionaryLiteral elements: (String, ExpressionValue)...) {
    self.init(elements.map { Entry(key: $0.0, value: $0.1) })
  }

  /// The value of a key, spelled in any case; nil where there is none.
  public subscript(key: String) -> ExpressionValue? { positions[key.expressionFolded].map { entries[$0].value } }

  public static func == (left: ExpressionObject, right: ExpressionObject) -> Bool { left === right || left.entries == right.entries }
}

extension ExpressionValue: ExpressibleByStringLiteral, ExpressibleByBooleanLiteral, ExpressibleByFloatLiteral,
  ExpressibleByIntegerLiteral, ExpressibleByArrayLiteral, ExpressibleByDictionaryLiteral
{
  public init(stringLiteral value: String) { self = .string(value) }
  public init(booleanLiteral value: Bool) { self = .boolean(value) }
  public init(floatLiteral value: Double) { self = .number(value) }
  public init(integerLiteral value: Int) { self = .number(Double(value)) }

  public init(arrayLiteral elements: ExpressionValue...) { self = .array(ExpressionArray(elements)) }
  public init(dictionaryLiteral elements: (String, ExpressionValue)...) {
    self = .object(ExpressionObject(elements.map { .init(key: $0.0, value: $0.1) }))
  }

  /// An object of texts, such as `env` or `inputs`, in alphabetical order.
  public init(_ texts: [String: String]) {
    self = .object(ExpressionObject(texts.sorted { $0.key < $1.key }.map { .init(key: $0.key, value: .string($0.value)) }))
  }

  /// How `format` and `${{ }}` write the value: null is empty, collections are `Array` and `Object`, numbers have 15 digits.
  public var text: String {
    switch self {
    case .null: ""
    case .boolean(let value): value ? "true" : "false"
    case .number(let value): ExpressionNumber.text(value)
    case .string(let value): value
    case .array: "Array"
    case .object: "Object"
    }
  }

  /// False for null, `false`, 0, NaN and the empty string; true for all else.
  public var isTruthy: Bool {
    switch self {
    case .null: false
    case .boolean(let value): value
    case .number(let value): value != 0 && !value.isNaN
    case .string(let value): !value.isEmpty
    case .array, .object: true
    }
  }

  /// Coerced to a number: null 0, true 1, a text by the number syntax, collections NaN.
  var numeric: Double {
    switch self {
    case .null: 0
    case .boolean(let value): value ? 1 : 0
    case .number(let value): value
    case .string(let value): ExpressionNumber.parse(value)
    case .array, .object: .nan
    }
  }

  var isPrimitive: Bool {
    switch self {
    case .null, .boolean, .number, .string: true
    case .array, .object: false
    }
  }
}

extension String {
  /// The form in which the language compares texts: upper case, one character for one (so `ß` stays), and `ı` left alone, as .NET's ordinal comparison does.
  var expressionFolded: String {
    var isASCII = true
    var isFolded = true
    for byte in utf8 {
      if byte >= 0x80 { isASCII = false }
      if (0x61...0x7A).contains(byte) { isFolded = false }
    }
    if isASCII { return isFolded ? self : uppercased() }
    var folded = String.UnicodeScalarView()
    for scalar in unicodeScalars {
      let upper = scalar.properties.uppercaseMapping.unicodeScalars
      if scalar != "\u{131}", upper.count == 1, let only = upper.first {
        folded.append(only)
      } else {
        folded.append(scalar)
      }
    }
    return String(folded)
  }
}
