import CZlib
import Foundation
import RunnerHub

/// Bytes of a column, compressed: their length in four bytes, the most significant first, then a zlib stream (RFC 1950).
enum Compressed {
  /// More is neither written nor read: a damaged row must not take all memory.
  static let largest = 64 << 20
  private static let prefix = 4

  static func pack(_ raw: Data, of row: @autoclosure () -> String) throws(StoreError) -> Data {
    guard raw.count <= largest else { throw .damaged("\(row()) has \(raw.count) bytes; \(largest) are stored at most") }
    var size = compressBound(uLong(raw.count))
    var packed = Data(count: prefix + Int(size))
    let code = packed.withUnsafeMutableBytes { out in
      raw.withUnsafeBytes { input in
        // Level 1: what is stored is read seldom, and written with every decision.
        compress2(
          out.bindMemory(to: Bytef.self).baseAddress.map { $0 + prefix }, &size, input.bindMemory(to: Bytef.self).baseAddress,
          uLong(raw.count), 1)
      }
    }
    guard code == Z_OK else { throw .unavailable("\(row()) cannot be compressed: zlib answered \(code)") }
    for (index, shift) in [24, 16, 8, 0].enumerated() { packed[index] = UInt8(truncatingIfNeeded: raw.count >> shift) }
    return packed.prefix(prefix + Int(size))
  }

  static func unpack(_ packed: Data, of row: @autoclosure () -> String) throws(StoreError) -> Data {
    guard packed.count > prefix else { throw RowCoding.damage(row(), "\(packed.count) bytes are no compressed value") }
    let wanted = packed.prefix(prefix).reduce(0) { $0 << 8 | Int($1) }
    guard wanted <= largest else { throw RowCoding.damage(row(), "it names \(wanted) bytes; \(largest) are read at most") }
    var size = uLong(wanted)
    // One byte more than named, so that the place is never empty.
    var raw = Data(count: wanted + 1)
    let code = raw.withUnsafeMutableBytes { out in
      packed.withUnsafeBytes { input in
        uncompress(
          out.bindMemory(to: Bytef.self).baseAddress, &size, input.bindMemory(to: Bytef.self).baseAddress.map { $0 + prefix },
          uLong(packed.count - prefix))
      }
    }
    guard code == Z_OK, size == uLong(wanted) else { throw RowCoding.damage(row(), "its compressed value is broken (zlib: \(code))") }
    return raw.prefix(wanted)
  }
}
