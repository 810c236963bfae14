import Testing

@testable import Workflow

@Suite("Container images")
struct ImageTests {
  @Test(
    "a reference is normalised as Docker does",
    arguments: [
      ("node", "docker.io/library/node", nil, nil),
      ("node:22", "docker.io/library/node", "22", nil),
      ("acme/build", "docker.io/acme/build", nil, nil),
      ("docker.io/node", "docker.io/library/node", nil, nil),
      ("index.docker.io/library/node:1", "docker.io/library/node", "1", nil),
      ("ghcr.io/acme/tools/build:v1.2_3-x", "ghcr.io/acme/tools/build", "v1.2_3-x", nil),
      ("localhost/build", "localhost/build", nil, nil),
      ("localhost:5000", "docker.io/library/localhost", "5000", nil),
      ("localhost:5000/build:1", "localhost:5000/build", "1", nil),
      ("registry.acme.example:8443/a__b/c-d.e", "registry.acme.example:8443/a__b/c-d.e", nil, nil),
      ("ghcr.io/acme/x:1@sha256:\(digits)", "ghcr.io/acme/x", "1", "sha256:\(digits)"),
      ("10.0.0.1/x", "10.0.0.1/x", nil, nil),
    ] as [(String, String, String?, String?)])
  func normalises(text: String, name: String, tag: String?, digest: String?) throws {
    let image = try ImageReference.parse(text)
    #expect(image.name == name)
    #expect(image.tag == tag)
    #expect(image.digest == digest)
  }

  @Test(
    "what is no reference, or only looks like one, is refused",
    arguments: [
      "", " node", "node ", "no de", "node\n", "https://ghcr.io/acme/x", "docker://node", "user@ghcr.io/acme/x",
      "user:secret@ghcr.io/acme/x",
      "GHCR.IO/acme/x", "ghcr.io/Acme/x", "Node", "ghcr.io/acme/../evil/x", "ghcr.io/./x", "ghcr.io//x", "ghcr.io/x/", "/x", "ghcr.io:0/x",
      "ghcr.io:99999/x", "ghcr.io:/x", "ghcr.io:80:80/x", "node:", "node:-1", "node:a/b", "node@", "node@sha256:12", "node@md5:\(digits)",
      "node@sha256:\(digits)@sha256:\(digits)", "node@sha256:\(digits.uppercased())", "-node", "node-", "a..b", "a___b", "a._b",
      ".ghcr.io/x",
      "ghcr.io./x", "-ghcr.io/x", "gһcr.io/acme/x", "ghcr.io/acme/x\u{200B}", "ghcr.io\\acme/x", "ghcr.io/acme%2Fx", "ghcr.io/acme/x#y",
      "[::1]/x",
      "node:" + String(repeating: "1", count: 129), String(repeating: "a/", count: 200) + "a", digits, "${{ matrix.image }}",
    ])
  func refuses(text: String) {
    #expect(throws: ImageReferenceError.self) { try ImageReference.parse(text) }
  }

  @Test(
    "an allow-list lets through what it names, and nothing that only begins like it",
    arguments: [
      ("ghcr.io/acme/build", true), ("ghcr.io/acme/build:1", true), ("ghcr.io/acme/tools/build@sha256:\(digits)", true),
      ("node", true), ("node:22", true), ("library/node", true), ("docker.io/library/node", true), ("index.docker.io/node", true),
      ("registry.example:5000/pinned:1.0", true), ("registry.example:5000/pinned:1.0@sha256:\(digits)", true),
      ("ghcr.io/acme", false), ("ghcr.io/acme-evil/build", false), ("ghcr.io/acmeevil", false), ("ghcr.io/evil/acme/build", false),
      ("ghcr.io:443/acme/build", false), ("ghcr.io.evil.example/acme/build", false), ("evil.example/ghcr.io/acme/build", false),
      ("localhost/acme/build", false), ("localhost:5000/acme/build", false), ("acme/build", false), ("node/evil", false),
      ("evil/node", false),
      ("docker.io/library/node-evil", false), ("localhost/library/node", false), ("registry.example/pinned:1.0", false),
      ("registry.example:5000/pinned", false), ("registry.example:5000/pinned:1.1", false),
      ("registry.example:5000/pinned@sha256:\(digits)", false),
    ])
  func allows(text: String, isAllowed: Bool) throws {
    let list = try ImageAllowList(["ghcr.io/acme/*", "docker.io/library/node", "registry.example:5000/pinned:1.0"])
    #expect(list.allows(try .parse(text)) == isAllowed)
  }

  @Test("a star below a host allows that registry at any depth, and an empty list nothing")
  func wholeRegistry() throws {
    let all = try ImageAllowList(["docker.io/*", "localhost:5000/*"])
    #expect(all.allows(try .parse("node")))
    #expect(all.allows(try .parse("acme/build/deep")))
    #expect(all.allows(try .parse("localhost:5000/x")))
    #expect(!all.allows(try .parse("localhost/x")))
    #expect(!all.allows(try .parse("ghcr.io/x/y")))
    #expect(!(try ImageAllowList([])).allows(try .parse("node")))
  }

  @Test(
    "a pattern that would allow more than it shows is refused",
    arguments: [
      "*", "ghcr.io/acme*", "ghcr.io/*/build", "*/node", "acme/*", "ghcr.io/acme/**", "GHCR.io/acme/*", "https://ghcr.io/*", "ghcr.io/../*",
    ])
  func refusesPattern(pattern: String) {
    #expect(throws: ImageReferenceError.self) { try ImageAllowList([pattern]) }
  }

  @Test("a job's images are those of its container, its services and its docker steps")
  func images() throws {
    let job = try #require(
      parsed(
        """
        on: push
        jobs:
          a:
            runs-on: x
            container: docker://node:22
            services:
              db: { image: postgres }
            steps:
              - uses: actions/checkout@v4
              - uses: docker://alpine:3
        """)
    ).jobs[0]
    #expect(job.images.map(\.text) == ["node:22", "postgres", "alpine:3"])
    #expect(job.images.map(\.line) == [5, 7, 10])
  }

  @Test("no way of writing hides an image: an expression for all services, steps inside parallel, another case of the scheme")
  func hiddenImages() throws {
    let job = try #require(
      parsed(
        """
        on: push
        jobs:
          a:
            runs-on: x
            strategy: { matrix: { image: [node] } }
            container: { image: '${{ matrix.image }}:22' }
            services: ${{ fromJSON(vars.services) }}
            steps:
              - parallel:
                  - uses: DOCKER://evil/one@v1
                  - parallel: [{uses: docker://evil/two}]
              - uses: ' docker://evil/three@v1'
        """)
    ).jobs[0]
    #expect(
      job.images.map(\.text) == ["${{ matrix.image }}:22", "${{ fromJSON(vars.services) }}", "evil/one@v1", "evil/two", "evil/three@v1"])
    let expanded = try #require(job.expand()?.first)
    #expect(job.images.prefix(2).map { expanded.resolve($0.text) } == ["node:22", nil])
    #expect(errors(workflow("runs-on: x\nsteps:\n  - uses: docker://${{ vars.image }}")).count == 1)
  }
}

private let digits = String(repeating: "0123456789abcdef", count: 4)
