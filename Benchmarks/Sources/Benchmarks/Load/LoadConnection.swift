import Foundation

/// One connection of the load generator: a request out, an answer in.
struct LoadConnection {
  let socket: Int32
  private(set) var isIdle = true
  private(set) var isWriting = false
  /// When the request that is under way was to be sent.
  private(set) var intended: UInt64 = 0
  private var request: [UInt8] = []
  private var written = 0
  private var answer: [UInt8] = []

  init(port: Int) throws {
    socket = Glibc.socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = in_port_t(port).bigEndian
    address.sin_addr.s_addr = inet_addr("127.0.0.1")
    let socket = socket
    let outcome = withUnsafePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { connect(socket, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) }
    }
    guard outcome == 0 else { throw BenchmarkFailure("no connection to port \(port): \(String(cString: strerror(errno)))") }
    var on: Int32 = 1
    setsockopt(socket, Int32(IPPROTO_TCP), TCP_NODELAY, &on, socklen_t(MemoryLayout<Int32>.size))
    _ = fcntl(socket, F_SETFL, fcntl(socket, F_GETFL) | O_NONBLOCK)
  }

  func close() { _ = Glibc.close(socket) }

  mutating func begin(_ index: Int, of deliveries: SignedDeliveries, intended: UInt64) {
    deliveries.write(index, into: &request)
    self.intended = intended
    written = 0
    isIdle = false
    isWriting = true
  }

  /// Goes on as far as the socket lets it.
  /// - Returns: the answer's status, once it is whole.
  mutating func advance() throws -> Int? {
    if isWriting {
      let count = request[written...].withUnsafeBytes { send(socket, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
      guard count > 0 || errno == EAGAIN else { throw BenchmarkFailure("the server closed a connection") }
      written += max(0, count)
      if written == request.count {
        isWriting = false
        answer.removeAll(keepingCapacity: true)
      }
      return nil
    }
    let status = try read()
    if status != nil { isIdle = true }
    return status
  }

  private mutating func read() throws -> Int? {
    let count = withUnsafeTemporaryAllocation(byteCount: 4096, alignment: 1) { buffer in
      let count = recv(socket, buffer.baseAddress, buffer.count, 0)
      if count > 0 { answer.append(contentsOf: buffer[..<count]) }
      return count
    }
    guard count > 0 || (count < 0 && errno == EAGAIN) else { throw BenchmarkFailure("the server closed a connection") }
    guard let end = Self.place(of: Self.headEnd, in: answer) else { return nil }
    guard answer.count - end - Self.headEnd.count >= Self.bodyLength(of: answer[..<end]) else { return nil }
    // HTTP/1.1 202 Accepted
    return answer[9..<12].reduce(0) { $0 * 10 + Int($1) - 48 }
  }

  private static let headEnd = Array("\r\n\r\n".utf8)
  private static let lengthNames = ["\ncontent-length: ", "\nContent-Length: "].map { Array($0.utf8) }

  private static func bodyLength(of head: ArraySlice<UInt8>) -> Int {
    for name in lengthNames {
      guard let start = place(of: name, in: Array(head)) else { continue }
      return head[(start + name.count)...].prefix { 48...57 ~= $0 }.reduce(0) { $0 * 10 + Int($1) - 48 }
    }
    return 0
  }

  private static func place(of pattern: [UInt8], in bytes: [UInt8]) -> Int? {
    guard bytes.count >= pattern.count else { return nil }
    return (0...(bytes.count - pattern.count)).first { bytes[$0] == pattern[0] && bytes[$0...].starts(with: pattern) }
  }
}
