internal import Foundation
internal import NIOSSL

/// A machine with a Docker daemon, and how it is reached.
package struct DockerHost: Hashable, Sendable {
  package enum Address: Hashable, Sendable {
    /// A socket on this machine.
    case unix(path: String)
    /// Always with mutual TLS: who reaches the port of a daemon is root on its host.
    case tcp(host: String, port: Int, DockerCertificates)
    /// Through OpenSSH, which forwards a socket of this machine.
    case ssh(SSHDestination)
  }

  /// Under which containers and pools know it: `docker` for the daemon of `docker.host`, else `docker://NAME`.
  package var name: String
  package var address: Address
  /// Devices that containers may be given.
  package var gpus: Int

  package init(name: String, address: Address, gpus: Int = 0) {
    self.name = name
    self.address = address
    self.gpus = gpus
  }

  /// Whether the daemon's files are files of this machine.
  package var isLocal: Bool { if case .unix = address { true } else { false } }
}

/// Files of a client that a daemon with `--tlsverify` lets in (https://docs.docker.com/engine/security/protect-access/), in PEM.
package struct DockerCertificates: Hashable, Sendable {
  /// Of the authority that signed the daemon's certificate.
  package var authority: String
  package var certificate: String
  package var key: String

  package init(authority: String, certificate: String, key: String) {
    self.authority = authority
    self.certificate = certificate
    self.key = key
  }

  /// What a connection is made with. No authority but the given one is trusted.
  /// - Throws: `EngineError.invalid`, which names the file.
  func tls() throws -> TLSConfiguration {
    var tls = TLSConfiguration.makeClientConfiguration()
    tls.trustRoots = .certificates(try Self.reading(authority) { try NIOSSLCertificate.fromPEMFile($0) })
    tls.certificateChain = try Self.reading(certificate) { try NIOSSLCertificate.fromPEMFile($0) }.map { .certificate($0) }
    tls.privateKey = .privateKey(try Self.reading(key) { try NIOSSLPrivateKey(file: $0, format: .pem) })
    tls.minimumTLSVersion = .tlsv12
    return tls
  }

  private static func reading<Value>(_ path: String, _ body: (String) throws -> Value) throws -> Value {
    do {
      return try body(path)
    } catch {
      throw DockerFailure.unusable("the TLS file \(path) cannot be used: \(error)")
    }
  }
}

/// `ssh://USER@HOST:PORT/PATH-OF-SOCKET`, of which only the host must be given.
package struct SSHDestination: Hashable, Sendable, CustomStringConvertible {
  /// nil: as ssh's own configuration says.
  package var user: String?
  package var host: String
  package var port: Int?
  /// The daemon's socket over there.
  package var socket: String

  package init(user: String? = nil, host: String, port: Int? = nil, socket: String = "/var/run/docker.sock") {
    self.user = user
    self.host = host
    self.port = port
    self.socket = socket
  }

  package var description: String { "ssh://" + (user.map { "\($0)@" } ?? "") + host + (port.map { ":\($0)" } ?? "") }
}

extension DockerHost.Address: CustomStringConvertible {
  package var description: String {
    switch self {
    case .unix(let path): path
    case .tcp(let host, let port, _): "\(host.contains(":") ? "[\(host)]" : host):\(port)"
    case .ssh(let destination): "\(destination)"
    }
  }
}
