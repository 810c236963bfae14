import Emulator
import Foundation

/// A job that a test pushes, and how it must end.
struct Work: Sendable {
  var name: String
  /// One line of shell.
  var script: String
  var labels = "ubuntu-latest"
  var conclusion: String
  /// Further lines among its steps.
  var steps: [String] = []
  /// Whether a runner of ours must have written its mark into the log, once.
  var leavesMark = true

  static func success(_ name: String) -> Work { Work(name: name, script: "echo at work", conclusion: "success") }
  static func failure(_ name: String) -> Work { Work(name: name, script: "echo at work && false", conclusion: "failure") }

  /// Lasts until a file is there.
  static func held(_ name: String, by gate: URL) -> Work {
    Work(name: name, script: "while [ ! -e '\(gate.path(percentEncoded: false))' ]; do sleep 0.05; done", conclusion: "success")
  }

  /// Lasts until it is cancelled, or for ever.
  static func endless(_ name: String, conclusion: String) -> Work {
    Work(name: name, script: "while true; do sleep 0.2; done", conclusion: conclusion, leavesMark: false)
  }

  /// Nobody's here: a runner of the old kind takes it.
  static func traditional(_ name: String) -> Work {
    Work(name: name, script: "echo elsewhere", labels: "windows", conclusion: "success", leavesMark: false)
  }

  /// What its log holds once. Not in the script as it stands, which the log shows too.
  var mark: String { "mark 42 of \(name)." }

  private var text: String {
    """
      \(name):
        runs-on: \(labels)
        steps:
          - run: echo "mark $((40 + 2)) of \(name)." && \(script)

    """ + steps.map { "      - \($0)\n" }.joined()
  }

  /// A workflow of several jobs.
  static func workflow(_ works: [Work]) -> String { "name: Work\non: push\njobs:\n" + works.map(\.text).joined() }
}
