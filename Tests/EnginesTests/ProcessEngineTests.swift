import Contracts
import Domain
import Foundation
import Glibc
import Logging
import RunnerHub
import Testing

@testable import Engines

@Suite("ProcessEngine")
struct ProcessEngineTests {
  @Test("keeps the contract of container engines", .timeLimit(.minutes(2)), arguments: ContainerEngineContract.promises)
  func keepsTheContract(_ promise: Promise) async throws {
    try await promise.keep(on: ProcessBench())
  }

  /// A started container of this script, removed afterwards.
  func withContainer(
    _ script: String, files: [RunnerFile] = [], go: Bool = true,
    _ body: (ProcessBench, any ContainerEngine, ContainerID) async throws -> Void
  ) async throws {
    let bench = ProcessBench()
    let engine = bench.makeEngine()
    let id = ContainerID(rawValue: "rh-test-\(RandomIdentitySource().token(digits: 10))")
    let spec = ContainerSpec(
      id: id, pool: "test", image: try bench.makeImage(runScript: "#!/bin/sh\n" + script),
      resources: Resources(milliCPUs: 500, memory: ByteCount(mebibytes: 128), disk: ByteCount(mebibytes: 64)), isReusable: false)
    let failure: (any Error)?
    do {
      try await engine.create(spec)
      try await engine.start(id)
      if go { try await engine.put(files + [marker], into: id) }
      try await body(bench, engine, id)
      failure = nil
    } catch {
      failure = error
    }
    try await engine.remove(id)
    try bench.tearDown()
    if let failure { throw failure }
  }

  let marker = RunnerFile(path: ".runnerhub-go", contents: Data("1".utf8), mode: 0o600)

  func log(_ engine: any ContainerEngine, _ id: ContainerID) async throws -> String {
    String(decoding: try await engine.log(of: id, use: 1, from: 0), as: UTF8.self)
  }

  func exit(_ engine: any ContainerEngine, _ id: ContainerID) async throws -> Int32? {
    try await eventually("the exit of \(id)") {
      if case .exited(let code) = try await engine.inspect(id)?.status { return .some(code) }
      return nil
    }
  }

  @Test("SIGTERM for PID 1 reaches run.sh, whose exit status it takes")
  func terminates() async throws {
    try await withContainer("trap 'echo told; exit 9' TERM; echo up; sleep 60 & wait") { bench, engine, id in
      _ = try await eventually("the job") { try await log(engine, id).contains("up") ? true : nil }
      try bench.firstProcess(of: id, signal: SIGTERM)
      #expect(try await exit(engine, id) == 9)
      #expect(try await log(engine, id) == "up\ntold\n")
    }
  }

  @Test("SIGTERM ends PID 1 that waits for a job")
  func terminatesIdle() async throws {
    try await withContainer("exit 1", go: false) { bench, engine, id in
      let ready = bench.root.appending(path: "\(id)/state/ready").path(percentEncoded: false)
      _ = try await eventually("PID 1 to wait") { FileManager.default.fileExists(atPath: ready) ? true : nil }
      try bench.firstProcess(of: id, signal: SIGTERM)
      #expect(try await exit(engine, id) == 0)
    }
  }

  @Test("a process that has the number of PID 1 but another start is neither believed nor ended")
  func recycledNumber() async throws {
    let stranger = Process()
    stranger.executableURL = URL(filePath: "/bin/sleep")
    stranger.arguments = ["60"]
    try stranger.run()
    // Not terminate(): Process hands down the signals that its thread has blocked.
    defer {
      if stranger.isRunning { kill(stranger.processIdentifier, SIGKILL) }
      stranger.waitUntilExit()
    }
    try await withContainer("exit 0") { bench, engine, id in
      _ = try await exit(engine, id)
      let file = bench.root.appending(path: "\(id)/state/init.json")
      var start = try JSONDecoder().decode(ContainerFolder.Start.self, from: Data(contentsOf: file))
      // Not only by chance another start: both may have begun in one tick.
      let other = try #require(ProcessTable.identity(of: stranger.processIdentifier))
      start.process = ProcessIdentity(pid: other.pid, startTicks: other.startTicks - 1, boot: other.boot)
      try JSONEncoder().encode(start).write(to: file)
      #expect(try await engine.inspect(id)?.status == .exited(code: 0))
      try await engine.remove(id)
      #expect(stranger.isRunning)
    }
  }

  @Test("a file is not put through a link that a job has laid, and replaces a link of its own name")
  func links() async throws {
    let script = "ln -s .. up; ln -s ../../outside name; echo laid; while [ ! -e go-on ]; do sleep 0.05; done"
    try await withContainer(script) { bench, engine, id in
      _ = try await eventually("the links") { try await log(engine, id).contains("laid") ? true : nil }
      await #expect(throws: EngineError.self) {
        try await engine.put([RunnerFile(path: "up/escaped", contents: Data(), mode: 0o600)], into: id)
      }
      try await engine.put([RunnerFile(path: "name", contents: Data("inside".utf8), mode: 0o600)], into: id)
      let folder = bench.root.path(percentEncoded: false)
      #expect(!FileManager.default.fileExists(atPath: "\(folder)/\(id)/escaped"))
      #expect(!FileManager.default.fileExists(atPath: "\(folder)/outside"))
      #expect(try String(contentsOfFile: "\(folder)/\(id)/home/name", encoding: .utf8) == "inside")
      try await engine.put([RunnerFile(path: "go-on", contents: Data(), mode: 0o600)], into: id)
    }
  }

  @Test("limits hold for what runs, and change for what runs")
  func limits() async throws {
    let script = "ulimit -d; ulimit -f; ulimit -c; while [ ! -e go-on ]; do sleep 0.05; done; ulimit -d"
    try await withContainer(script) { _, engine, id in
      _ = try await eventually("the job") { try await log(engine, id).split(separator: "\n").count == 3 ? true : nil }
      try await engine.update(id, to: Resources(milliCPUs: 1000, memory: ByteCount(mebibytes: 512), disk: ByteCount(mebibytes: 64)))
      try await engine.put([RunnerFile(path: "go-on", contents: Data(), mode: 0o600)], into: id)
      _ = try await exit(engine, id)
      // KiB, blocks of 512 bytes, blocks of 512 bytes, KiB.
      #expect(try await log(engine, id) == "131072\n131072\n0\n524288\n")
    }
  }

  @Test("what a crash left half made or half removed goes with the container, and another installation's are not listed")
  func leftovers() async throws {
    try await withContainer("exit 0") { bench, engine, id in
      for place in [".making", ".trash"] {
        let left = bench.root.appending(path: "\(place)/\(id).0123/home")
        try FileManager.default.createDirectory(at: left, withIntermediateDirectories: true)
      }
      let other = ProcessEngine(root: bench.root, images: [:], installation: "other", logger: Logger(label: "other"))
      #expect(try await other.list().isEmpty)
      #expect(try await engine.list().map(\.id) == [id])
      try await engine.remove(id)
      let names = try FileManager.default.subpathsOfDirectory(atPath: bench.root.path(percentEncoded: false))
      #expect(names.sorted() == [".making", ".trash"])
    }
  }

  @Test("a folder is the same image with a slash at its end")
  func slashAtTheEnd() async throws {
    let bench = ProcessBench()
    let engine = bench.makeEngine()
    let id = ContainerID(rawValue: "rh-slash-\(RandomIdentitySource().token(digits: 10))")
    let image = try bench.makeImage(runScript: "#!/bin/sh\n") + "/"
    let size = Resources(milliCPUs: 100, memory: ByteCount(gibibytes: 1))
    let spec = ContainerSpec(id: id, pool: "test", image: image, resources: size, isReusable: false)
    try await engine.create(spec)
    #expect(FileManager.default.fileExists(atPath: "\(try await engine.home(of: spec))/run.sh"))
    try await engine.remove(id)
    try bench.tearDown()
  }

  @Test("a named image is made of its files")
  func namedImage() async throws {
    let bench = ProcessBench()
    let files = [
      RunnerFile(path: "run.sh", contents: Data("#!/bin/sh\ncat lib/word\n".utf8), mode: 0o755),
      RunnerFile(path: "lib/word", contents: Data("hello".utf8), mode: 0o444),
    ]
    let engine = ProcessEngine(root: bench.root, images: ["stand-in": files], installation: "test", logger: Logger(label: "test"))
    let id = ContainerID(rawValue: "rh-image-\(RandomIdentitySource().token(digits: 10))")
    let size = Resources(milliCPUs: 500, memory: ByteCount(mebibytes: 128))
    try await engine.create(ContainerSpec(id: id, pool: "test", image: "stand-in", resources: size, isReusable: false))
    try await engine.start(id)
    try await engine.put([marker], into: id)
    #expect(try await exit(engine, id) == 0)
    #expect(try await log(engine, id) == "hello")
    try await engine.remove(id)
    try bench.tearDown()
  }
}
