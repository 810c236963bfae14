import Foundation
import Synchronization
import Testing

@testable import Command

@Suite("What serve announces")
struct AnnouncementTests {
  @Test("both listeners are announced together, and who hears the line can read the file; it goes with the server")
  func order() async throws {
    let folder = FileManager.default.temporaryDirectory.appending(
      path: "runnerhub-announcement-\(UUID().uuidString)", directoryHint: .isDirectory)
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { #expect(throws: Never.self) { try FileManager.default.removeItem(at: folder) } }
    let heard = Mutex<[String]>([])
    let announcement = Announcement(directory: folder) { line in
      let document = Announcement.read(directory: folder)
      heard.withLock { $0.append("\(line) | \(document?.administration ?? "no file")") }
    }
    await announcement.note(webhooks: "http://127.0.0.1:1/webhooks/github")
    #expect(heard.withLock { $0 } == [])
    #expect(Announcement.read(directory: folder)?.administration == nil)
    await announcement.note(administration: "http://127.0.0.1:2")
    #expect(heard.withLock { $0 } == ["webhooks http://127.0.0.1:1/webhooks/github · status page http://127.0.0.1:2/ | http://127.0.0.1:2"])
    announcement.remove()
    #expect(Announcement.read(directory: folder)?.administration == nil)
  }
}
