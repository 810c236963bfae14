import Contracts
import Domain
import Foundation
import NIOCore
import RunnerHub
import Testing

@testable import Engines

@Suite("Parts of the Docker engine")
struct DockerPartsTests {
  // MARK: Frames

  @Test("a stream of frames is the same wherever it is split")
  func splits() throws {
    let bytes =
      FakeDaemon.frame("out") + FakeDaemon.frame("", stream: 1) + FakeDaemon.frame("err", stream: 2)
      + FakeDaemon.frame(String(repeating: "x", count: 300))
    for first in 0...bytes.count {
      var decoder = DockerFrameDecoder()
      var frames = try decoder.take(ByteBuffer(bytes: bytes[..<first]))
      frames += try decoder.take(ByteBuffer(bytes: bytes[first...]))
      #expect(frames.map { String(buffer: $0.payload) } == ["out", "", "err", String(repeating: "x", count: 300)])
      #expect(frames.map(\.stream) == [.stdout, .stdout, .stderr, .stdout])
      #expect(!decoder.isCut)
    }
  }

  @Test("what is no frame is refused, and a length without end too")
  func malformed() throws {
    for bytes: [UInt8] in [[9, 0, 0, 0, 0, 0, 0, 1, 65], [1, 0, 0, 0, 0xff, 0xff, 0xff, 0xff], Array("HTTP/1.1 200".utf8)] {
      var decoder = DockerFrameDecoder()
      #expect(throws: DockerFrameDecoder.Malformed.self) { _ = try decoder.take(ByteBuffer(bytes: bytes)) }
    }
  }

  // MARK: Logs

  @Test(
    "the log of a use is what stands between PID 1's lines, to the byte",
    arguments: [
      (["##[runnerhub use 1]\n", "a\n", "b\n", "\n", "##[runnerhub end 1]\n"], "a\nb\n"),
      (["##[runnerhub use 1]\n", "a\n", "b\n", "##[runnerhub end 1]\n"], "a\nb"),
      (["##[runnerhub use 1]\n", "\n", "##[runnerhub end 1]\n"], ""),
      (["##[runnerhub use 1]\n", "\n", "\n", "##[runnerhub end 1]\n"], "\n"),
      (["##[runnerhub use 1]\n", "part", " of a line\n", "##[runnerhub end 1]\n"], "part of a line"),
      (["##[runnerhub use 1]\n", "killed\n", "##[runnerhub use 2]\n", "two\n"], "killed\n"),
      (
        ["##[runnerhub use 1]\n", "##[runnerhub end 2]\n", "##[runnerhub use 0]\n", "##[runnerhub used 1]\n", "x"],
        "##[runnerhub end 2]\n##[runnerhub use 0]\n##[runnerhub used 1]\nx"
      ),
      (["before\n", "##[runnerhub use 1]\n", "a\n", "\n", "##[runnerhub end 1]\n", "after\n", "##[runnerhub use 2]\n"], "a\nafter\n"),
      (["##[runnerhub use 2]\n", "two\n"], ""),
      ([], ""),
    ])
  func useLog(_ messages: [String], _ wanted: String) {
    var log = UseLog(use: 1)
    var data = Data()
    for message in messages { data += log.take(Data(message.utf8)) }
    #expect(String(decoding: data, as: UTF8.self) == wanted)
    #expect(log.size == Int64(wanted.utf8.count))
  }

  @Test("a newline that PID 1 may have written is held back, and given when nothing more comes")
  func heldNewline() {
    var log = UseLog(use: 1)
    _ = log.take(Data("##[runnerhub use 1]\n".utf8))
    #expect(log.take(Data("a\n".utf8)) == Data("a".utf8))
    #expect(log.flush() == Data("\n".utf8))
    #expect(log.flush().isEmpty)
    #expect(log.size == 2)
  }

  @Test("a reading goes on exactly where it stopped, however many messages are of the same time")
  func reading() throws {
    func message(_ second: Int, _ text: String) throws -> DockerLogMessage {
      try DockerLogMessage(ByteBuffer(string: "2026-01-02T03:04:0\(second)Z \(text)"))
    }
    let all = try [
      message(1, "##[runnerhub use 1]\n"), message(2, "a"), message(2, "b"), message(2, "c"), message(3, "d"), message(3, "e"),
    ]
    for stop in 0...all.count {
      var reading = LogReading(use: 1)
      var data = Data()
      for message in all.prefix(stop) { data += reading.take(message) ?? Data() }
      reading.rewind()
      // Docker repeats what is of the newest time, since `since` includes it.
      for message in all where reading.time.map({ message.time >= $0 }) ?? true { data += reading.take(message) ?? Data() }
      #expect(String(decoding: data, as: UTF8.self) == "abcde", "stopped after \(stop)")
    }
  }

  // MARK: Times, versions, names

  @Test("times keep their nanoseconds, and are handed back as seconds")
  func times() throws {
    let time = try #require(DockerTime("2026-11-26T11:03:12.012305641Z"))
    #expect(time.stamp == "1795690992.012305641")
    #expect(DockerTime("2026-11-26T11:03:12Z")?.stamp == "1795690992.000000000")
    #expect(DockerTime("2026-11-26T12:03:12.5+01:00")?.stamp == "1795690992.500000000")
    #expect(try #require(DockerTime("2026-11-26T11:03:12.012305642Z")) > time)
    for text in ["0001-01-01T00:00:00Z", "", "today", "2026-11-26", "2026-11-26T11:03:12.0123456789Z"] {
      #expect(DockerTime(text) == nil, "\(text)")
    }
  }

  @Test("versions are compared as numbers")
  func versions() {
    #expect(DockerAPIVersion("1.9")! < DockerAPIVersion("1.41")!)
    for text in ["", "1", "1.x", "1.2.3", "-1.2", "v1.41"] { #expect(DockerAPIVersion(text) == nil) }
  }

  // MARK: Tar

  @Test("tar reads what was packed: names, modes, owners, contents")
  func tar() throws {
    var archive = TarArchive(modified: Date(timeIntervalSince1970: 1_700_000_000))
    try archive.add(file: ".credentials", Data("secret".utf8), mode: 0o400, owner: 1001)
    try archive.add(file: "deep/er/file", Data(count: 1000), mode: 0o644, owner: 1001)
    try archive.add(file: "deep/er/other", Data(count: 512), mode: 0o755, owner: 0)
    try archive.add(file: "empty", Data(), mode: 0o600, owner: 70000)
    let file = FileManager.default.temporaryDirectory.appending(path: "runnerhub-tar-\(UUID().uuidString)")
    try archive.data.write(to: file)
    defer { try? FileManager.default.removeItem(at: file) }
    let process = Process()
    let output = Pipe()
    process.executableURL = URL(filePath: "/bin/tar")
    process.arguments = ["--list", "--verbose", "--numeric-owner", "--utc", "--file", file.path(percentEncoded: false)]
    process.standardOutput = output
    try process.run()
    let text = String(decoding: try output.fileHandleForReading.readToEnd() ?? Data(), as: UTF8.self)
    process.waitUntilExit()
    #expect(process.terminationStatus == 0)
    let lines = text.split(separator: "\n").map { $0.split(separator: " ", omittingEmptySubsequences: true).joined(separator: " ") }
    #expect(
      lines == [
        "-r-------- 1001/1001 6 2023-11-14 22:13 .credentials", "drwxr-xr-x 1001/1001 0 2023-11-14 22:13 deep/",
        "drwxr-xr-x 1001/1001 0 2023-11-14 22:13 deep/er/", "-rw-r--r-- 1001/1001 1000 2023-11-14 22:13 deep/er/file",
        "-rwxr-xr-x 0/0 512 2023-11-14 22:13 deep/er/other", "-rw------- 70000/70000 0 2023-11-14 22:13 empty",
      ])
    #expect(throws: TarArchive.Unrepresentable.self) {
      try archive.add(file: String(repeating: "n", count: 101), Data(), mode: 0, owner: 0)
    }
  }

  // MARK: Templates

  private func template(_ change: (inout ContainerSpec) -> Void = { _ in }) -> DockerTemplate {
    var spec = ContainerSpec(
      id: ContainerID(rawValue: "rh-one"), pool: "linux", image: "ghcr.io/acme/runner:1",
      resources: Resources(milliCPUs: 1500, memory: ByteCount(gibibytes: 2)), isReusable: false, environment: ["GREETING": "hello"])
    change(&spec)
    return DockerTemplate(spec: spec, installation: "here", settings: DockerSettings())
  }

  @Test("a container for one use has its limits, no swap, and the image's own rights")
  func oneUse() {
    let made = template().creation
    #expect(made.HostConfig.Memory == 2 << 30 && made.HostConfig.MemorySwap == 2 << 30)
    #expect(made.HostConfig.NanoCpus == 1_500_000_000 && made.HostConfig.PidsLimit == 4096)
    #expect(made.HostConfig.CapDrop == nil && made.HostConfig.ReadonlyRootfs == nil && made.HostConfig.Mounts == nil)
    #expect(made.HostConfig.DeviceRequests == nil)
    #expect(made.User == "1001" && made.Image == "ghcr.io/acme/runner:1")
    #expect(made.Env.contains("GREETING=hello") && made.Env.contains("HOME=/home/runner"))
    #expect(made.Labels["runnerhub.installation"] == "here" && made.Labels["runnerhub.pool"] == "linux")
    #expect(DockerTemplate.spec(from: made.Labels) == template().spec)
  }

  @Test("a reusable container can write to volumes only, and gains no rights")
  func reusable() {
    let host = template { $0.isReusable = true }.creation.HostConfig
    #expect(host.ReadonlyRootfs == true && host.CapDrop == ["ALL"] && host.SecurityOpt == ["no-new-privileges"])
    #expect(host.Mounts?.map(\.Target) == ["/runnerhub", "/tmp", "/var/tmp"])
  }

  @Test("GPUs are asked for by number")
  func gpus() {
    #expect(template { $0.resources.gpus = 2 }.creation.HostConfig.DeviceRequests == [.init(Count: 2)])
  }

  @Test("what no container can be is refused before Docker is asked")
  func impossible() throws {
    for change: (inout ContainerSpec) -> Void in [
      { $0.resources.memory = ByteCount(mebibytes: 5) }, { $0.resources.milliCPUs = 0 }, { $0.resources.gpus = -1 },
      { $0.environment = ["A=B": "x"] }, { $0.environment = ["RUNNERHUB_HOME": "/"] },
    ] {
      #expect(throws: EngineError.self) { try template(change).check() }
    }
  }
}
