import Domain
import Testing

@Suite("The stable hash")
struct StableHashTests {
  /// Computed apart from this code, from the words of its documentation.
  @Test(
    "gives the numbers of its definition",
    arguments: [
      ([], 95.76734252420562), ([""], 95.76734252420562), (["", ""], 38.05047004330069),
      (["acme/storefront", "CI"], 55.06497269890425), (["acme/storefront", "Release"], 39.449217951764794),
      (["acme/shop", "build (ü)"], 59.919363785771715), (["a", "bc"], 3.090499314709838), (["ab", "c"], 73.24665003622096),
      (["日本", "語"], 35.97949338273057), ([String(repeating: "x", count: 1000)], 51.110192358730636),
    ])
  func vectors(texts: [String], percent: Double) {
    #expect(StableHash.percent(texts) == percent)
  }

  @Test("spreads names that differ in their end only: each tenth gets its tenth")
  func spread() {
    var tenths = Array(repeating: 0, count: 10)
    for number in 0..<10_000 { tenths[Int(StableHash.percent("acme/service-\(number)", "CI") / 10)] += 1 }
    #expect(tenths.allSatisfy { 850...1150 ~= $0 }, "\(tenths)")
  }
}
