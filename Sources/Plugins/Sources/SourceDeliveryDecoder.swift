internal import Foundation
package import RunnerHub

/// Reads the deliveries of sources beside GitHub's.
package struct SourceDeliveryDecoder: DeliveryDecoder {
  private let github: any DeliveryDecoder

  /// - Parameter github: reads all other deliveries.
  package init(github: any DeliveryDecoder) {
    self.github = github
  }

  package func decode(_ delivery: Delivery) throws(MalformedDelivery) -> ForgeEvent {
    guard delivery.event == SourceJob.deliveryEvent else { return try github.decode(delivery) }
    do {
      return .job(try PluginJSON.decoder.decode(SourceJob.self, from: delivery.body).report(from: delivery.hookID))
    } catch {
      throw MalformedDelivery("a job of \(delivery.hookID): \(error)")
    }
  }
}
