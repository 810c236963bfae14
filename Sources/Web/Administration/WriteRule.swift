import Foundation
import HTTPTypes
import Hummingbird
import NIOCore

/// Who may change something by the administration listener, while it has no log-in: a program on this machine that means it.
///
/// A browser that is led here by a foreign page is on this machine too. It cannot send the header without asking first (CORS), is never allowed
/// to, and names the page's origin.
enum WriteRule {
  /// Sent with every change; any value.
  static let header = "X-RunnerHub-Request"

  /// Why the request may change nothing; nil: it may.
  /// - Parameter peer: the address that it comes from.
  static func objection(to request: Request, from peer: SocketAddress?) -> (status: HTTPResponse.Status, reason: String)? {
    guard isLoopback(peer), HostRule(allowing: []).allows(request.head.authority) else {
      return (.forbidden, "changes are taken from this machine only, by the name localhost or its address: there is no log-in yet")
    }
    for name in ["Forwarded", "X-Forwarded-For", "X-Forwarded-Host", "X-Real-IP", "Via"] where request.header(name) != nil {
      return (.forbidden, "changes are not taken through a proxy, which may speak for another machine (header \(name))")
    }
    if let origin = request.header("Origin"), origin.lowercased() != "http://\(request.head.authority?.lowercased() ?? "")" {
      return (.forbidden, "a page of another origin may change nothing here")
    }
    if let site = request.header("Sec-Fetch-Site"), site != "same-origin", site != "none" {
      return (.forbidden, "a page of another origin may change nothing here")
    }
    guard request.header(header) != nil else { return (.forbidden, "a change must be meant: send the header \(header)") }
    let type = request.headers[.contentType]?.prefix { $0 != ";" }.trimmingCharacters(in: .whitespaces).lowercased()
    guard type == "application/json" else { return (.unsupportedMediaType, "the body must be of the type application/json") }
    return nil
  }

  static func isLoopback(_ peer: SocketAddress?) -> Bool {
    guard let address = peer?.ipAddress else { return false }
    return address == "::1" || address.hasPrefix("127.") || address.hasPrefix("::ffff:127.")
  }
}
