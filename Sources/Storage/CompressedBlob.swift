import Foundation
import RunnerHub

/// A blob that grows no more, in blocks that are compressed each for itself, so that reading in its middle costs one block.
///
/// `RHZ1`, then blocks, then an index: for each block the place of its end in the file (eight bytes, the most significant first); the raw size of
/// the whole (eight), the number of blocks (eight). All blocks but the last hold `blockSize` raw bytes.
enum CompressedBlob {
  static let blockSize = 256 << 10
  static let mark = Data("RHZ1".utf8)
  private static let footer = 16

  /// Writes a file compressed.
  /// - Parameters:
  ///   - read: gives at most so many bytes from an offset, none at its end.
  ///   - write: appends.
  /// - Returns: how many raw bytes that were.
  @discardableResult
  static func write(
    name: String, read: (_ offset: Int64, _ limit: Int) throws(StoreError) -> Data, write: (Data) throws(StoreError) -> Void
  ) throws(StoreError) -> Int64 {
    try write(mark)
    var place = UInt64(mark.count)
    var size: Int64 = 0
    var ends: [UInt64] = []
    while true {
      let raw = try read(size, blockSize)
      if raw.isEmpty { break }
      let block = try Compressed.pack(raw, of: "a block of \(name)")
      try write(block)
      place += UInt64(block.count)
      ends.append(place)
      size += Int64(raw.count)
      if raw.count < blockSize { break }
    }
    var index = Data(capacity: ends.count * 8 + footer)
    for number in ends + [UInt64(size), UInt64(ends.count)] { index.append(contentsOf: bytes(of: number)) }
    try write(index)
    return size
  }

  /// What is needed to read it.
  struct Index {
    var size: Int64
    fileprivate var fileSize: Int64
    fileprivate var blocks: Int

    /// - Parameters:
    ///   - fileSize: of the whole file.
    ///   - read: gives exactly so many bytes from an offset, or fewer at the file's end.
    init(name: String, fileSize: Int64, read: (_ offset: Int64, _ count: Int) throws(StoreError) -> Data) throws(StoreError) {
      let damage = StoreError.damaged("the compressed blob \(name) is broken: restore it from a backup, or remove the file")
      guard fileSize >= Int64(mark.count + footer), try read(0, mark.count) == mark else { throw damage }
      let end = try read(fileSize - Int64(footer), footer)
      guard end.count == footer else { throw damage }
      let (size, blocks) = (number(end.prefix(8)), number(end.suffix(8)))
      let most = UInt64(fileSize - Int64(mark.count + footer)) / 8
      guard blocks <= most, size <= blocks * UInt64(blockSize), blocks == 0 || size > (blocks - 1) * UInt64(blockSize) else { throw damage }
      (self.size, self.blocks, self.fileSize) = (Int64(size), Int(blocks), fileSize)
    }

    /// Raw bytes of one block.
    func block(_ index: Int, name: String, read: (_ offset: Int64, _ count: Int) throws(StoreError) -> Data) throws(StoreError) -> Data {
      let damage = StoreError.damaged(
        "block \(index) of the compressed blob \(name) is broken: restore it from a backup, or remove the file")
      guard (0..<blocks).contains(index) else { return Data() }
      let table = fileSize - Int64(footer + blocks * 8)
      let ends = try read(table + Int64(max(0, index - 1) * 8), index == 0 ? 8 : 16)
      guard ends.count == (index == 0 ? 8 : 16) else { throw damage }
      let start = index == 0 ? UInt64(mark.count) : number(ends.prefix(8))
      let end = number(ends.suffix(8))
      guard start < end, end <= UInt64(table), end - start <= UInt64(blockSize * 2) else { throw damage }
      let raw = try Compressed.unpack(try read(Int64(start), Int(end - start)), of: "block \(index) of \(name)")
      let wanted = min(Int64(blockSize), size - Int64(index) * Int64(blockSize))
      guard raw.count == Int(wanted) else { throw damage }
      return raw
    }
  }

  private static func bytes(of number: UInt64) -> [UInt8] { (0..<8).map { UInt8(truncatingIfNeeded: number >> (56 - 8 * $0)) } }
  private static func number(_ bytes: Data) -> UInt64 { bytes.reduce(0) { $0 << 8 | UInt64($1) } }
}
