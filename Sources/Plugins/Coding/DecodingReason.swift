/// What is wrong with a message, in words for who wrote it.
enum DecodingReason {
  static func text(_ error: any Error) -> String {
    func place(_ path: [any CodingKey]) -> String {
      path.isEmpty ? "the whole" : "'\(path.map { $0.intValue.map(String.init) ?? $0.stringValue }.joined(separator: "."))'"
    }
    let text =
      switch error {
      case DecodingError.keyNotFound(let key, let context): "\(place(context.codingPath + [key])) is missing"
      case DecodingError.typeMismatch(_, let context), DecodingError.valueNotFound(_, let context):
        "\(place(context.codingPath)) is of another type"
      case DecodingError.dataCorrupted(let context): "\(place(context.codingPath)): \(context.debugDescription)"
      default: "\(error)"
      }
    return PluginText.line(text)
  }
}
