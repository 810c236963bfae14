import HTTPTypes
package import Hummingbird
package import NIOCore

/// The context of a request: Hummingbird's own, and the connection, so that a peer that sends slowly or too much can be cut off.
package struct WebContext: RequestContext {
  package var coreContext: CoreRequestContextStorage
  /// The connection of the request.
  package let channel: any Channel

  package init(source: ApplicationRequestContextSource) {
    coreContext = CoreRequestContextStorage(source: source)
    channel = source.channel
  }
}

extension Request {
  /// Whether the head announces a body.
  var announcesBody: Bool {
    if headers[.transferEncoding] != nil { return true }
    return headers[.contentLength].flatMap { Int($0) } != 0 && headers[.contentLength] != nil
  }

  /// The value of a header by its name in any case; values of repeated headers are joined with `, `.
  func header(_ name: String) -> String? {
    HTTPField.Name(name).flatMap { headers[$0] }
  }
}

extension Channel {
  /// Closes the connection after a time unless the task is cancelled before: neither a lying length nor a dripping sender holds it longer.
  func closeAfter(_ time: TimeAmount) -> Scheduled<Void> {
    eventLoop.scheduleTask(in: time) { self.close(promise: nil) }
  }
}
