/// A number of JSON, compared as a number: whole ones exactly.
enum JSONNumber: Sendable {
  case whole(Int64)
  case real(Double)

  init?(_ value: JSONValue) {
    switch value {
    case .integer(let number): self = .whole(number)
    case .number(let number) where number.isFinite: self = Int64(exactly: number).map(Self.whole) ?? .real(number)
    default: return nil
    }
  }

  var double: Double {
    switch self {
    case .whole(let number): Double(number)
    case .real(let number): number
    }
  }

  var isWhole: Bool {
    switch self {
    case .whole: true
    case .real(let number): number.rounded() == number
    }
  }

  /// As decimals are meant: 0.3 is a multiple of 0.1, whatever their binary neighbours say.
  func isMultiple(of divisor: JSONNumber) -> Bool {
    if case .whole(let dividend) = self, case .whole(let divisor) = divisor {
      return dividend.remainderReportingOverflow(dividingBy: divisor).partialValue == 0
    }
    let quotient = double / divisor.double
    guard quotient.isFinite else { return double.truncatingRemainder(dividingBy: divisor.double) == 0 }
    return (quotient - quotient.rounded()).magnitude <= 4 * quotient.ulp
  }
}

extension JSONNumber: Comparable, CustomStringConvertible {
  static func == (one: JSONNumber, other: JSONNumber) -> Bool {
    if case .whole(let one) = one, case .whole(let other) = other { one == other } else { one.double == other.double }
  }

  static func < (one: JSONNumber, other: JSONNumber) -> Bool {
    if case .whole(let one) = one, case .whole(let other) = other { one < other } else { one.double < other.double }
  }

  var description: String {
    switch self {
    case .whole(let number): "\(number)"
    case .real(let number): "\(number)"
    }
  }
}

extension JSONValue {
  /// The same value for all that JSON Schema holds equal: 1.0 is 1.
  var canonical: JSONValue {
    switch self {
    case .number(let number): Int64(exactly: number).map(Self.integer) ?? self
    case .array(let items): .array(items.map(\.canonical))
    case .object(let members): .object(members.mapValues(\.canonical))
    default: self
    }
  }
}
