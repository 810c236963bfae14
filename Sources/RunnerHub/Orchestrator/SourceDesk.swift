package import Logging
import ServiceLifecycle

/// What runs for each source of jobs beside GitHub: a reporter of its own, and a search for jobs of which no event told. It begins when the source
/// is there for the first time, and goes on until the end: what is owed to a source that is away stays owed.
package struct SourceDesk: Service {
  private let transactor: Transactor
  private let forge: ForgeRoster
  private let finder: JobFinder
  private let settings: Settings
  private let logger: Logger

  package init(transactor: Transactor, forge: ForgeRoster, reducer: JobReducer, settings: Settings, logger: Logger) {
    self.transactor = transactor
    self.forge = forge
    self.settings = settings
    self.logger = logger
    finder = JobFinder(transactor: transactor, reducer: reducer, logger: logger)
  }

  package func run() async throws {
    await cancelWhenGracefulShutdown {
      await withDiscardingTaskGroup { group in
        var served: Set<String> = []
        while !Task.isCancelled {
          for source in forge.sources.subtracting(served).sorted() {
            served.insert(source)
            group.addTask { await report(to: source) }
            if settings.sweepInterval > .zero { group.addTask { await search(source) } }
          }
          await forge.changes.wait()
        }
        group.cancelAll()
      }
    }
  }

  private func report(to source: String) async {
    // Nobody's health but the plugin's own: the host watches that.
    let reporter = StatusReporter(
      store: transactor.store, forge: forge, source: source, wakeUp: transactor.signals.reporting(to: source), monitor: nil, logger: logger)
    do {
      try await reporter.run()
    } catch {
      logger.error("reporting to a source ended", metadata: ["source": "\(source)", "error": "\(error)"])
    }
  }

  private func search(_ source: String) async {
    while !Task.isCancelled {
      await turn(source)
      do { try await Task.sleep(for: settings.sweepInterval) } catch { return }
    }
  }

  /// One search.
  /// - Returns: how many jobs it brought up to date.
  @discardableResult
  package func turn(_ source: String) async -> Int {
    var found = 0
    do {
      for report in try await forge.source(source).openJobs() where try await finder.matters(report) {
        if try await finder.apply(report) { found += 1 }
      }
    } catch {
      logger.info("a search for unheard jobs of a source stopped early", metadata: ["source": "\(source)", "reason": "\(error)"])
    }
    return found
  }
}
