/// Formats of texts that are checked (JSON Schema Validation, section 7.3).
enum TextFormat: String, CaseIterable, Sendable {
  case dateTime = "date-time"
  case date, time, email, hostname, ipv4, ipv6, uri, uuid, regex
  case jsonPointer = "json-pointer"

  var words: String {
    switch self {
    case .dateTime: "a time such as 2026-01-31T12:00:00Z"
    case .date: "a date such as 2026-01-31"
    case .time: "a time of day such as 12:00:00Z"
    case .email: "an e-mail address"
    case .hostname: "a host name"
    case .ipv4: "an IPv4 address"
    case .ipv6: "an IPv6 address"
    case .uri: "a URI such as https://example.org/path"
    case .uuid: "a UUID"
    case .regex: "a regular expression"
    case .jsonPointer: "a JSON pointer such as /a/0"
    }
  }

  func allows(_ text: String) -> Bool {
    switch self {
    case .dateTime:
      guard text.utf8.count >= 20, text.utf8.count <= 64, let mark = text.firstIndex(where: { $0 == "T" || $0 == "t" }) else {
        return false
      }
      return Self.isDate(text[..<mark]) && Self.isTime(text[text.index(after: mark)...])
    case .date: return Self.isDate(text[...])
    case .time: return Self.isTime(text[...])
    case .email: return Self.isEmail(text)
    case .hostname: return Self.isHostname(text[...])
    case .ipv4: return Self.isIPv4(text[...])
    case .ipv6: return Self.isIPv6(text)
    case .uri: return Self.isURI(text)
    case .uuid: return Self.isUUID(text)
    case .regex: return (try? Pattern(text)) != nil
    case .jsonPointer: return JSONPointer(text: text) != nil
    }
  }

  // MARK: Times (RFC 3339)

  private static func digits(_ text: Substring, _ count: Int) -> Int? {
    guard text.utf8.count == count, text.utf8.allSatisfy({ (0x30...0x39).contains($0) }) else { return nil }
    return Int(text)
  }

  private static func isDate(_ text: Substring) -> Bool {
    let parts = text.split(separator: "-", omittingEmptySubsequences: false)
    guard parts.count == 3, let year = digits(parts[0], 4), let month = digits(parts[1], 2), let day = digits(parts[2], 2),
      (1...12).contains(month)
    else { return false }
    let isLeap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
    let days = [31, isLeap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
    return (1...days[month - 1]).contains(day)
  }

  private static func isTime(_ text: Substring) -> Bool {
    guard let zone = text.firstIndex(where: { "Zz+-".contains($0) }) else { return false }
    let clock = text[..<zone].split(separator: ".", maxSplits: 1, omittingEmptySubsequences: false)
    let parts = clock[0].split(separator: ":", omittingEmptySubsequences: false)
    guard parts.count == 3, let hour = digits(parts[0], 2), let minute = digits(parts[1], 2), let second = digits(parts[2], 2), hour < 24,
      minute < 60, second <= 60
    else { return false }
    if clock.count == 2, clock[1].isEmpty || !clock[1].utf8.allSatisfy({ (0x30...0x39).contains($0) }) { return false }
    var offset = 0
    if !["Z", "z"].contains(text[zone...]) {
      let parts = text[zone...].dropFirst().split(separator: ":", omittingEmptySubsequences: false)
      guard parts.count == 2, let hours = digits(parts[0], 2), let minutes = digits(parts[1], 2), hours < 24, minutes < 60 else {
        return false
      }
      offset = (text[zone] == "-" ? -1 : 1) * (hours * 60 + minutes)
    }
    // A leap second is the last of a day in UTC.
    return second < 60 || ((hour * 60 + minute - offset) % 1440 + 1440) % 1440 == 1439
  }

  // MARK: Addresses

  private static func isHostname(_ text: Substring) -> Bool {
    guard (1...253).contains(text.utf8.count) else { return false }
    return text.split(separator: ".", omittingEmptySubsequences: false).allSatisfy { label in
      (1...63).contains(label.utf8.count) && label.utf8.first != UInt8(ascii: "-") && label.utf8.last != UInt8(ascii: "-")
        && label.utf8.allSatisfy { isAlphanumeric($0) || $0 == UInt8(ascii: "-") }
    }
  }

  private static func isEmail(_ text: String) -> Bool {
    guard text.utf8.count <= 254, let at = text.lastIndex(of: "@") else { return false }
    let local = text[..<at]
    let domain = text[text.index(after: at)...]
    let isDotted = local.split(separator: ".", omittingEmptySubsequences: false).allSatisfy { atom in
      !atom.isEmpty && atom.utf8.allSatisfy { isAlphanumeric($0) || "!#$%&'*+-/=?^_`{|}~".utf8.contains($0) }
    }
    if domain.hasPrefix("["), domain.hasSuffix("]") { return isDotted && isIPv4(domain.dropFirst().dropLast()) }
    return isDotted && local.utf8.count <= 64 && isHostname(domain)
  }

  private static func isIPv4(_ text: Substring) -> Bool {
    let parts = text.split(separator: ".", omittingEmptySubsequences: false)
    return parts.count == 4
      && parts.allSatisfy { part in
        guard (1...3).contains(part.utf8.count), let number = digits(part, part.utf8.count) else { return false }
        return number < 256 && (part == "0" || !part.hasPrefix("0"))
      }
  }

  private static func isIPv6(_ text: String) -> Bool {
    let halves = text.split(separator: "::", omittingEmptySubsequences: false)
    guard halves.count <= 2, !text.contains(":::") else { return false }
    var groups = 0
    for (index, half) in halves.enumerated() where !half.isEmpty {
      let parts = half.split(separator: ":", omittingEmptySubsequences: false)
      for (position, part) in parts.enumerated() {
        if index == halves.count - 1, position == parts.count - 1, part.contains(".") {
          guard isIPv4(part) else { return false }
          groups += 2
        } else {
          guard (1...4).contains(part.utf8.count), part.utf8.allSatisfy(isHexadecimal) else { return false }
          groups += 1
        }
      }
    }
    return halves.count == 2 ? groups <= 7 : groups == 8
  }

  /// RFC 3986: a scheme, and then only characters that may stand in a URI.
  private static func isURI(_ text: String) -> Bool {
    guard let colon = text.utf8.firstIndex(of: UInt8(ascii: ":")) else { return false }
    let scheme = text.utf8[..<colon]
    guard let first = scheme.first, isAlphanumeric(first), !(0x30...0x39).contains(first),
      scheme.allSatisfy({ isAlphanumeric($0) || "+-.".utf8.contains($0) })
    else { return false }
    let rest = Array(text.utf8[text.utf8.index(after: colon)...])
    var index = 0
    while index < rest.count {
      let byte = rest[index]
      if byte == UInt8(ascii: "%") {
        guard index + 2 < rest.count, isHexadecimal(rest[index + 1]), isHexadecimal(rest[index + 2]) else { return false }
        index += 3
      } else {
        guard isAlphanumeric(byte) || "-._~:/?#[]@!$&'()*+,;=".utf8.contains(byte) else { return false }
        index += 1
      }
    }
    guard rest.starts(with: Array("//".utf8)) else { return !["http", "https"].contains(String(text[..<colon]).lowercased()) }
    let authority = rest.dropFirst(2).prefix { !"/?#".utf8.contains($0) }
    guard let words = String(validating: authority, as: UTF8.self) else { return false }
    return isAuthority(words[...], needsHost: ["http", "https"].contains(String(text[..<colon]).lowercased()))
  }

  private static func isAuthority(_ text: Substring, needsHost: Bool) -> Bool {
    var host = text
    if let at = text.lastIndex(of: "@") {
      guard !text[..<at].contains(where: { "[]@".contains($0) }) else { return false }
      host = text[text.index(after: at)...]
    }
    var port = Substring()
    if host.hasPrefix("[") {
      guard let end = host.firstIndex(of: "]"), isIPv6(String(host[..<end].dropFirst())) else { return false }
      port = host[host.index(after: end)...]
    } else if let colon = host.firstIndex(of: ":") {
      port = host[colon...]
      host = host[..<colon]
    }
    return (!needsHost || !host.isEmpty)
      && (port.isEmpty || port.hasPrefix(":") && port.dropFirst().utf8.allSatisfy { (0x30...0x39).contains($0) })
  }

  private static func isUUID(_ text: String) -> Bool {
    let parts = text.split(separator: "-", omittingEmptySubsequences: false)
    return parts.map(\.utf8.count) == [8, 4, 4, 4, 12] && parts.allSatisfy { $0.utf8.allSatisfy(isHexadecimal) }
  }

  private static func isAlphanumeric(_ byte: UInt8) -> Bool {
    (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte)
  }

  private static func isHexadecimal(_ byte: UInt8) -> Bool {
    (0x30...0x39).contains(byte) || (0x41...0x46).contains(byte) || (0x61...0x66).contains(byte)
  }
}
