/// Reads a pattern of ECMA-262.
struct PatternParser {
  private static let most = (scalars: 1000, depth: 32, times: 1000)

  private let scalars: [Unicode.Scalar]
  private var index = 0
  private var depth = 0

  init(_ text: String) { scalars = Array(text.unicodeScalars) }

  mutating func parse() throws(Pattern.Refusal) -> PatternNode {
    guard scalars.count <= Self.most.scalars else { throw refusal("is longer than \(Self.most.scalars) characters") }
    let node = try choice()
    guard index == scalars.count else { throw refusal("has a ')' without a '('") }
    return node
  }

  private var current: Unicode.Scalar? { index < scalars.count ? scalars[index] : nil }

  private mutating func skip(_ text: String) -> Bool {
    let wanted = Array(text.unicodeScalars)
    guard scalars[index...].starts(with: wanted) else { return false }
    index += wanted.count
    return true
  }

  private func refusal(_ message: String) -> Pattern.Refusal { Pattern.Refusal(message: message) }

  private mutating func choice() throws(Pattern.Refusal) -> PatternNode {
    depth += 1
    defer { depth -= 1 }
    guard depth <= Self.most.depth else { throw refusal("has groups nested deeper than \(Self.most.depth)") }
    var branches = [try sequence()]
    while skip("|") { branches.append(try sequence()) }
    return branches.count == 1 ? branches[0] : .choice(branches)
  }

  private mutating func sequence() throws(Pattern.Refusal) -> PatternNode {
    var nodes: [PatternNode] = []
    while let scalar = current, scalar != "|", scalar != ")" {
      nodes.append(try repetition(of: try atom()))
    }
    return .sequence(nodes)
  }

  private mutating func repetition(of node: PatternNode) throws(Pattern.Refusal) -> PatternNode {
    let times: (least: Int, most: Int?)
    switch current {
    case "*": times = (0, nil)
    case "+": times = (1, nil)
    case "?": times = (0, 1)
    case "{": times = try braces()
    default: return node
    }
    if case .expect = node { throw refusal("repeats a place, which takes nothing") }
    index += 1
    // A lazy repetition matches the same texts.
    _ = skip("?")
    if let scalar = current, "*+?{".unicodeScalars.contains(scalar) {
      throw refusal("repeats a repetition; put the inner one in parentheses")
    }
    return .repeated(node, least: times.least, most: times.most)
  }

  /// `{2}`, `{2,}` or `{2,5}`; stays on the closing brace.
  private mutating func braces() throws(Pattern.Refusal) -> (Int, Int?) {
    guard let end = scalars[index...].firstIndex(of: "}") else { throw refusal("has a '{' without a '}'; write '\\{' for the character") }
    let text = String(String.UnicodeScalarView(scalars[index + 1..<end]))
    let parts = text.split(separator: ",", maxSplits: 1, omittingEmptySubsequences: false)
    guard let least = parts.first.flatMap(Self.count) else { throw refusal("has '{\(text)}', expected how often, such as {2,5}") }
    let most: Int? =
      if parts.count == 1 { least } else if parts[1].isEmpty { nil } else {
        Self.count(parts[1]) ?? -1
      }
    guard least <= Self.most.times, (most ?? least) >= least, (most ?? least) <= Self.most.times else {
      throw refusal("has '{\(text)}', expected how often, up to \(Self.most.times), the smaller number first")
    }
    index = end
    return (least, most)
  }

  private static func count(_ text: Substring) -> Int? { text.utf8.allSatisfy { (0x30...0x39).contains($0) } ? Int(text) : nil }

  private mutating func atom() throws(Pattern.Refusal) -> PatternNode {
    let scalar = scalars[index]
    switch scalar {
    case "^", "$", ".": index += 1
    case "(": return try group()
    case "[": return .take(try bracket())
    case "\\":
      if skip("\\b") { return .expect(.wordEdge) }
      if skip("\\B") { return .expect(.noWordEdge) }
      return .take(try escape())
    case "*", "+", "?", "{": throw refusal("has '\(scalar)' with nothing before it to repeat; write '\\\(scalar)' for the character")
    default:
      index += 1
      return .take(ScalarSet(scalar))
    }
    return scalar == "^" ? .expect(.start) : scalar == "$" ? .expect(.end) : .take(.anyInLine)
  }

  private mutating func group() throws(Pattern.Refusal) -> PatternNode {
    index += 1
    if skip("?") {
      if current == "<", index + 1 < scalars.count, scalars[index + 1] != "=", scalars[index + 1] != "!" {
        guard let end = scalars[index...].firstIndex(of: ">") else { throw refusal("has the name of a group without its '>'") }
        index = end + 1
      } else if !skip(":") {
        throw refusal("looks around ('(?=', '(?!', '(?<=', '(?<!'), which is not supported")
      }
    }
    let node = try choice()
    guard skip(")") else { throw refusal("has a '(' without a ')'") }
    return node
  }

  private mutating func bracket() throws(Pattern.Refusal) -> ScalarSet {
    index += 1
    let isInverted = skip("^")
    var ranges: [ClosedRange<UInt32>] = []
    while let scalar = current, scalar != "]" {
      let first = try member()
      guard current == "-", index + 1 < scalars.count, scalars[index + 1] != "]" else {
        ranges += first.plain
        continue
      }
      index += 1
      let last = try member()
      guard let lower = first.single, let upper = last.single, lower <= upper else {
        throw refusal("has a range in brackets whose ends are not two characters in order")
      }
      ranges.append(lower...upper)
    }
    guard skip("]") else { throw refusal("has a '[' without a ']'") }
    return ScalarSet(ranges, isInverted: isInverted)
  }

  private mutating func member() throws(Pattern.Refusal) -> ScalarSet {
    if skip("\\b") { return ScalarSet("\u{8}") }
    if current == "\\" { return try escape() }
    defer { index += 1 }
    return ScalarSet(scalars[index])
  }

  private mutating func escape() throws(Pattern.Refusal) -> ScalarSet {
    index += 1
    guard let scalar = current else { throw refusal("ends with a '\\'") }
    index += 1
    switch scalar {
    case "d": return .digit
    case "D": return .digit.inverted
    case "w": return .word
    case "W": return .word.inverted
    case "s": return .space
    case "S": return .space.inverted
    case "n": return ScalarSet("\n")
    case "r": return ScalarSet("\r")
    case "t": return ScalarSet("\t")
    case "v": return ScalarSet("\u{B}")
    case "f": return ScalarSet("\u{C}")
    case "0" where !(current.map { ("0"..."9").contains($0) } ?? false): return ScalarSet("\0")
    case "c":
      guard let letter = current, letter.properties.isAlphabetic, letter.isASCII, let control = Unicode.Scalar(letter.value % 32) else {
        throw refusal("has a '\\c' without a letter")
      }
      index += 1
      return ScalarSet(control)
    case "x": return try hexadecimal(2)
    case "u":
      guard skip("{") else { return try hexadecimal(4) }
      guard let end = scalars[index...].firstIndex(of: "}") else { throw refusal("has '\\u{' without a '}'") }
      let set = try hexadecimal(end - index)
      index = end + 1
      return set
    default:
      let isLetterOrDigit = ScalarSet.word.contains(scalar) && scalar != "_"
      guard !isLetterOrDigit else { throw refusal("has '\\\(scalar)', which is not supported") }
      return ScalarSet(scalar)
    }
  }

  private mutating func hexadecimal(_ count: Int) throws(Pattern.Refusal) -> ScalarSet {
    let digits = scalars[index...].prefix(count)
    guard digits.count == count, digits.allSatisfy(\.properties.isASCIIHexDigit),
      let value = UInt32(String(String.UnicodeScalarView(digits)), radix: 16), let scalar = Unicode.Scalar(value)
    else { throw refusal("has a '\\x' or '\\u' without the hexadecimal digits of a character") }
    index += count
    return ScalarSet(scalar)
  }
}

extension ScalarSet {
  fileprivate var single: UInt32? {
    guard !isInverted, ranges.count == 1, ranges[0].lowerBound == ranges[0].upperBound else { return nil }
    return ranges[0].lowerBound
  }
}
