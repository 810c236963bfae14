extension Comparison {
  /// One page with table and plots: nothing outside it is needed, and it follows the reader's light or dark.
  package var page: String {
    """
    <!doctype html>
    <html lang="en">
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <title>Simulation of \(HTML.text(trace))</title>
    <style>\(Self.style)</style>
    <h1>Simulation of \(HTML.text(trace))</h1>
    <p>\(HTML.text(head))</p>
    \(pageTable)
    \(plots.map(figure).joined(separator: "\n"))
    <h2>Waits by class of jobs</h2>
    \(classTable)
    <h2>What was assumed</h2>
    <ul>\(notes.map { "<li>\(HTML.text($0))</li>" }.joined())</ul>
    </html>

    """
  }

  private var pageTable: String {
    let rows = rows
    let head = rows[0].map { "<th scope=\"col\">\(HTML.text($0))</th>" }.joined()
    let body = rows.dropFirst().map { row in
      "<tr><th scope=\"row\">\(HTML.text(row[0]))</th>\(row.dropFirst().map { "<td>\(HTML.text($0))</td>" }.joined())</tr>"
    }
    return "<table><thead><tr>\(head)</tr></thead><tbody>\(body.joined(separator: "\n"))</tbody></table>"
  }

  private var classTable: String {
    let names = sides.first?.waits.filter { $0.kind == .jobClass }.map(\.name) ?? []
    let head = "<th>labels</th><th>jobs</th>" + sides.map { "<th>\(HTML.text($0.name))</th>" }.joined()
    let body = names.map { name in
      "<tr><th scope=\"row\">\(HTML.text(name))</th><td>\(sides.first?.wait(name).map { Words.count($0.count) } ?? "0")</td>"
        + sides.map { "<td>\(Words.waits($0.wait(name)))</td>" }.joined() + "</tr>"
    }
    return "<table><thead><tr>\(head)</tr></thead><tbody>\(body.joined(separator: "\n"))</tbody></table>"
  }

  private var plots: [Chart] {
    func lines(_ values: (Outcome) -> [Int]) -> [Chart.Line] {
      sides.enumerated().map { Chart.Line(name: $1.name, values: values($1).map(Double.init), colour: $0) }
    }
    let step = sides.first?.series.step ?? 1
    let containers = lines(\.series.existing)
    let busy = sides.enumerated().map {
      Chart.Line(name: "\($1.name): busy", values: $1.series.busy.map(Double.init), colour: $0, isDashed: true)
    }
    return [
      Chart(title: "Containers that exist, and of them the busy ones", step: step, lines: containers + busy),
      Chart(title: "Jobs that wait", step: step, lines: lines(\.series.waiting)),
    ]
  }

  private func figure(_ chart: Chart) -> String {
    let keys = chart.lines.map { "<span class=\"key c\($0.colour)\(($0.isDashed ? " dashed" : ""))\">\(HTML.text($0.name))</span>" }
    return """
      <figure><figcaption>\(HTML.text(chart.title))</figcaption><div class="plot">\(chart.svg)</div>
      <div class="keys">\(keys.joined())</div></figure>
      """
  }

  private static let style = """
    :root { color-scheme: light dark; --ink: #1c2430; --faint: #5d6b7e; --grid: #d9dfe7; --paper: #fff;
      --c0: #1f6feb; --c1: #c4500c; --c2: #5d6b7e; }
    @media (prefers-color-scheme: dark) { :root { --ink: #e6eaf0; --faint: #9aa7b8; --grid: #333c48; --paper: #12161c;
      --c0: #6cb0ff; --c1: #ffa55c; --c2: #9aa7b8; } }
    body { font: 15px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--paper); max-width: 62rem; margin: 2rem auto; padding: 0 1rem; }
    table { border-collapse: collapse; margin: 1rem 0; display: block; overflow-x: auto; }
    th, td { text-align: left; padding: .25rem 1rem .25rem 0; border-bottom: 1px solid var(--grid); font-weight: normal;
      font-variant-numeric: tabular-nums; white-space: pre; }
    thead th { font-weight: 600; } th:first-child { position: sticky; left: 0; background: var(--paper); }
    @media (max-width: 40rem) { th:first-child { white-space: pre-wrap; min-width: 9rem; } }
    figure { margin: 2rem 0; } figcaption { font-weight: 600; margin-bottom: .5rem; }
    .plot { overflow-x: auto; margin-bottom: .5rem; } svg { width: 100%; min-width: 42rem; height: auto; display: block; }
    .grid { stroke: var(--grid); } .line { fill: none; stroke-linejoin: round; }
    .axis { fill: var(--faint); font-size: 12px; } .end { text-anchor: end; } .middle { text-anchor: middle; }
    .c0 { stroke: var(--c0); } .c1 { stroke: var(--c1); } .c2 { stroke: var(--c2); }
    .key { display: inline-block; margin-right: 1.5rem; } .key::before { content: ""; display: inline-block; width: 1.5rem;
      border-top: 3px solid currentColor; margin-right: .5rem; vertical-align: middle; } .dashed::before { border-top-style: dashed; }
    .key.c0::before { color: var(--c0); } .key.c1::before { color: var(--c1); } .key.c2::before { color: var(--c2); }
    ul { color: var(--faint); }
    """
}
