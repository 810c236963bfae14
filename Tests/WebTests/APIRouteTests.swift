import Testing

@testable import Web

@Suite("Addresses of the API")
struct APIRouteTests {
  @Test(
    "a star in a path stands for one word of a bounded length, and for nothing else",
    arguments: [
      ("/api/v1/plugins/*/logs", "/api/v1/plugins/slack/logs", "slack"), ("/api/v1/plugins/*/logs", "/api/v1/plugins/*/logs", "*"),
      ("/api/v1/plugins/*/logs", "/api/v1/plugins//logs", nil), ("/api/v1/plugins/*/logs", "/api/v1/plugins/a/b/logs", nil),
      ("/api/v1/plugins/*/logs", "/api/v1/plugins/slack/logs/", nil), ("/api/v1/plugins/*/logs", "/api/v1/plugins/slack", nil),
      ("/api/v1/plugins/*/logs", "/api/v1/plugins/\(String(repeating: "a", count: 65))/logs", nil), ("/api/v1/plugins", "/api/v1/plugins", ""),
      ("/api/v1/plugins", "/api/v1/plugins/", nil),
    ] as [(String, String, String?)])
  func wildcard(path: String, asked: String, word: String?) {
    #expect(APIRoute.get(path) { _ in true }.wildcard(in: asked) == word)
  }
}
