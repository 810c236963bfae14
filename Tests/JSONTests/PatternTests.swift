import JSON
import Testing

@Suite("Patterns")
struct PatternTests {
  private func matches(_ pattern: String, _ text: String) throws -> Bool? {
    var budget = 1_000_000
    return try Pattern(pattern).matches(text, budget: &budget)
  }

  @Test(
    "a pattern matches a part of the text",
    arguments: [
      ("", "", true), ("b", "abc", true), ("^b", "abc", false), ("c$", "abc", true), ("^abc$", "abc", true), ("^$", "", true),
      ("a|b", "xb", true), ("^(a|bc)+$", "abcbca", true), ("^(a|bc)+$", "abcb", false), ("^a*$", "", true), ("^a+$", "", false),
      ("^a?b$", "b", true), ("^a{2,3}$", "aa", true), ("^a{2,3}$", "aaaa", false), ("^a{2}$", "aa", true), ("^a{2,}$", "aaaaa", true),
      ("^(?:ab){2}$", "abab", true), ("^(?<name>a)$", "a", true), ("^[a-c_-]+$", "a-c_b", true), ("^[^a-c]$", "b", false),
      ("^[^a-c]$", "d", true), (#"^\d{3}$"#, "123", true), (#"^\d$"#, "٣", false), (#"^\w+$"#, "aZ_9", true), (#"\s"#, "a\u{A0}b", true),
      (#"^[\w.]+$"#, "a.b", true), (#"^[\D]$"#, "a", true), (#"^[^\W]$"#, "a", true), (#"\bcat\b"#, "a cat.", true),
      (#"\bcat\b"#, "concat", false), (#"\Bcat"#, "concat", true), (#"^\u0041\x42\u{43}$"#, "ABC", true), ("^.$", "\n", false),
      ("^.$", "😀", true), (#"^\.\/\-$"#, "./-", true), ("^(a*)*$", "aaaa", true), ("^a{0}$", "", true), ("^a*?b", "aab", true),
      ("^[]]", "]", false), ("(^a|b$)", "xb", true), ("^(a?){3}$", "aa", true),
    ])
  func matching(pattern: String, text: String, expected: Bool) throws {
    #expect(try matches(pattern, text) == expected)
  }

  @Test(
    "what cannot be matched in bounded time, or is no pattern, is refused",
    arguments: [
      "(", ")", "[a", "a{2", "*a", "a**", "(?=a)", "(?!a)", "(?<=a)", #"(a)\1"#, #"\p{L}"#, #"\"#, "a{3,2}", "a{5000}", "[b-a]", #"\u12"#,
      "((a{100}){100}){100}", "^*", #"\u{110000}"#, "a{99999999999999999999}",
      String(repeating: "(", count: 100) + String(repeating: ")", count: 100),
    ])
  func refusals(pattern: String) {
    #expect(throws: Pattern.Refusal.self) { try Pattern(pattern) }
  }

  @Test("a pattern that makes others try for ever takes time linear in the text")
  func linear() throws {
    let text = String(repeating: "a", count: 10_000) + "!"
    #expect(try matches("^(a+)+$", text) == false)
    #expect(try matches("^(a|aa)+$", text) == false)
    var budget = 100
    #expect(try Pattern("^(a+)+$").matches(text, budget: &budget) == nil)
  }
}
