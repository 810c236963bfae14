import Foundation

/// The field `payload` of a form body (WHATWG URL, "application/x-www-form-urlencoded parsing").
enum FormPayload {
  /// Why there is no payload.
  enum Fault: Error, Equatable, CustomStringConvertible {
    case noForm
    case missing
    case repeated
    case badEscape

    var description: String {
      switch self {
      case .noForm: "the body is JSON, but Content-Type says that it is a form"
      case .missing: "the form has no field 'payload'"
      case .repeated: "the form has the field 'payload' more than once"
      case .badEscape: "the field 'payload' has a '%' that two hexadecimal digits do not follow"
      }
    }
  }

  /// The bytes of the one `payload` field, unescaped.
  ///
  /// A body that begins as an object is refused: Content-Type is not signed, and within a signed JSON body the text of a stranger, such as
  /// a branch's name, could hold `&payload=` and pass for the whole message. GitHub escapes `{` in forms.
  static func decode(_ body: Data) throws(Fault) -> Data {
    if body.first == UInt8(ascii: "{") { throw .noForm }
    let prefix = Data("payload=".utf8)
    let fields = body.split(separator: UInt8(ascii: "&")).filter { $0.starts(with: prefix) }
    guard let field = fields.first else { throw .missing }
    if fields.count > 1 { throw .repeated }
    return try unescape(field.dropFirst(prefix.count))
  }

  private static func unescape(_ bytes: Data) throws(Fault) -> Data {
    var result = Data(capacity: bytes.count)
    var rest = bytes.makeIterator()
    while let byte = rest.next() {
      switch byte {
      case UInt8(ascii: "+"): result.append(UInt8(ascii: " "))
      case UInt8(ascii: "%"):
        guard let high = rest.next().flatMap(digit), let low = rest.next().flatMap(digit) else { throw .badEscape }
        result.append(high << 4 | low)
      default: result.append(byte)
      }
    }
    return result
  }

  private static func digit(_ byte: UInt8) -> UInt8? {
    switch byte {
    case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
    case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
    case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
    default: nil
    }
  }
}
