import Foundation
import Testing

@testable import Emulator

struct CommandFilesTests {
  @Test("plain lines and blocks are read in order")
  func assignments() throws {
    let read = try CommandFiles.assignments("a=1\nb<<END\nx=1\n\ny\nEND\nc=p=q\r\n")
    #expect(read.map(\.name) == ["a", "b", "c"])
    #expect(read.map(\.value) == ["1", "x=1\n\ny", "p=q"])
  }

  @Test("text that is no assignment is refused", arguments: ["novalue", "=x", "a<<\nb", "a<<END\nb"])
  func malformed(_ text: String) {
    #expect(throws: CommandFiles.Malformed.self) { try CommandFiles.assignments(text) }
  }

  @Test("an upload's parts are found by their length, whatever they hold")
  func parts() throws {
    let parts = try CommandFiles.parts(Data("@@ output 5\na\n@@ \n@@ env 0\n\n@@ path 2\n/x\n".utf8))
    #expect(parts == ["output": "a\n@@ ", "env": "", "path": "/x"])
  }

  @Test("an upload whose length is a lie is refused", arguments: ["@@ output 9\nabc", "output 1\na", "@@ output -1\n"])
  func badParts(_ text: String) {
    #expect(throws: Refusal.self) { try CommandFiles.parts(Data(text.utf8)) }
  }

  @Test("every text survives the shell", arguments: ["", "it's", "a\nb", "$(rm -rf /) `x` \\", "''", "\u{1F600}"])
  func quoting(_ text: String) throws {
    let process = Process()
    let output = Pipe()
    process.executableURL = URL(filePath: "/bin/sh")
    process.arguments = ["-c", "printf %s \(ShellFragment.quoted(text))"]
    process.standardOutput = output
    try process.run()
    let printed = try output.fileHandleForReading.readToEnd() ?? Data()
    process.waitUntilExit()
    #expect(String(decoding: printed, as: UTF8.self) == text)
  }
}
