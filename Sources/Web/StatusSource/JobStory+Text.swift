extension JobStory {
  /// The story in plain words, a line each, oldest first.
  package var text: String { StoryText(self).lines.joined(separator: "\n") }
}
