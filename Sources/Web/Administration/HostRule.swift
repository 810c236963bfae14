/// Which names a browser may call the administration listener by.
///
/// A foreign page can make its own name point to 127.0.0.1 (DNS rebinding) and then read what is served here; the `Host` it sends is its name.
struct HostRule: Sendable {
  static let loopback: Set<String> = ["localhost", "127.0.0.1", "[::1]"]
  private let names: Set<String>

  /// - Parameter names: further names, without a port.
  init(allowing names: [String]) {
    self.names = Self.loopback.union(names.map { $0.lowercased() })
  }

  /// - Parameter authority: the value of `Host`, with or without a port.
  func allows(_ authority: String?) -> Bool {
    guard let authority = authority?.lowercased() else { return false }
    let name: Substring
    if authority.hasPrefix("[") {
      guard let end = authority.firstIndex(of: "]") else { return false }
      name = authority[...end]
    } else {
      name = authority.prefix { $0 != ":" }
    }
    let rest = authority.dropFirst(name.count)
    let isPort = rest.isEmpty || rest.first == ":" && UInt16(rest.dropFirst()) != nil
    return isPort && names.contains(String(name))
  }
}
