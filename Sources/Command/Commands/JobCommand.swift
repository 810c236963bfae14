import ArgumentParser
import Domain
import Foundation
import RunnerHub
import Web

/// `runnerhub job`
struct JobCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "job",
    abstract: "List jobs, read their logs, and ask why.", subcommands: [List.self, Logs.self, Explain.self])

  struct Host: ParsableArguments {
    @Option(help: "The status page of a running serve (default: what serve announced in --data).")
    var address: String?

    @Option(help: "The data directory of a running serve.")
    var data = "data"

    func client() throws -> AdministrationClient {
      if let address { return AdministrationClient(address: address.hasSuffix("/") ? String(address.dropLast()) : address) }
      guard let announced = Announcement.read(directory: URL(filePath: data, directoryHint: .isDirectory)) else {
        throw ValidationError("no running serve is announced in \(data): name it by --address http://127.0.0.1:8081 or --data FOLDER")
      }
      return AdministrationClient(address: announced.administration)
    }
  }

  struct List: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "The newest jobs.", discussion: "Example: runnerhub job list --limit 10 --json")
    @OptionGroup var host: Host
    @Option(help: "At most so many, 1 to 1000.") var limit = 50
    @Flag(help: "As JSON.") var json = false

    func validate() throws {
      guard (1...1000).contains(limit) else { throw ValidationError("--limit is \(limit): expected a whole number from 1 to 1000") }
    }

    func run() async throws {
      let rows = try await host.client().jobs(limit: limit)
      if json { return print(String(decoding: try WireJSON.encoder.encode(rows), as: UTF8.self)) }
      print(JobTable(rows: rows, showsIDs: true).text(width: Terminal.size?.columns))
    }
  }

  struct Logs: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "A job's log; with --follow until it ends.", discussion: "Example: runnerhub job logs unit-tests --follow")
    @OptionGroup var host: Host
    @Argument(help: "Id or name of the job.") var job: String
    @Flag(name: .shortAndLong, help: "Go on until the job has ended.") var follow = false

    func run() async throws {
      let client = try host.client()
      let id = try await client.find(job).id
      var offset = 0
      while true {
        let hasEnded = try await client.story(of: id).row.hasEnded
        let data = try await client.log(of: id, from: offset)
        offset += data.count
        FileHandle.standardOutput.write(data)
        if data.isEmpty, hasEnded || !follow { return }
        if data.isEmpty { try await Task.sleep(for: .milliseconds(250)) }
      }
    }
  }

  struct Explain: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "The story of a job, from delivery to end.", discussion: "Example: runnerhub job explain 29679449526")
    @OptionGroup var host: Host
    @Argument(help: "Id or name of the job.") var job: String
    @Flag(help: "As JSON.") var json = false

    func run() async throws {
      let client = try host.client()
      let story = try await client.story(of: try await client.find(job).id)
      if json { return print(String(decoding: try WireJSON.encoder.encode(story), as: UTF8.self)) }
      print(story.text)
    }
  }
}

extension JobRow {
  /// Nothing more is to come for it here.
  var hasEnded: Bool { state.isFinal || state == .failed }
}
