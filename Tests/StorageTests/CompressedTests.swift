import Foundation
import RunnerHub
import Testing

@testable import Storage

@Suite("Compressed columns")
struct CompressedTests {
  @Test("bytes come back as they were, and repetition takes little", arguments: [0, 1, 5, 100_000])
  func roundTrip(count: Int) throws {
    let raw = Data((0..<count).map { UInt8(truncatingIfNeeded: $0 % 7) })
    let packed = try Compressed.pack(raw, of: "row")
    #expect(try Compressed.unpack(packed, of: "row") == raw)
    if count > 1000 { #expect(packed.count < count / 20) }
  }

  @Test("a value that is cut, damaged or names more than it holds is refused, and nothing is allocated for a giant")
  func damaged() throws {
    let packed = try Compressed.pack(Data("a decision input".utf8), of: "row")
    var longer = packed
    longer[3] += 1
    var shorter = packed
    shorter[3] -= 1
    var giant = packed
    giant[0] = 255
    var broken = packed
    broken[8] ^= 255
    for value in [Data(), packed.prefix(4), packed.dropLast(), longer, shorter, giant, broken] {
      #expect(throws: StoreError.self) { try Compressed.unpack(value, of: "row") }
    }
  }
}
