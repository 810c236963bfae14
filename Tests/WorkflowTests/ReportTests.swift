import Foundation
import Testing

@testable import Workflow

@Suite("Reports of findings and drawings")
struct ReportTests {
  private let source = "on: push\njobs:\n  a:\n    runs-on: linux\n    shel: x # why\n    needs: [b, 'c d']\n"

  @Test(
    "an excerpt has the line and a caret as long as the word",
    arguments: [
      (5, 5, "   5 |     shel: x # why\n     |     ^^^^"), (5, 11, "   5 |     shel: x # why\n     |           ^"),
      (6, 13, "   6 |     needs: [b, 'c d']\n     |             ^"), (6, 16, "   6 |     needs: [b, 'c d']\n     |                ^^^^^"),
    ])
  func excerpt(line: Int, column: Int, expected: String) {
    let diagnostic = Diagnostic(
      severity: .error, rule: .unknownKey, message: "m", hint: "did you mean 'x'?", path: "w.yml", line: line, column: column)
    let text = SourceExcerpt(source).text(of: diagnostic)
    #expect(text == "w.yml:\(line):\(column): error: m – did you mean 'x'? [unknown-key]\n\(expected)")
  }

  @Test("an excerpt of a place that is not there is its title, and shows no control characters")
  func nowhere() {
    let diagnostic = Diagnostic(severity: .warning, rule: .shell, message: "a\u{1B}[31m", path: "w.yml", line: 99, column: 1)
    #expect(SourceExcerpt(source).text(of: diagnostic) == "w.yml:99:1: warning: a [31m [shell]")
  }

  @Test("reports for programs are well-formed and complete")
  func formats() throws {
    let diagnostics = WorkflowFile.check(source, path: "a b.yml")
    #expect(diagnostics.count >= 2)
    let json = try JSONSerialization.jsonObject(with: Data(try DiagnosticReports.json(diagnostics).utf8)) as? [[String: Any]]
    #expect(json?.count == diagnostics.count)
    #expect(json?.first?["rule"] as? String == diagnostics[0].rule.rawValue)
    let sarif = try JSONSerialization.jsonObject(with: Data(try DiagnosticReports.sarif(diagnostics, version: "1").utf8)) as? [String: Any]
    let run = (sarif?["runs"] as? [[String: Any]])?.first
    #expect((run?["results"] as? [Any])?.count == diagnostics.count)
    #expect(sarif?["version"] as? String == "2.1.0")
    let github = DiagnosticReports.github([
      Diagnostic(severity: .error, rule: .needs, message: "a%\nb", path: "x,y.yml", line: 3, column: 1)
    ])
    #expect(github == "::error file=x%2Cy.yml,line=3,col=1,title=needs::a%25%0Ab")
  }

  @Test("a drawing puts each job to the right of what it needs")
  func drawing() throws {
    let file = try #require(
      parsed(
        """
        on: push
        jobs:
          c: { runs-on: x, needs: [a, b] }
          a: { runs-on: x }
          b: { runs-on: x, needs: a }
        """))
    let drawing = NeedsDrawing(file.jobs)
    #expect(drawing.text == "1  a\n2  b ← a\n3  c ← a, b")
    #expect(drawing.svg.components(separatedBy: "<rect").count == 4 && drawing.svg.components(separatedBy: "<path").count == 4)
  }
}
