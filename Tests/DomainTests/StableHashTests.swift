import Domain
import Testing

@Suite("The stable hash")
struct StableHashTests {
  /// Computed apart from this code, from the words of its documentation.
  @Test(
    "gives the numbers of its definition",
    arguments: [
      ([], 95.76734252420562),
      ([""], 67.44207565897253),
      (["", ""], 50.486764047146856),
      (["acme/storefront", "CI"], 10.918961712779328),
      (["acme/storefront", "Release"], 48.22349096899069),
      (["acme/shop", "build (ü)"], 9.488054993086648),
      (["a", "bc"], 46.299359016036604),
      (["ab", "c"], 3.522575705571518),
      (["日本", "語"], 69.38865250491605),
      ([String(repeating: "x", count: 1000)], 35.46078331712875),
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
