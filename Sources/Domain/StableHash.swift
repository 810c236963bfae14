/// A number that the same texts give on every machine and in every version: what shares of jobs are cut by, so that a workflow does not flap.
///
/// The function `percent` of the policies' sandbox gives the same numbers.
package enum StableHash {
  /// A number from 0 up to, and without, 100.
  ///
  /// FNV-1a (64 bits) over the texts, each as the number of its UTF-8 bytes (four bytes, the lowest first) and these bytes; then the finaliser of
  /// splitmix64, since FNV alone spreads short texts badly; the upper 53 bits are the fraction.
  package static func percent(_ texts: some Sequence<String>) -> Double { Double(value(texts) >> 11) / 0x1p53 * 100 }

  /// The same hash as a whole.
  package static func value(_ texts: some Sequence<String>) -> UInt64 {
    var hash: UInt64 = 0xcbf2_9ce4_8422_2325
    func add(_ byte: UInt8) { hash = (hash ^ UInt64(byte)) &* 0x0000_0100_0000_01b3 }
    for text in texts {
      let length = UInt32(truncatingIfNeeded: text.utf8.count)
      for shift in stride(from: 0, to: 32, by: 8) { add(UInt8(truncatingIfNeeded: length >> shift)) }
      for byte in text.utf8 { add(byte) }
    }
    hash = (hash ^ (hash >> 30)) &* 0xbf58_476d_1ce4_e5b9
    hash = (hash ^ (hash >> 27)) &* 0x94d0_49bb_1331_11eb
    return hash ^ (hash >> 31)
  }

  package static func percent(_ texts: String...) -> Double { percent(texts) }
}
