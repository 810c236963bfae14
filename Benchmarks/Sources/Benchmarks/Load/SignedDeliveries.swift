import Crypto
import Foundation

/// Requests of one size for as many `workflow_job` events as wanted: one template, in which the job's id, the GUID and the signature differ.
///
/// Signatures are made before anything is measured, so that a sender costs next to nothing.
struct SignedDeliveries: Sendable {
  static let secret = "It's a Secret to Everybody"
  /// 15 KB: what a delivery of a job in an organisation with custom properties weighs.
  static let bodyBytes = 15_360
  private static let firstID: Int64 = 30_000_000_000

  /// A whole request, up to the end of its body.
  private let template: [UInt8]
  private let bodyStart: Int
  private let guid: Range<Int>
  private let signature: Range<Int>
  private let id: Range<Int>
  private let signatures: [UInt8]
  let count: Int

  /// - Parameters:
  ///   - count: deliveries, each of a job of its own.
  ///   - labels: of the jobs.
  init(count: Int, labels: [String] = Sample.labels) {
    let body = Array(Self.body(id: Self.firstID, labels: labels).utf8)
    let number = Array(String(Self.firstID).utf8)
    let head = Self.head(bodyBytes: body.count)
    template = head.bytes + body
    bodyStart = head.bytes.count
    guid = head.guid
    signature = head.signature
    let place = bodyStart + Self.place(of: Array("\"id\":".utf8), in: body) + 5
    id = place..<(place + number.count)
    self.count = count
    let (template, bodyStart, id) = (template, bodyStart, id)
    let key = SymmetricKey(data: Data(Self.secret.utf8))
    var codes = [UInt8]()
    codes.reserveCapacity(count * 64)
    var request = template
    for index in 0..<count {
      Self.write(Self.firstID + Int64(index), into: id, of: &request)
      for byte in HMAC<SHA256>.authenticationCode(for: request[bodyStart...], using: key) {
        codes.append(Self.digit(byte >> 4))
        codes.append(Self.digit(byte & 15))
      }
    }
    signatures = codes
  }

  /// Writes one request into a buffer, whatever it held.
  func write(_ index: Int, into request: inout [UInt8]) {
    if request.count != template.count { request = template }
    let number = Self.firstID + Int64(index)
    Self.write(number, into: id, of: &request)
    Self.write(number, into: guid, of: &request)
    request.replaceSubrange(signature, with: signatures[index * 64..<(index + 1) * 64])
  }

  /// The body of one delivery, as it is stored.
  func body(_ index: Int) -> Data {
    var request = template
    write(index, into: &request)
    return Data(request[bodyStart...])
  }
  /// Its GUID and what recognises its repetition.
  func identity(_ index: Int) -> (guid: String, transition: String) {
    let number = Self.firstID + Int64(index)
    return ("\(Self.guidPrefix)\(number)", "\(number).1/queued/queued")
  }

  // MARK: - Bytes

  private static let guidPrefix = "0f5c4e3a-b1d2-11ef-9c00-0"

  private static func head(bodyBytes: Int) -> (bytes: [UInt8], guid: Range<Int>, signature: Range<Int>) {
    var text = """
      POST /webhooks/github HTTP/1.1\r
      Host: 127.0.0.1\r
      User-Agent: GitHub-Hookshot/benchmark\r
      Accept: */*\r
      Content-Type: application/json\r
      Content-Length: \(bodyBytes)\r
      X-GitHub-Event: workflow_job\r
      X-GitHub-Hook-ID: 451234567\r
      X-GitHub-Hook-Installation-Target-Type: organization\r
      X-GitHub-Hook-Installation-Target-ID: 9876543\r
      X-GitHub-Delivery: \(guidPrefix)
      """
    let guidStart = text.utf8.count
    text += "\(firstID)\r\nX-Hub-Signature-256: sha256="
    let signatureStart = text.utf8.count
    text += String(repeating: "0", count: 64) + "\r\n\r\n"
    return (Array(text.utf8), guidStart..<(guidStart + String(firstID).utf8.count), signatureStart..<(signatureStart + 64))
  }

  private static func write(_ number: Int64, into range: Range<Int>, of bytes: inout [UInt8]) {
    var rest = number
    for index in range.reversed() {
      bytes[index] = UInt8(ascii: "0") + UInt8(rest % 10)
      rest /= 10
    }
  }

  private static func place(of pattern: [UInt8], in bytes: [UInt8]) -> Int {
    bytes.indices.first { bytes[$0...].starts(with: pattern) } ?? 0
  }

  private static func digit(_ nibble: UInt8) -> UInt8 { nibble < 10 ? 48 + nibble : 87 + nibble }
}
