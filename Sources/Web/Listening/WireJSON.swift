package import Foundation

/// How values of the administration listener are written and read: keys sorted, times in ISO 8601 with milliseconds, UTC.
package enum WireJSON {
  private static let style = Date.ISO8601FormatStyle(includingFractionalSeconds: true)

  package static var encoder: JSONEncoder {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    encoder.dateEncodingStrategy = .custom { date, encoder in
      var container = encoder.singleValueContainer()
      try container.encode(date.formatted(style))
    }
    return encoder
  }

  package static var decoder: JSONDecoder {
    let decoder = JSONDecoder()
    decoder.dateDecodingStrategy = .custom { decoder in
      try style.parse(try decoder.singleValueContainer().decode(String.self))
    }
    return decoder
  }
}
