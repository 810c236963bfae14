import Domain
import Foundation
import Testing

@testable import RunnerHub

@Suite("Refusals that a runner carries out")
struct RefusalTests {
  private static let hostile = "it's \"quoted\"\nand $(touch /tmp/owned) `id` ${HOME} \\ '; exit 0; '"

  /// Runs a started hook as the runner does.
  private func run(_ hook: Data, run: Int64, key: String) throws -> (status: Int32, output: String) {
    let folder = URL(filePath: NSTemporaryDirectory()).appending(path: "hook-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer {
      do { try FileManager.default.removeItem(at: folder) } catch { Issue.record(error) }
    }
    let script = folder.appending(path: "started.sh")
    try hook.write(to: script)
    let process = Process()
    process.executableURL = URL(filePath: "/bin/sh")
    process.arguments = [script.path]
    process.currentDirectoryURL = folder
    process.environment = ["GITHUB_RUN_ID": "\(run)", "GITHUB_JOB": key, "PATH": "/usr/bin:/bin"]
    let pipe = Pipe()
    process.standardOutput = pipe
    try process.run()
    let output = try pipe.fileHandleForReading.readToEnd() ?? Data()
    process.waitUntilExit()
    return (process.terminationStatus, String(decoding: output, as: UTF8.self))
  }

  private func hook(_ refused: [RunnerFiles.RefusedJob]) throws -> Data {
    let job = Job(
      id: JobID(forgeID: 1, attempt: 1), forgeID: 1, runID: 100, runAttempt: 1, repository: Bench.repository, name: "x", labels: [],
      headSHA: "",
      createdAt: .distantPast, receivedAt: .distantPast)
    let container = Container(
      id: ContainerID(rawValue: "c"), name: "it's $(here)", pool: "p", engine: "fake", image: "i",
      resources: Resources(milliCPUs: 1, memory: ByteCount(bytes: 1)), labels: [], createdAt: .distantPast)
    let assignment = Assignment(
      id: AssignmentID(rawValue: "rh-1"), jobID: job.id, containerID: container.id, jobClass: JobClass(scope: "a", labels: []),
      priority: .normal,
      use: 1, assignedAt: .distantPast)
    let files = RunnerFiles(job: job, assignment: assignment, container: container, home: "/home/runner", refused: refused, baseURL: nil)
      .files
    return try #require(files.first { $0.path == ".runnerhub/started.sh" }).contents
  }

  @Test("the hook fails exactly the refused job, and prints the reason whatever it holds")
  func exact() throws {
    let hook = try hook([.init(runID: 100, key: "build", reason: Self.hostile)])
    let refused = try run(hook, run: 100, key: "build")
    #expect(refused.status == 1)
    #expect(refused.output == "::error::RunnerHub refuses this job: \(Self.hostile.replacing("\n", with: " "))\n")
    for (id, key) in [(100, "builds"), (100, "*"), (1000, "build"), (10, "0:build"), (101, "build")] as [(Int64, String)] {
      #expect(try run(hook, run: id, key: key).status == 0, "\(id) \(key)")
    }
  }

  @Test("a job whose key is not known is failed with all of its run", arguments: ["build", "a b", ""])
  func unknownKey(key: String) throws {
    let hook = try hook([.init(runID: 100, key: nil, reason: "no definition")])
    #expect(try run(hook, run: 100, key: key).status == 1)
    #expect(try run(hook, run: 1001, key: key).status == 0)
  }

  @Test("patterns of the shell in a key match only themselves")
  func patterns() throws {
    let hook = try hook([.init(runID: 100, key: "*", reason: "a"), .init(runID: 100, key: "it's|x) exit 3;;", reason: "b")])
    #expect(try run(hook, run: 100, key: "build").status == 0)
    #expect(try run(hook, run: 100, key: "*").status == 1)
    #expect(try run(hook, run: 100, key: "it's|x) exit 3;;").status == 1)
    #expect(try run(hook, run: 100, key: "x").status == 0)
  }

  @Test("a refused job whose run may not be cancelled gets a runner that fails it")
  func runner() async throws {
    let bench = try Bench { $0.pools = [Bench.pool { $0.definition = .required }] }
    try await bench.queue(7)
    try await failByHook(7, bench)
    try await bench.plan()
    let assignment = try await bench.assignment(of: 7)
    #expect(assignment.isRefusal)
    #expect(try await bench.job(7).state == .refused)
    try await bench.work()
    let script = try #require(bench.engine.box(assignment.containerID)?.files[".runnerhub/started.sh"])
    #expect(try run(script, run: 100, key: "build").status == 1)
    #expect(try run(script, run: 101, key: "build").status == 0)
    try await bench.deliver(Bench.report(7, "in_progress", runner: assignment.id.rawValue))
    try await bench.finish(7, on: assignment, conclusion: "failure")
    try await bench.work()
    #expect(try await bench.job(7).state == .completed)
    #expect(try await bench.now(assignment).phase == .released)
  }

  @Test(
    "a runner whose labels include those of a refused job fails it too, however far its cancellation is", arguments: [true, false])
  func otherClass(isForbidden: Bool) async throws {
    let bench = try Bench()
    bench.forge.with {
      $0.runs[100] = RunReport(
        action: nil, id: 100, attempt: 1, repository: "acme/shop", headSHA: "a", status: "queued", conclusion: nil,
        context: RunContext(event: "pull_request", path: nil, headRepositoryID: 99, actor: nil), definitionRefs: [])
    }
    try await bench.queue(7)
    if isForbidden { try await failByHook(7, bench) }
    try await bench.deliver(Bench.report(8, "queued", run: 200, labels: ["self-hosted", "linux", "x64"]))
    try await bench.decide()
    try await bench.plan()
    try await bench.work()
    let assignment = try await bench.assignment(of: 8)
    #expect(!assignment.isRefusal)
    let script = try #require(bench.engine.box(assignment.containerID)?.files[".runnerhub/started.sh"])
    #expect(try run(script, run: 100, key: "build").status == 1)
    #expect(try run(script, run: 200, key: "build").status == 0)
  }

  /// The cancellation of the job's run was answered with 403.
  private func failByHook(_ id: Int64, _ bench: Bench) async throws {
    try await bench.transactor.transact(.jobDecided) { (unit) throws(StoreError) in
      guard var job = try await unit.job(JobID(forgeID: id, attempt: 1)) else { return }
      job.refusalAction = .failByHook
      unit.put(job)
    }
  }
}
