/// SplitMix64: a case is its number, so that a failure can be made again from it.
package struct CaseGenerator: RandomNumberGenerator {
  private var state: UInt64
  package init(_ number: UInt64) { state = number }
  package mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }
}

/// Something that must not happen did.
package struct FuzzFailure: Error, CustomStringConvertible {
  package let description: String
  package init(description: String) { self.description = description }
}
