import Crypto
import Foundation

/// Runner registrations: made, listed, deleted.
extension EmulatedGitHub {
  var defaultGroup: EmulatorConfiguration.RunnerGroup { .init(id: 1, name: "Default") }

  var groups: [EmulatorConfiguration.RunnerGroup] { [defaultGroup] + configuration.runnerGroups.filter { $0.id != 1 } }

  /// Registrations of a scope that live, in the order of their making.
  func runners(in scope: JobQueue.Scope) -> [RegistrationRecord] {
    registrations.values.filter { $0.scope == scope && $0.state != .gone }.sorted { $0.id < $1.id }
  }

  /// Makes a just-in-time registration.
  ///
  /// - Throws: 422 for a missing or bad field, 404 for a group that is not there, 409 for a name that is taken.
  func register(_ body: JSON, in scope: JobQueue.Scope) throws(Refusal) -> RegistrationRecord {
    guard let name = body["name"].string else { throw .invalid("Runner", "name", code: "missing_field") }
    guard !name.isEmpty, name.count <= 64 else { throw .invalid("Runner", "name", "must have 1 to 64 characters") }
    guard !body["runner_group_id"].isNull else { throw .invalid("Runner", "runner_group_id", code: "missing_field") }
    guard let groupID = body["runner_group_id"].int else { throw .invalid("Runner", "runner_group_id", "must be an integer") }
    guard let items = body["labels"].array else { throw .invalid("Runner", "labels", code: "missing_field") }
    let labels = items.compactMap(\.string)
    guard labels.count == items.count, (1...100).contains(labels.count), !labels.contains("") else {
      throw .invalid("Runner", "labels", "must be 1 to 100 names")
    }
    if !body["work_folder"].isNull, body["work_folder"].string?.isEmpty ?? true { throw .invalid("Runner", "work_folder") }
    guard let group = groups.first(where: { $0.id == groupID }) else { throw .notFound }
    if runners(in: scope).contains(where: { $0.name.lowercased() == name.lowercased() }) {
      throw Refusal(409, "Already exists - A runner with the name '\(name)' already exists.")
    }
    var seen: Set<String> = []
    let record = RegistrationRecord(
      id: makeID(), name: name, scope: scope, labels: labels.map { $0.lowercased() }.filter { seen.insert($0).inserted }, group: group,
      secret: SymmetricKey(size: .bits256).withUnsafeBytes { Array($0).hexadecimal }, createdAt: now(), lastContact: now())
    registrations[record.id] = record
    return record
  }

  /// The three files that a runner needs, as GitHub packs them: base64 of a JSON map of names to base64 contents.
  func encodedConfiguration(of runner: RegistrationRecord, workFolder: String) throws -> String {
    let scopePath =
      switch runner.scope {
      case .repository(let name), .organisation(let name): name
      }
    let settings: JSON = [
      "agentId": .int(runner.id), "agentName": .string(runner.name), "poolId": .int(runner.group.id),
      "poolName": .string(runner.group.name),
      "serverUrl": .string(baseURL), "gitHubUrl": "\(baseURL)/\(scopePath)", "workFolder": .string(workFolder), "ephemeral": true,
      "disableUpdate": true,
    ]
    let credentials: JSON = [
      "scheme": "OAuth",
      "data": ["clientId": .int(runner.id), "authorizationUrl": "\(baseURL)/_runner/token", "secret": .string(runner.secret)],
    ]
    // GitHub's runner signs with this key; the stand-in shows its secret instead, so there is nothing to tell.
    let parameters: JSON = [:]
    let files: [(String, JSON)] = [(".runner", settings), (".credentials", credentials), (".credentials_rsaparams", parameters)]
    var map: [String: JSON] = [:]
    for (name, content) in files { map[name] = .string(try content.encoded().base64EncodedString()) }
    return try JSON.object(map).encoded().base64EncodedString()
  }

  func runner(_ id: Int64, in scope: JobQueue.Scope) throws(Refusal) -> RegistrationRecord {
    guard let found = registrations[id], found.scope == scope, found.state != .gone else { throw .notFound }
    return found
  }

  /// - Throws: 422 while the runner has a job, 404 for one that is not there.
  func deleteRunner(_ id: Int64, in scope: JobQueue.Scope) throws(Refusal) {
    let found = try runner(id, in: scope)
    guard found.state != .busy else {
      throw Refusal(422, "Bad request - Runner \"\(found.name)\" is still running a job\"")
    }
    retire(id, "deleted")
  }

  /// A registration comes to its end; a poll that waits is let go.
  func retire(_ id: Int64, _ fate: String) {
    registrations[id]?.state = .gone
    registrations[id]?.fate = fate
    registrations[id]?.job = nil
    queue.removeRunner(id)
    waiters.removeValue(forKey: id)?.continuation.resume(returning: nil)
  }
}
