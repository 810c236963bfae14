package import Foundation

/// How messages are written and read: times in RFC 3339 (UTC), contents in Base64, no raw newline.
package enum PluginJSON {
  /// Shared by all connections: neither holds anything between two uses.
  package static let encoder: JSONEncoder = {
    let encoder = JSONEncoder()
    encoder.outputFormatting = .withoutEscapingSlashes
    encoder.dateEncodingStrategy = .custom { date, encoder in
      var container = encoder.singleValueContainer()
      try container.encode(date.formatted(dateStyle))
    }
    return encoder
  }()

  package static let decoder: JSONDecoder = {
    let decoder = JSONDecoder()
    decoder.dateDecodingStrategy = .custom { decoder in
      let container = try decoder.singleValueContainer()
      if let date = date(try container.decode(String.self)) { return date }
      throw DecodingError.dataCorruptedError(in: container, debugDescription: expectedDate)
    }
    return decoder
  }()

  static let dateStyle = Date.ISO8601FormatStyle(includingFractionalSeconds: true)
  static let expectedDate = "expected a time such as 2026-11-26T09:14:02Z"

  /// A time as it was written; nil: it is none.
  static func date(_ text: String) -> Date? {
    for withFraction in [true, false] {
      // Not in this form: the other one decides.
      if let date = try? Date.ISO8601FormatStyle(includingFractionalSeconds: withFraction).parse(text) { return date }
    }
    return nil
  }
}
