/// A pattern of `branches`, `tags` or `paths`, looked at for what can never match.
///
/// Source: docs.github.com/actions/reference/workflow-syntax-for-github-actions#filter-pattern-cheat-sheet, and `git check-ref-format`.
struct FilterPattern {
  enum Kind { case ref, path }

  /// What is wrong with it, as the end of a sentence; nil where nothing is.
  let complaint: String?

  init(_ text: String, _ kind: Kind) {
    complaint = Self.complaint(about: Array(text.unicodeScalars), text, kind)
  }

  private static func complaint(about characters: [Unicode.Scalar], _ text: String, _ kind: Kind) -> String? {
    let body = characters.first == "!" ? characters.dropFirst() : characters[...]
    if body.isEmpty { return "negates nothing" }
    switch kind {
    case .ref:
      if body.first == "/" || body.last == "/" { return "begins or ends with '/', which no branch or tag does" }
      if body.last == "." || text.contains("..") { return "has dots where no branch or tag may have them" }
    case .path:
      if body.first == " " || body.last == " " { return "begins or ends with a blank" }
      let parts = String(String.UnicodeScalarView(body)).split(separator: "/", omittingEmptySubsequences: false)
      if parts.contains(where: { $0 == "." || $0 == ".." }) { return "has '.' or '..', which paths of a repository never have" }
    }
    return syntaxComplaint(Array(body), kind)
  }

  private static func syntaxComplaint(_ body: [Unicode.Scalar], _ kind: Kind) -> String? {
    var index = 0
    var previous: Unicode.Scalar?
    while index < body.count {
      let character = body[index]
      switch character {
      case "\\":
        guard index + 1 < body.count, "[?+*\\!".unicodeScalars.contains(body[index + 1]) else {
          if kind == .ref { return "has a '\\' that escapes nothing" }
          break
        }
        index += 1
      case "?", "+":
        if previous == nil || previous == "?" || previous == "+" || previous == "*" {
          return "has a '\(character)' with nothing to repeat before it"
        }
      case "[":
        guard let end = body[(index + 1)...].firstIndex(of: "]") else { return "has a '[' without its ']'" }
        if let complaint = classComplaint(Array(body[(index + 1)..<end])) { return complaint }
        index = end
      case " ", "~", "^", ":":
        if kind == .ref { return "has '\(character)', which no branch or tag may have" }
      default:
        if kind == .ref, character.value < 0x20 || character.value == 0x7F { return "has a control character" }
      }
      previous = character
      index += 1
    }
    return nil
  }

  private static func classComplaint(_ members: [Unicode.Scalar]) -> String? {
    if members.isEmpty { return "has an empty '[]'" }
    if members.count == 1 { return "has one character in '[]', which stands for itself without them" }
    for index in members.indices.dropLast().dropFirst() where members[index] == "-" {
      if members[index - 1] > members[index + 1] {
        return "has the range '\(members[index - 1])-\(members[index + 1])', which is backwards"
      }
    }
    return nil
  }
}
