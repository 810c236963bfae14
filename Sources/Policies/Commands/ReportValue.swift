/// A value of a report, for `--json`.
package indirect enum ReportValue: Hashable, Sendable, Encodable {
  case none
  case bool(Bool)
  case integer(Int)
  case number(Double)
  case text(String)
  case list([ReportValue])
  case object([String: ReportValue])

  package static func optional(_ text: String?) -> ReportValue { text.map(ReportValue.text) ?? .none }
  package static func optional(_ number: Double?) -> ReportValue { number.map(ReportValue.number) ?? .none }
  package static func optional(_ number: Int?) -> ReportValue { number.map(ReportValue.integer) ?? .none }

  package func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    switch self {
    case .none: try container.encodeNil()
    case .bool(let value): try container.encode(value)
    case .integer(let value): try container.encode(value)
    // JSON has no word for these.
    case .number(let value) where !value.isFinite: try container.encodeNil()
    case .number(let value): try container.encode(value)
    case .text(let value): try container.encode(value)
    case .list(let values): try container.encode(values)
    case .object(let values): try container.encode(values)
    }
  }
}

extension ReportValue: ExpressibleByStringInterpolation, ExpressibleByIntegerLiteral, ExpressibleByBooleanLiteral {
  package init(stringLiteral value: String) { self = .text(value) }
  package init(integerLiteral value: Int) { self = .integer(value) }
  package init(booleanLiteral value: Bool) { self = .bool(value) }
}
