/// The arguments of `docker create` in `options`, cut as a shell would.
struct ContainerOptions {
  let words: [String]

  init(_ text: String) {
    var words: [String] = []
    var word = ""
    var quote: Character?
    var isInWord = false
    for character in text {
      if let open = quote {
        if character == open { quote = nil } else { word.append(character) }
      } else if character == "'" || character == "\"" {
        quote = character
        isInWord = true
      } else if character.isWhitespace {
        if isInWord { words.append(word) }
        (word, isInWord) = ("", false)
      } else {
        word.append(character)
        isInWord = true
      }
    }
    if isInWord { words.append(word) }
    self.words = words
  }

  /// The values of an option that takes one: `--name value` or `--name=value`.
  func values(of names: String...) -> [String] {
    words.indices.compactMap { index in
      for name in names {
        if words[index] == name { return index + 1 < words.count ? words[index + 1] : nil }
        if words[index].hasPrefix(name + "=") { return String(words[index].dropFirst(name.count + 1)) }
      }
      return nil
    }
  }

  func has(_ flag: String) -> Bool { words.contains { $0 == flag || $0 == "\(flag)=true" } }
}
