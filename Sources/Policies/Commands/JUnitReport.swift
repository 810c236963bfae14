/// Test results as XML that CI systems read. Source: https://github.com/testmoapp/junitxml
enum JUnitReport {
  static func xml(tests: [BundleCheck.TestResult], problems: [BundleCheck.Problem]) -> String {
    let byFile = Dictionary(grouping: tests, by: \.file)
    let failed = tests.count { $0.failure != nil }
    var lines = [
      #"<?xml version="1.0" encoding="UTF-8"?>"#,
      #"<testsuites name="policies" tests="\#(tests.count + problems.count)" failures="\#(failed)" errors="\#(problems.count)" time="\#(seconds(tests))">"#,
    ]
    for file in byFile.keys.sorted() {
      let results = byFile[file] ?? []
      lines.append(
        #"  <testsuite name="\#(escaped(file))" tests="\#(results.count)" failures="\#(results.count { $0.failure != nil })" errors="0" time="\#(seconds(results))">"#
      )
      lines += results.flatMap(testCase)
      lines.append("  </testsuite>")
    }
    if !problems.isEmpty {
      lines.append(#"  <testsuite name="bundle" tests="\#(problems.count)" failures="0" errors="\#(problems.count)" time="0.000">"#)
      for problem in problems {
        lines.append(#"    <testcase classname="bundle" name="\#(escaped(problem.file))" time="0.000">"#)
        lines.append(#"      <error message="\#(escaped(problem.description))"/>"#)
        lines.append("    </testcase>")
      }
      lines.append("  </testsuite>")
    }
    return (lines + ["</testsuites>", ""]).joined(separator: "\n")
  }

  private static func testCase(_ test: BundleCheck.TestResult) -> [String] {
    let head = #"    <testcase classname="\#(escaped(test.file))" name="\#(escaped(test.name))" time="\#(seconds([test]))""#
    guard test.failure != nil || !test.printed.isEmpty else { return [head + "/>"] }
    var lines = [head + ">"]
    if let failure = test.failure { lines.append(#"      <failure message="\#(escaped(failure.description))"/>"#) }
    if !test.printed.isEmpty { lines.append("      <system-out>\(escaped(test.printed))</system-out>") }
    return lines + ["    </testcase>"]
  }

  /// Three places, with a point in every locale.
  private static func seconds(_ tests: [BundleCheck.TestResult]) -> String {
    let milliseconds = Int(min(1e12, tests.reduce(0) { $0 + $1.milliseconds }).rounded())
    let rest = "\(milliseconds % 1000)"
    return "\(milliseconds / 1000).\(String(repeating: "0", count: 3 - rest.count))\(rest)"
  }

  /// XML has no way to write most control characters.
  private static func escaped(_ text: String) -> String {
    var escaped = ""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "&": escaped += "&amp;"
      case "<": escaped += "&lt;"
      case ">": escaped += "&gt;"
      case "\"": escaped += "&quot;"
      case "\n": escaped += "&#10;"
      case "\t": escaped += "&#9;"
      default:
        let isForbidden = scalar.value < 0x20 || 0xfffe...0xffff ~= scalar.value
        escaped.unicodeScalars.append(isForbidden ? "\u{fffd}" : scalar)
      }
    }
    return escaped
  }
}
