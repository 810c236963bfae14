import Foundation
import WorkflowFuzzing

/// libFuzzer's way in: bytes are read as a workflow, an action, hints, and short ones as an expression too. What does not hold ends the
/// process, and libFuzzer keeps the bytes.
@_cdecl("LLVMFuzzerTestOneInput")
public func attempt(_ data: UnsafePointer<UInt8>?, _ size: Int) -> CInt {
  let bytes = Array(UnsafeBufferPointer(start: data, count: size))
  do {
    try WorkflowFuzzCase.attempt(file: bytes)
    if size <= 400 { try WorkflowFuzzCase.attempt(expression: String(decoding: bytes, as: UTF8.self)) }
  } catch {
    FileHandle.standardError.write(Data("fuzz  \(error)\n".utf8))
    abort()
  }
  return 0
}
