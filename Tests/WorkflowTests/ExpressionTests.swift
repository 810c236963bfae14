import Testing

@testable import Workflow

@Suite("Expressions in texts and conditions")
struct ExpressionTests {
  private let contexts: [String: ExpressionValue] = [
    "github": ["ref": "refs/heads/main", "event": ["labels": [["name": "bug"], ["name": "ui"]]]], "env": ["A": "x"], "steps": [:],
  ]

  @Test(
    "every expression of a text is replaced by its value",
    arguments: [
      ("plain", "plain"), ("${{ github.ref }}", "refs/heads/main"), ("a ${{env.A}}-${{ 1 + '' }}", nil),
      ("a ${{env.A}}-${{ 1.50 }}", "a x-1.5"),
      ("${{ '}}' }}", "}}"), ("${{ 'it''s }} fine' }}!", "it's }} fine!"), ("${{ github.nothing }}", ""), ("${{ github }}", "Object"),
      ("${{ join(github.event.labels.*.name, '+') }}", "bug+ui"), ("$ {{ x }} $${{ env.A }}", "$ {{ x }} $x"), ("${{ env.A", nil),
      ("${{ }}", nil),
      ("${{ nosuch.x }}", nil), ("${{ success() }}", nil),
    ] as [(String, String?)])
  func interpolates(text: String, expected: String?) throws {
    if let expected {
      #expect(try ExpressionTemplate.interpolate(text, contexts: contexts) == expected)
    } else {
      #expect(throws: ExpressionError.self) { try ExpressionTemplate.interpolate(text, contexts: contexts) }
    }
  }

  @Test("a text that is one expression keeps its value's kind")
  func value() throws {
    #expect(try ExpressionTemplate.evaluate("${{ fromJSON('[1, true]') }}", contexts: [:]) == [1, true])
    #expect(try ExpressionTemplate.evaluate(" ${{ fromJSON('[1, true]') }}", contexts: [:]) == " Array")
  }

  @Test(
    "a condition needs success unless it asks for the status itself",
    arguments: [
      (nil, true, false, false), ("", true, false, false), ("true", true, false, false), ("always()", true, true, true),
      ("failure()", false, true, false), ("${{ failure() }}", false, true, false), ("cancelled()", false, false, true),
      ("!cancelled()", true, true, false), ("success() || failure()", true, true, false), ("env.A == 'X'", true, false, false),
      ("env.A == 'y'", false, false, false), ("${{ env.A == 'x' }}", true, false, false), ("ALWAYS() && env.A", true, true, true),
      ("contains('always()', 'x')", false, false, false),
      // GitHub's known trap: text around the expression makes a string, which is true.
      ("${{ false }} || false", true, false, false),
    ] as [(String?, Bool, Bool, Bool)])
  func conditions(raw: String?, success: Bool, failure: Bool, cancelled: Bool) throws {
    let results = try JobStatus.allCases.map { try ExpressionTemplate.evaluateCondition(raw, contexts: contexts, status: $0) }
    #expect(results == [success, failure, cancelled])
  }

  @Test("further functions come from a table")
  func table() throws {
    let functions = ExpressionFunctions.standard.adding([
      ExpressionFunction("hashFiles", arity: 1...255) { arguments in .string("\(arguments.count) patterns") }
    ])
    #expect(try ExpressionTemplate.interpolate("${{ hashfiles('a', 'b') }}", contexts: [:], functions: functions) == "2 patterns")
    #expect(throws: ExpressionError.self) { try ExpressionTemplate.interpolate("${{ hashFiles() }}", contexts: [:], functions: functions) }
  }

  @Test(
    "hostile expressions end in an error, never in a trap or a hang",
    arguments: [
      String(repeating: "(", count: 20_000), String(repeating: "!", count: 20_000), String(repeating: "a.", count: 10_000) + "b",
      String(repeating: "a[", count: 10_000), String(repeating: "format(", count: 2_500), String(repeating: "-", count: 20_000),
      String(repeating: "'", count: 20_001), String(repeating: "x", count: 21_001), "fromJSON('\(String(repeating: "[", count: 20_000))')",
      "format('\(String(repeating: "{0}", count: 6_000))', join(a.*, '\(String(repeating: "x", count: 1_000))'))",
      "a[1e308]." + String(repeating: "*", count: 100), "fromJSON('1e999999999') && fromJSON('\"\\ud800')",
      "0x" + String(repeating: "f", count: 20_000) + " = 1",
    ])
  func hostile(source: String) {
    let many = ExpressionValue.array(ExpressionArray(Array(repeating: "item", count: 1_000)))
    let clock = ContinuousClock()
    let spent = clock.measure {
      #expect(throws: ExpressionError.self) { try Expression(source, contextNames: ["a"]).evaluate(contexts: ["a": many]) }
    }
    #expect(spent < .seconds(2))
  }

  @Test("groups may nest deeper than the tree, since GitHub does not count them")
  func groups() throws {
    let source = String(repeating: "(", count: 200) + "1" + String(repeating: ")", count: 200)
    #expect(try Expression(source, contextNames: []).evaluate(contexts: [:]) == 1)
  }

  @Test("what is written as JSON reads back the same")
  func roundTrip() throws {
    let value: ExpressionValue = ["b": [1, -0.5, 1e21, true, .null], "a": ["\u{1F600} \"\\\n\u{1}": "é"], "empty": [:], "none": []]
    #expect(try ExpressionJSON.parse(ExpressionJSON.write(value)) == value)
  }

  @Test(
    "broken JSON is an evaluation error",
    arguments: [
      "", "{", "[1,]", "{\"a\":1,}", "{a:1}", "'x'", "01x", "nul", "\"\u{1}\"", "\"\\x\"", "\"\\u12g4\"", "1 2", "+1", ".5", "tru", "[1 2]",
    ])
  func brokenJSON(text: String) {
    #expect(throws: ExpressionError.self) { try ExpressionJSON.parse(text) }
  }
}
