import Foundation

/// Says where the listeners are, once both listen: a line on standard output, and `runnerhub.json` in the data directory for other commands.
actor Announcement {
  /// What `runnerhub.json` holds.
  struct Document: Codable {
    var processID: Int32
    var webhooks: String
    var administration: String
  }

  private let file: URL
  private let say: @Sendable (String) -> Void
  private var webhooks: String?
  private var administration: String?

  init(directory: URL, say: @escaping @Sendable (String) -> Void = Terminal.say) {
    file = directory.appending(path: "runnerhub.json")
    self.say = say
  }

  func note(webhooks address: String) {
    webhooks = address
    announce()
  }

  func note(administration address: String) {
    administration = address
    announce()
  }

  /// - Returns: what a running `serve` over the data directory has announced; nil when there is none.
  static func read(directory: URL) -> Document? {
    guard let data = FileManager.default.contents(atPath: directory.appending(path: "runnerhub.json").path) else { return nil }
    return try? JSONDecoder().decode(Document.self, from: data)
  }

  nonisolated func remove() {
    // Nobody is harmed by one that stays: the next start writes it anew.
    try? FileManager.default.removeItem(at: file)
  }

  private func announce() {
    guard let webhooks, let administration else { return }
    do {
      let document = Document(processID: ProcessInfo.processInfo.processIdentifier, webhooks: webhooks, administration: administration)
      try JSONEncoder().encode(document).write(to: file, options: .atomic)
    } catch {
      FileHandle.standardError.write(Data("runnerhub: \(file.path) cannot be written: \(error)\n".utf8))
    }
    // After the file: who reads the line may look for it at once.
    say("webhooks \(webhooks) · status page \(administration)/")
  }
}
