import Foundation

/// What cases start from: the corpora, where they are there, and a few files that have everything.
package struct FuzzSeeds: Sendable {
  package var files: [[UInt8]]
  package var expressions: [String]

  package init(files: [[UInt8]], expressions: [String]) {
    self.files = files
    self.expressions = expressions
  }

  /// Those of `RUNNERHUB_CORPORA`, default `../shared/corpora`; the built-in ones are always among them.
  package static func load() -> FuzzSeeds {
    var seeds = builtIn
    let root = ProcessInfo.processInfo.environment["RUNNERHUB_CORPORA"] ?? "../shared/corpora"
    for corpus in ["workflow-reader", "actionlint", "starter-workflows", "act", "schema"] {
      let names = FileManager.default.enumerator(atPath: "\(root)/\(corpus)")?.compactMap { $0 as? String } ?? []
      for name in names.sorted() where name.hasSuffix(".yml") || name.hasSuffix(".yaml") {
        // A file that has gone by now is one seed less.
        guard let data = try? Data(contentsOf: URL(filePath: "\(root)/\(corpus)/\(name)")), data.count < 40_000 else { continue }
        seeds.files.append(Array(data))
      }
    }
    let names = FileManager.default.enumerator(atPath: "\(root)/expressions")?.compactMap { $0 as? String } ?? []
    for name in names.sorted() where name.hasSuffix(".json") {
      guard let text = try? String(contentsOf: URL(filePath: "\(root)/expressions/\(name)"), encoding: .utf8) else { continue }
      seeds.expressions += text.matches(of: /"expr": "((?:[^"\\]|\\.){1,400})"/).map { String($0.output.1) }
    }
    return seeds
  }

  package static let builtIn = FuzzSeeds(
    files: [
      Array(
        """
        name: All of it
        on:
          push: { branches: [main, 'release/**'], paths-ignore: ['docs/**'] }
          schedule: [{ cron: '*/15 2-4 * jan mon', timezone: Europe/Berlin }]
          workflow_dispatch: { inputs: { level: { type: choice, options: [a, b], default: a } } }
          workflow_call: { inputs: { n: { type: number, default: 1 } }, secrets: { s: { required: true } } }
        permissions: { contents: read }
        env: &env { A: "1", B: ${{ github.ref }} }
        jobs:
          # runnerhub: cpus=2 memory=4g
          build:
            runs-on: [self-hosted, '${{ matrix.os }}']
            if: ${{ always() && contains(github.event.labels.*.name, 'x') }}
            strategy:
              matrix: { os: [linux, mac], v: [1, 2.5, true], include: [{ os: linux, extra: { a: [1] } }], exclude: [{ v: 1 }] }
            container: { image: 'ghcr.io/acme/x:1@sha256:00', options: '--cpus 2 -m 3g', env: *env }
            services: { db: { image: postgres, ports: ['5432:5432'] } }
            steps:
              - uses: actions/checkout@v4
                with: { ref: "${{ format('{0}-{1}', github.sha, fromJSON('[1]')[0]) }}" }
              - run: |
                  echo "${{ steps.a.outputs.b || 'none' }}"
                id: a
                background: true
              - wait: a
              - parallel: [{ run: 'true' }, { uses: ./x }]
          call: { needs: build, uses: ./.github/workflows/x.yml, with: { n: 2 }, secrets: inherit }
        """.utf8),
      Array("name: x\ndescription: y\nruns: { using: composite, steps: [{ run: a, shell: bash }] }\n".utf8),
      Array("defaults: { cpus: 2 }\njobs: { build: { memory: 4g, priority: HIGH, affinity: [cache] } }\n".utf8),
    ],
    expressions: [
      "github.ref == 'refs/heads/main' && !cancelled()", "fromJSON('{\"a\":[1,{\"b\":null}]}').a[1].b", "join(foo.*.bar, ', ')",
      "format('{0} {{1}} {1}', 1e3, -0x1F)", "case(true, 'a', 'b')", "foo['bar'][0].*.x", "toJSON(foo) < 'z' || NaN",
    ])
}
