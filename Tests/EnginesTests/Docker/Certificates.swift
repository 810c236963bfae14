import Foundation

@testable import Engines

/// An authority, a daemon's certificate, a client's, and those of somebody else, made with openssl.
struct Certificates {
  private let folder: URL

  struct Failure: Error, CustomStringConvertible { var description: String }

  static func make() async throws -> Certificates {
    let folder = URL(filePath: "/tmp/rh-tls-\(UUID().uuidString.prefix(8))", directoryHint: .isDirectory)
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    let script = """
      set -e; cd "$0"
      authority() { openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj "/CN=$1" -keyout "$1.key" -out "$1.pem"; }
      # Every address of the namespaces that the tests' daemons live in.
      names=$(seq 0 255 | awk '{ for (n = 2; n < 256; n += 4) printf "IP:10.213.%d.%d,", $1, n }')IP:127.0.0.1
      signed() {
        openssl req -newkey rsa:2048 -nodes -subj "/CN=$1" -keyout "$1.key" -out "$1.csr"
        openssl x509 -req -in "$1.csr" -CA "$2.pem" -CAkey "$2.key" -CAcreateserial -days 2 -extfile "$3" -out "$1.pem"
      }
      printf 'subjectAltName=%s\\nextendedKeyUsage=serverAuth\\n' "$names" > server.ext
      printf 'extendedKeyUsage=clientAuth\\n' > client.ext
      authority ca; authority other-ca
      signed server ca server.ext; signed client ca client.ext; signed stranger other-ca client.ext
      """
    let process = Process()
    process.executableURL = URL(filePath: "/bin/bash")
    process.arguments = ["-c", script, folder.path(percentEncoded: false)]
    process.standardInput = FileHandle.nullDevice
    process.standardOutput = FileHandle.nullDevice
    process.standardError = FileHandle.nullDevice
    try process.run()
    process.waitUntilExit()
    guard process.terminationStatus == 0 else { throw Failure(description: "openssl made no certificates (\(process.terminationStatus))") }
    return Certificates(folder: folder)
  }

  func path(_ name: String) -> String { folder.appending(path: name).path(percentEncoded: false) }

  func files(_ name: String) -> DockerCertificates {
    DockerCertificates(authority: path("ca.pem"), certificate: path("\(name).pem"), key: path("\(name).key"))
  }

  func remove() { try? FileManager.default.removeItem(at: folder) }
}
