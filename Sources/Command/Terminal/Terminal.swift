import Foundation

/// What standard output can do.
enum Terminal {
  /// Redraws and colours make sense.
  static var isInteractive: Bool { isatty(STDOUT_FILENO) == 1 && ProcessInfo.processInfo.environment["TERM"] != "dumb" }

  /// Columns and rows of the terminal, or nil where there is none.
  static var size: (columns: Int, rows: Int)? {
    var size = winsize()
    guard ioctl(STDOUT_FILENO, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else { return nil }
    return (Int(size.ws_col), Int(size.ws_row))
  }

  static func say(_ line: String) { write("runnerhub  \(line)\n") }

  /// Straight to standard output, past any buffer.
  static func write(_ text: String) { FileHandle.standardOutput.write(Data(text.utf8)) }
}
