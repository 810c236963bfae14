/// One request and its answer, as they went over the wire. Header names are in lower case.
package struct RecordedExchange: Codable, Hashable, Sendable {
  package var method: String
  /// Without the query, percent-encoded; the base path of an Enterprise Server (`/api/v3`) taken off.
  package var path: String
  /// Without the question mark; empty where there is none.
  package var query: String
  package var requestHeaders: [String: String]
  package var requestBody: String
  package var status: Int
  package var responseHeaders: [String: String]
  package var responseBody: String

  package init(
    method: String, path: String, query: String, requestHeaders: [String: String], requestBody: String, status: Int,
    responseHeaders: [String: String], responseBody: String
  ) {
    self.method = method
    self.path = path
    self.query = query
    self.requestHeaders = requestHeaders
    self.requestBody = requestBody
    self.status = status
    self.responseHeaders = responseHeaders
    self.responseBody = responseBody
  }
}
