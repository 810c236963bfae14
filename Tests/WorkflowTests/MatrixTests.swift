import Testing

@testable import Workflow

@Suite("Matrices")
struct MatrixTests {
  private func expand(_ strategy: String, name: String = "") throws -> [ExpandedJob]? {
    let text = workflow("\(name)runs-on: ${{ matrix.os || 'any' }}\nstrategy:\n" + strategy)
    return try #require(parsed(text)).jobs[0].expand()
  }

  private func rows(_ strategy: String) throws -> [String]? {
    try expand(strategy)?.map { job in job.matrix.entries.map { "\($0.key)=\($0.value.text)" }.joined(separator: " ") }
  }

  @Test("the first vector varies slowest, and excluded rows go before anything is included")
  func product() throws {
    #expect(
      try rows("  matrix:\n    os: [x, y]\n    v: [1, 2]\n    exclude:\n      - {os: x, v: 2}")
        == ["os=x v=1", "os=y v=1", "os=y v=2"])
  }

  @Test("an include extends what it does not contradict, even overwriting what an earlier include added, else stands alone at the end")
  func include() throws {
    // The example of GitHub's documentation, `run-job-variations`.
    let strategy = """
        matrix:
          fruit: [apple, pear]
          animal: [cat, dog]
          include:
            - color: green
            - color: pink
              animal: cat
            - fruit: apple
              shape: circle
            - fruit: banana
            - fruit: banana
              animal: cat
      """
    #expect(
      try rows(strategy) == [
        "fruit=apple animal=cat color=pink shape=circle", "fruit=apple animal=dog color=green shape=circle",
        "fruit=pear animal=cat color=pink",
        "fruit=pear animal=dog color=green", "fruit=banana", "fruit=banana animal=cat",
      ])
  }

  @Test("includes alone make a job each, named by their values")
  func onlyIncludes() throws {
    let jobs = try #require(try expand("  matrix:\n    include:\n      - {os: x, v: 1.50}\n      - {os: y, flag: true}"))
    #expect(jobs.map(\.displayName) == ["a (x, 1.5)", "a (y, true)"])
    #expect(jobs.map(\.labels) == [["x"], ["y"]])
    #expect(jobs.map(\.literalLabels) == [nil, nil])
  }

  @Test("objects are excluded by a part of them, and show in no name")
  func objects() throws {
    let jobs = try #require(
      try expand("  matrix:\n    node: [{v: 1, env: a}, {v: 2, env: a}]\n    os: [x]\n    exclude:\n      - node: {v: 1}"))
    #expect(jobs.map(\.displayName) == ["a (x)"])
  }

  @Test("a name that uses the matrix stands alone, another carries the values, one of other contexts is unknown")
  func names() throws {
    let strategy = "  matrix:\n    os: [x]\n    v: [1]"
    #expect(try expand(strategy, name: "name: T ${{ matrix.os }}-${{ matrix.v }}\n")?.map(\.displayName) == ["T x-1"])
    #expect(try expand(strategy, name: "name: T ${{ matrix.os }}\n")?.map(\.literalDisplayName) == [nil])
    #expect(try expand(strategy, name: "name: T ${{ format('{0}', 1) }}\n")?.map(\.displayName) == ["T 1 (x, 1)"])
    #expect(try expand(strategy, name: "name: T ${{ github.ref }}\n")?.map(\.displayName) == [nil])
    #expect(try expand(strategy, name: "name: Test\n")?.map(\.displayName) == ["Test (x, 1)"])
  }

  @Test("a name longer than 100 characters is cut, the last three being dots")
  func longName() throws {
    let name = try #require(try expand("  matrix:\n    os: [\(String(repeating: "b", count: 200))]")?.first?.displayName)
    #expect(name == "a (" + String(repeating: "b", count: 94) + "...")
    #expect(name.count == 100)
  }

  @Test(
    "an expression in place of a list leaves the combinations unknown",
    arguments: [
      "  matrix: ${{ fromJSON(vars.m) }}", "  matrix:\n    os: ${{ fromJSON(vars.m) }}",
      "  matrix:\n    os: [x]\n    include: ${{ fromJSON(vars.m) }}",
      "  matrix:\n    os: ['${{ vars.x }}']\n    exclude: [{os: x}]", "  matrix:\n    os: [x]\n    exclude: [{os: '${{ vars.x }}'}]",
    ])
  func unknown(strategy: String) throws {
    #expect(try expand(strategy) == nil)
  }

  @Test("an expression in place of one value leaves only the names unknown")
  func unknownValue() throws {
    let jobs = try #require(try expand("  matrix:\n    os: ['${{ vars.x }}', y]"))
    #expect(jobs.map(\.displayName) == [nil, "a (y)"])
    #expect(jobs.map(\.labels) == [nil, ["y"]])
  }

  @Test("256 jobs are allowed, 257 and absurdly many are refused at once")
  func limit() throws {
    let list = { (count: Int) in "[" + (1...count).map(String.init).joined(separator: ", ") + "]" }
    #expect(try expand("  matrix:\n    a: \(list(16))\n    b: \(list(16))")?.count == 256)
    #expect(errors(workflow("runs-on: x\nstrategy:\n  matrix:\n    a: \(list(257))")) == ["7:9: The matrix makes more than 256 jobs"])
    let huge = (1...40).map { "    v\($0): \(list(100))" }.joined(separator: "\n")
    #expect(errors(workflow("runs-on: x\nstrategy:\n  matrix:\n\(huge)")) == ["7:9: The matrix makes more than 256 jobs"])
  }

  @Test("an empty vector, an unknown exclude key and an empty matrix are refused in their place")
  func mistakes() {
    #expect(errors(workflow("runs-on: x\nstrategy:\n  matrix:\n    os: []")) == ["7:13: Matrix vector 'os' does not contain any values"])
    #expect(
      errors(workflow("runs-on: x\nstrategy:\n  matrix:\n    os: [x]\n    exclude:\n      - so: x"))
        == ["9:13: Matrix exclude key 'so' does not match any key within the matrix"])
    #expect(errors(workflow("runs-on: x\nstrategy:\n  matrix: {}")) == ["6:15: Matrix must define at least one vector"])
  }
}
