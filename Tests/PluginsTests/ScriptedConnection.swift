import Foundation
import Plugins
import Synchronization

/// A plugin in memory: a test says what it answers, and asks what it was called with.
final class ScriptedConnection: PluginConnection {
  struct Call: Sendable {
    var method: String
    /// JSON.
    var parameters: Data
    var limit: Duration?
  }
  /// Gives the JSON of `result`.
  typealias Answer = @Sendable (Call) async throws(PluginError) -> Data

  let name: String
  private let answer: Answer
  private let made = Mutex<[Call]>([])
  var calls: [Call] { made.withLock { $0 } }

  init(name: String = "scripted", _ answer: @escaping Answer) {
    self.name = name
    self.answer = answer
  }

  func call<Result: Decodable & Sendable>(
    _ method: String, _ parameters: some Encodable & Sendable, limit: Duration?, progress: (@Sendable (PluginProgress) -> Void)?
  ) async throws(PluginError) -> Result {
    let call: Call
    do {
      call = Call(method: method, parameters: try PluginJSON.encoder.encode(parameters), limit: limit)
    } catch {
      throw .refused(.invalidParameters, "\(error)")
    }
    made.withLock { $0.append(call) }
    let result = try await answer(call)
    do {
      return try PluginJSON.decoder.decode(Result.self, from: result)
    } catch {
      throw .malformed("\(method): \(error)")
    }
  }
}
