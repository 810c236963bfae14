/// The bounds of the talk with a plugin. Tests make them small.
package struct ConnectionSettings: Sendable {
  /// Of an answer, unless the caller says otherwise.
  package var callLimit: Duration = .seconds(30)
  /// Bytes of a message, in both directions.
  package var messageLimit = 4 << 20
  /// Requests and notifications of the plugin that are being answered at once; it is not read meanwhile.
  package var requests = 16
  /// Bytes that may wait for the plugin to read them, before calls to it are refused and it is not read itself.
  package var outgoing = 8 << 20
  /// Messages that nobody asked for, at once and in each second; each 4 KiB of one count as one more. Beyond it is read more slowly.
  package var messages = (burst: 2000.0, perSecond: 1000.0)
  /// Lines that are no messages of the protocol, before it is ended: at once, and in each second.
  package var malformed = (burst: 20.0, perSecond: 0.2)
  /// Lines of its standard error that are kept, at once and in each second; the rest is counted.
  package var logLines = (burst: 500.0, perSecond: 50.0)
  /// Bytes of its standard error that are read, at once and in each second; beyond it waits.
  package var logBytes = (burst: 1_000_000.0, perSecond: 250_000.0)
  /// Bytes of a line of its standard error; what is longer is cut into several.
  package var logLine = 4 << 10

  package init() {}
}

/// What a plugin's process does that no call asks for. Told on a thread of the process: must be short.
package protocol PluginListener: Sendable {
  /// A line of its standard error, printable.
  func logged(_ line: String)
  /// Lines of its standard error that came too fast.
  func dropped(_ lines: Int)
  /// Something that the protocol does not allow.
  func misbehaved(_ what: String)
  /// Nothing of it is left.
  func ended(_ end: PluginEnd)
}

/// How a process came to its end.
package struct PluginEnd: Hashable, Sendable, CustomStringConvertible {
  /// Why the host ended it; nil: it ended by itself.
  package var reason: String?
  /// As of waitpid(2).
  package var status: Int32

  package init(reason: String?, status: Int32) {
    self.reason = reason
    self.status = status
  }

  package var description: String {
    if let reason { return reason }
    return status & 0x7f == 0 ? "it ended with status \(status >> 8 & 0xff)" : "it was killed by signal \(status & 0x7f)"
  }
}
