import Hummingbird
package import Logging
import NIOCore
import ServiceLifecycle

/// The listener for people and monitoring: health, metrics, status page and its API. It has no accounts: keep it on loopback, or behind a
/// proxy that knows who may read. Changes are taken from this machine only (`WriteRule`).
package struct AdministrationServer: Service {
  private let source: any StatusSource
  private let metrics: PrometheusMetrics
  private let options: ListenerOptions
  private let hosts: HostRule
  private let routes: [APIRoute]
  private let logger: Logger

  /// - Parameters:
  ///   - hostNames: names besides the loopback ones by which the listener may be called, without a port.
  ///   - routes: addresses of the API that parts of RunnerHub add.
  package init(
    source: any StatusSource, metrics: PrometheusMetrics, options: ListenerOptions, hostNames: [String] = [], routes: [APIRoute] = [],
    logger: Logger
  ) {
    self.source = source
    self.metrics = metrics
    self.options = options
    hosts = HostRule(allowing: hostNames)
    self.routes = routes
    self.logger = logger
  }

  /// Serves until shutdown; streams of events end then.
  package func run() async throws {
    let page = try StatusPage()
    let responder = AdministrationResponder(
      source: source, metrics: metrics, page: page, hosts: hosts, streams: EventStreams(source: source), routes: routes)
    try await options.application(responder, logger: logger).run()
  }
}
