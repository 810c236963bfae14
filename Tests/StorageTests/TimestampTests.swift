import Foundation
import Storage
import Testing

@Suite("Timestamp")
struct TimestampTests {
  @Test(
    "a time is written in UTC with milliseconds and read back",
    arguments: [
      (0, "1970-01-01T00:00:00.000Z"), (951_827_696.5, "2000-02-29T12:34:56.500Z"), (-0.001, "1969-12-31T23:59:59.999Z"),
      (1_777_000_000.0004, "2026-04-24T03:06:40.000Z"), (253_402_300_799.999, "9999-12-31T23:59:59.999Z"),
      (-62_135_596_800, "0001-01-01T00:00:00.000Z"), (4_107_542_400, "2100-03-01T00:00:00.000Z"),
    ] as [(Double, String)])
  func text(seconds: Double, text: String) throws {
    #expect(Timestamp.text(Date(timeIntervalSince1970: seconds)) == text)
    let date = try #require(Timestamp.date(text))
    #expect(abs(date.timeIntervalSince1970 - seconds) < 0.000_6)
    #expect(Timestamp.text(date) == text)
  }

  @Test("times beyond what the text can hold are brought to its ends")
  func ends() {
    #expect(Timestamp.text(Date(timeIntervalSince1970: .infinity)) == "9999-12-31T23:59:59.999Z")
    #expect(Timestamp.text(Date(timeIntervalSince1970: -1e300)) == "0001-01-01T00:00:00.000Z")
    #expect(Timestamp.text(Date(timeIntervalSince1970: .nan)) == "1970-01-01T00:00:00.000Z")
  }

  @Test("the order of texts is the order of times, and the text is that of Foundation")
  func order() {
    let style = Date.ISO8601FormatStyle(includingFractionalSeconds: true)
    var last = ""
    for step in 0..<5000 {
      let date = Date(timeIntervalSince1970: -2_000_000_000 + Double(step) * 987_654.25)
      let text = Timestamp.text(date)
      #expect(text > last)
      #expect(text == date.formatted(style))
      last = text
    }
  }

  @Test(
    "anything else is no time",
    arguments: ["", "now", "2026-13-01T00:00:00.000Z", "2026-01-01T24:00:00.000Z", "2026-01-01 00:00:00.000Z", "2026-01-01T00:00:00Z"])
  func refusal(text: String) {
    #expect(Timestamp.date(text) == nil)
  }
}
