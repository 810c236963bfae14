internal import Foundation
internal import Logging
internal import RunnerHub

/// Hears what happens at another CI platform: jobs are stored durably before the plugin is answered, so that it may forget them then.
struct SourceService: PluginService {
  let inbox: any RunnerHub.Inbox
  /// Whether its manifest asks for `jobs`, without which it hands in nothing.
  let mayHandInJobs: Bool
  let logger: Logger
  let now: @Sendable () -> Date
  /// Called after something was stored.
  let wake: @Sendable () -> Void

  private struct Events: Decodable { var jobs: SourceJobs }
  private struct Answer: Encodable { var refused: [SourceJobs.Fault]? }

  func answer(_ method: String, parameters: Data, from plugin: String) async throws(PluginError) -> Data {
    guard method == "source/events" else {
      throw .refused(.methodNotFound, "the host knows no \(method.prefix(100)) of a source: expected source/events")
    }
    guard mayHandInJobs else { throw .refused(.forbidden, "handing in jobs needs the ability `jobs` in plugin.yaml") }
    let events: Events
    do {
      events = try PluginJSON.decoder.decode(Events.self, from: parameters)
    } catch {
      throw .refused(.invalidParameters, "source/events: \(error)")
    }
    let received = now()
    let (deliveries, faults) = events.jobs.mapped { job throws(SourceJobFault) in try job.delivery(from: plugin, at: received) }
    try await store(deliveries)
    if let first = faults.first {
      logger.warning(
        "a source hands in jobs that cannot be", metadata: ["source": "\(plugin)", "jobs": "\(faults.count)", "first": "\(first.reason)"])
    }
    do {
      return try PluginJSON.encoder.encode(Answer(refused: faults.isEmpty ? nil : faults))
    } catch {
      throw .refused(.failed, "the answer cannot be written: \(error)")
    }
  }

  private func store(_ deliveries: [Delivery]) async throws(PluginError) {
    var isStored = false
    defer { if isStored { wake() } }
    for delivery in deliveries {
      do throws(StoreError) {
        if try await inbox.append(delivery) == .stored { isStored = true }
      } catch {
        // What was stored already is recognised when it comes again.
        throw .refused(.unavailable, "jobs cannot be stored now: \(error)")
      }
    }
  }
}
