package import Foundation

/// How messages are written and read: times in RFC 3339 (UTC), contents in Base64, no raw newline.
package enum PluginJSON {
  /// Shared by all connections: neither holds anything between two uses.
  package static let encoder: JSONEncoder = {
    let encoder = JSONEncoder()
    encoder.outputFormatting = .withoutEscapingSlashes
    encoder.dateEncodingStrategy = .custom { date, encoder in
      var container = encoder.singleValueContainer()
      try container.encode(date.formatted(Date.ISO8601FormatStyle(includingFractionalSeconds: true)))
    }
    return encoder
  }()

  package static let decoder: JSONDecoder = {
    let decoder = JSONDecoder()
    decoder.dateDecodingStrategy = .custom { decoder in
      let container = try decoder.singleValueContainer()
      let text = try container.decode(String.self)
      for withFraction in [true, false] {
        // Not in this form: the other one decides.
        if let date = try? Date.ISO8601FormatStyle(includingFractionalSeconds: withFraction).parse(text) { return date }
      }
      throw DecodingError.dataCorruptedError(in: container, debugDescription: "expected a time such as 2026-11-26T09:14:02Z")
    }
    return decoder
  }()
}
