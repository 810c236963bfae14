/// Draws what jobs wait for: in columns, each job one to the right of the last job that it needs.
public struct NeedsDrawing {
  private struct Node {
    let job: JobDefinition
    let level: Int
    let row: Int
  }

  private let nodes: [Node]
  private let positions: [String: Int]

  /// - Parameter jobs: of an accepted file, whose `needs` have no circle; one that is drawn all the same ends in the first column.
  public init(_ jobs: [JobDefinition]) {
    let index = Dictionary(jobs.enumerated().map { ($0.element.key.lowercased(), $0.offset) }, uniquingKeysWith: { first, _ in first })
    var levels = [Int](repeating: 0, count: jobs.count)
    // Each round settles a level at least, and a circle never settles.
    for _ in 0..<min(jobs.count, 100) {
      var isSettled = true
      for (position, job) in jobs.enumerated() {
        let level = job.needs.compactMap { index[$0.lowercased()] }.map { levels[$0] + 1 }.max() ?? 0
        if level != levels[position], level < jobs.count {
          levels[position] = level
          isSettled = false
        }
      }
      if isSettled { break }
    }
    var rows: [Int: Int] = [:]
    nodes = jobs.enumerated().map { position, job in
      let level = levels[position]
      defer { rows[level, default: 0] += 1 }
      return Node(job: job, level: level, row: rows[level, default: 0])
    }
    positions = index
  }

  /// One line a level, and what each job waits for.
  public var text: String {
    let levels = Dictionary(grouping: nodes, by: \.level).sorted { $0.key < $1.key }
    return levels.map { level, nodes in
      let jobs = nodes.map { $0.job.key + ($0.job.needs.isEmpty ? "" : " ← \($0.job.needs.joined(separator: ", "))") }
      return "\(level + 1)  \(jobs.joined(separator: "  ·  "))"
    }.joined(separator: "\n")
  }

  /// A picture without scripts, fonts or addresses of other places.
  public var svg: String {
    let box = (width: 190, height: 36)
    let step = (x: box.width + 70, y: box.height + 24)
    func place(_ node: Node) -> (x: Int, y: Int) { (20 + node.level * step.x, 20 + node.row * step.y) }
    let width = 40 + ((nodes.map(\.level).max() ?? 0) + 1) * step.x - 70
    let height = 40 + ((nodes.map(\.row).max() ?? 0) + 1) * step.y - 24
    var lines = [
      "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"\(width)\" height=\"\(height)\" viewBox=\"0 0 \(width) \(height)\" "
        + "font-family=\"sans-serif\" font-size=\"14\">"
    ]
    for node in nodes {
      let end = place(node)
      for need in node.job.needs {
        guard let position = positions[need.lowercased()] else { continue }
        let start = place(nodes[position])
        let from = (x: start.x + box.width, y: start.y + box.height / 2)
        let to = (x: end.x, y: end.y + box.height / 2)
        lines.append(
          "<path d=\"M\(from.x) \(from.y) C\(from.x + 35) \(from.y) \(to.x - 35) \(to.y) \(to.x) \(to.y)\" fill=\"none\" stroke=\"#888\"/>")
      }
    }
    for node in nodes {
      let corner = place(node)
      lines.append(
        "<rect x=\"\(corner.x)\" y=\"\(corner.y)\" width=\"\(box.width)\" height=\"\(box.height)\" rx=\"6\" fill=\"#fff\" stroke=\"#444\"/>"
      )
      lines.append("<text x=\"\(corner.x + 12)\" y=\"\(corner.y + 23)\">\(Self.escaped(Self.short(node.job.key)))</text>")
    }
    return (lines + ["</svg>"]).joined(separator: "\n") + "\n"
  }

  private static func short(_ text: String) -> String { text.count > 22 ? text.prefix(21) + "…" : text }

  private static func escaped(_ text: String) -> String {
    text.replacing("&", with: "&amp;").replacing("<", with: "&lt;").replacing(">", with: "&gt;").replacing("\"", with: "&quot;")
  }
}
