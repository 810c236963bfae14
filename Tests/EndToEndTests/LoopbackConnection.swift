import Foundation
import Glibc

/// A plain connection, for what no HTTP client sends.
struct LoopbackConnection: ~Copyable {
  private let descriptor: Int32

  struct Failure: Error {
    var call: String
    var number: Int32
  }

  init(port: UInt16) throws {
    descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    guard descriptor >= 0 else { throw Failure(call: "socket", number: errno) }
    var patience = timeval(tv_sec: 10, tv_usec: 0)
    setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &patience, socklen_t(MemoryLayout<timeval>.size))
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = port.bigEndian
    address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
    let connected = withUnsafePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) }
    }
    guard connected == 0 else { throw Failure(call: "connect", number: errno) }
  }

  deinit { close(descriptor) }

  /// Sends the text, and reads the answer until the other side closes.
  func exchange(_ text: String) throws -> House.Reply {
    let bytes = Array(text.utf8)
    guard send(descriptor, bytes, bytes.count, Int32(MSG_NOSIGNAL)) == bytes.count else { throw Failure(call: "send", number: errno) }
    var answer: [UInt8] = []
    var part = [UInt8](repeating: 0, count: 4096)
    while true {
      let count = recv(descriptor, &part, part.count, 0)
      guard count >= 0 else { throw Failure(call: "recv", number: errno) }
      if count == 0 { break }
      answer += part.prefix(count)
    }
    let whole = String(decoding: answer, as: UTF8.self)
    let head = whole.split(separator: "\r\n", maxSplits: 1).first?.split(separator: " ") ?? []
    let body = whole.range(of: "\r\n\r\n").map { String(whole[$0.upperBound...]) } ?? ""
    return House.Reply(status: head.count > 1 ? Int(head[1]) ?? 0 : 0, text: body)
  }
}
